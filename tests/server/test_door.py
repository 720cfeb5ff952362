"""What a request must pass: host, key, origin, rate, size, time; and nothing is ever fetched."""

from __future__ import annotations

import json
import logging
import socket
import sys
import time
from urllib.parse import urlsplit

import httpx
import pytest
from server_rig import TOKENS, Slow, about, three_keys

from pixelis.server.archive import Archive
from pixelis.server.runs import Runs

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@pytest.fixture
def locked(serve, tmp_path):
    archive = Archive(tmp_path / "store")
    yield serve(keys=three_keys(), archive=archive, runs=Runs(tmp_path))
    archive.close()


def paths(served) -> list[str]:
    headers = {"Authorization": f"Bearer {TOKENS['ask']}"}
    told = httpx.get(f"{served.base}/openapi.json", headers=headers).json()["paths"]
    filled = [path.replace("{id}", "a" * 16).replace("{number}", "1") for path in told]
    return [*(path.replace("{name}", "slow") for path in filled), "/openapi.json", "/nothing"]


def test_every_path_and_method_asks_for_a_key(locked):
    checked = 0
    with httpx.Client(base_url=locked.base, timeout=30) as client:
        for path in paths(locked):
            for method in METHODS:
                for headers in (
                    {},
                    {"Authorization": "Bearer wrong"},
                    {"Authorization": "Basic x"},
                ):
                    reply = client.request(method, path, headers=headers)
                    open_to_all = path == "/health" and method in ("GET", "HEAD")
                    wanted = (200, 405) if open_to_all else (401, 429)
                    assert reply.status_code in wanted, (method, path, reply.status_code)
                    checked += 1
    assert checked > 300


def test_the_page_is_open_and_holds_no_data(locked):
    page = httpx.get(f"{locked.base}/")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for token in TOKENS.values():
        assert token not in page.text
    assert httpx.get(f"{locked.base}/studio/../settings.py").status_code in (401, 404)
    assert httpx.get(f"{locked.base}/studio/..%2fkeys.py").status_code in (401, 404)


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("ask", "GET", "/v1/reviews", 403),
        ("ask", "POST", "/v1/reviews/1", 403),
        ("ask", "GET", "/v1/memory", 200),
        ("ask", "GET", "/v1/models", 200),
        ("review", "GET", "/v1/reviews", 200),
        ("review", "GET", "/v1/models", 200),
        ("admin", "GET", "/v1/reviews", 200),
        ("admin", "GET", "/metrics", 200),
    ],
)
def test_roles(locked, role, method, path, status):
    headers = {"Authorization": f"Bearer {TOKENS[role]}"}
    body = {"verdict": "approve"} if method == "POST" else None
    reply = httpx.request(method, locked.base + path, headers=headers, json=body)
    assert reply.status_code == status
    spare = {"X-Api-Key": TOKENS[role]}
    assert httpx.request(method, locked.base + path, headers=spare, json=body).status_code == status


def test_guessing_keys_is_slowed_down(locked):
    codes = {
        httpx.get(f"{locked.base}/v1/models", headers={"X-Api-Key": f"guess-{n}"}).status_code
        for n in range(40)
    }
    assert codes == {401, 429}
    good = {"Authorization": f"Bearer {TOKENS['ask']}"}
    assert httpx.get(f"{locked.base}/v1/models", headers=good).status_code == 200


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "evil.test:8080", ""])
def test_without_a_key_only_this_machine_is_named(serve, host):
    served = serve()
    reply = httpx.get(f"{served.base}/v1/models", headers={"Host": host})
    assert reply.status_code == 403
    assert httpx.get(f"{served.base}/v1/models").status_code == 200


def test_half_an_address_is_refused(serve):
    served = serve()
    assert httpx.get(f"{served.base}/v1/models", headers={"Host": "[::1"}).status_code == 403
    odd = {"Origin": "http://[::1"}
    assert httpx.post(f"{served.base}/v1/chat/completions", headers=odd).status_code == 403


def test_methods_that_nobody_knows_are_counted_as_one(serve):
    served = serve()
    for method in ("BREW", "WHEN", "PROPFIND", "GETT"):
        assert httpx.request(method, f"{served.base}/v1/models").status_code == 405

    def told() -> list[str]:
        lines = served.office.metrics.text().decode().splitlines()
        return [line for line in lines if line.startswith("pixelis_requests_total")]

    def counted() -> float:
        return sum(float(line.split()[-1]) for line in told() if 'method="other"' in line)

    until = time.monotonic() + 10  # a request is counted once its last byte has gone
    while counted() < 4 and time.monotonic() < until:
        time.sleep(0.01)
    assert counted() == 4
    assert not [line for line in told() if "BREW" in line or "PROPFIND" in line]


def test_bodies_on_their_way_count_together(serve):
    served = serve(max_held_mib=1, max_body_mib=1, body_s=20)
    host, port = urlsplit(served.base).hostname, urlsplit(served.base).port
    half = 700 * 1024
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {half + 9}\r\n\r\n"
    )
    with (
        socket.create_connection((host, port)) as first,
        socket.create_connection((host, port)) as second,
    ):
        first.sendall(head.encode() + b"x" * half)
        late = time.monotonic() + 10
        while served.door.held < half and time.monotonic() < late:
            time.sleep(0.01)
        second.settimeout(20)
        second.sendall(head.encode() + b"x" * half)
        assert b" 429 " in second.recv(4096)
    late = time.monotonic() + 10
    while served.door.held and time.monotonic() < late:
        time.sleep(0.01)
    assert served.door.held == 0


def test_pages_of_other_sites_cannot_post(serve):
    served = serve()
    body = {"model": "slow", "messages": about("Where?")}
    address = f"{served.base}/v1/chat/completions"
    foreign = httpx.post(address, json=body, headers={"Origin": "https://evil.test"})
    assert foreign.status_code == 403
    own = httpx.post(address, json=body, headers={"Origin": served.base}, timeout=60)
    assert own.status_code == 200
    assert "access-control-allow-origin" not in own.headers


def test_rates_are_limited_for_each_key(serve):
    served = serve(keys=three_keys(), rate=5)
    get = lambda role: httpx.get(  # noqa: E731
        f"{served.base}/v1/models", headers={"Authorization": f"Bearer {TOKENS[role]}"}
    )
    codes = [get("ask").status_code for _ in range(8)]
    assert codes == [200] * 5 + [429] * 3
    assert get("admin").status_code == 200
    assert int(get("ask").headers["retry-after"]) >= 1


def test_large_bodies_are_cut_off(serve):
    served = serve(max_body_mib=0.5)
    big = b"x" * 2**20
    assert httpx.post(f"{served.base}/v1/chat/completions", content=big).status_code == 413

    def pieces():
        for _ in range(64):
            yield b"x" * 2**16

    try:
        code = httpx.post(f"{served.base}/v1/chat/completions", content=pieces()).status_code
    except httpx.WriteError:  # it hung up while we were still writing
        code = 413
    assert code == 413
    assert served.office.ready


def test_slow_and_silent_clients_block_nobody(serve):
    served = serve(body_s=1.0)
    host, port = urlsplit(served.base).hostname, urlsplit(served.base).port
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{"
    slow = [socket.create_connection((host, port)) for _ in range(50)]
    for number, line in enumerate(slow):
        if number % 3 == 0:
            line.sendall(head)
        elif number % 3 == 1:
            line.sendall(b"POST /v1/chat/comp")
    begun = time.monotonic()
    assert httpx.get(f"{served.base}/v1/models", timeout=10).status_code == 200
    reply = served.client().chat.completions.create(model="slow", messages=about("Where?"))
    assert reply.choices[0].message.content
    assert time.monotonic() - begun < 10
    slow[0].settimeout(20)
    assert b" 408 " in slow[0].recv(4096)
    for line in slow:
        line.close()


ADDRESSES = [
    "http://127.0.0.1:{port}/health", "https://127.0.0.1:{port}/", "http://localhost:{port}/x",
    "http://169.254.169.254/latest/meta-data", "http://[::1]:{port}/", "http://2130706433:{port}/",
    "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://user@127.0.0.1:{port}/", "http:\\\\127.0.0.1:{port}\\", "//127.0.0.1:{port}/x.png",
    "file:///etc/passwd", "FILE:/etc/passwd", "/etc/passwd", "ftp://127.0.0.1:{port}/x",
    "gopher://127.0.0.1:{port}/", "http://nip.test/", "concat:/etc/passwd|x", "rtsp://127.0.0.1/",
    "data:text/html,<script>", "data:image/svg+xml;base64,PHN2Zy8+", "blob:http://127.0.0.1/",
]  # fmt: skip
seen: list[tuple] = []
watching = False


def hook(event: str, arguments: tuple) -> None:
    if watching and event in ("socket.connect", "socket.getaddrinfo", "open"):
        seen.append((event, arguments))


def test_no_address_is_ever_fetched(serve):
    global watching
    served = serve()
    port = urlsplit(served.base).port
    sys.addaudithook(hook)
    with httpx.Client(base_url=served.base, timeout=30) as client:
        client.get("/health")  # the one connection of the test itself
        watching = True
        try:
            for address in ADDRESSES:
                for part in ("image_url", "video_url"):
                    url = {"url": address.format(port=port)}
                    parts = [{"type": part, part: url}, {"type": "text", "text": "What?"}]
                    body = {"model": "slow", "messages": [{"role": "user", "content": parts}]}
                    reply = client.post("/v1/chat/completions", json=body)
                    assert reply.status_code == 400, address
                    assert "passwd" not in reply.text or "/etc/passwd" in address
        finally:
            watching = False
    fetched = [each for each in seen if each[0] != "open" or "passwd" in str(each[1][0])]
    assert not fetched


def test_each_request_leaves_one_line_without_secrets(serve, caplog):
    served = serve(keys=three_keys())
    headers = {"Authorization": f"Bearer {TOKENS['ask']}", "X-Request-Id": "from-client-1"}
    with caplog.at_level(logging.INFO, "pixelis.access"):
        body = {"model": "slow", "messages": about("A private question?")}
        reply = httpx.post(
            f"{served.base}/v1/chat/completions", json=body, headers=headers, timeout=60
        )
        assert reply.headers["x-request-id"] == "from-client-1"
        until = time.monotonic() + 5
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.01)
    facts = caplog.records[-1].facts
    assert (facts["status"], facts["key"], facts["id"]) == (200, "ask", "from-client-1")
    assert facts["read"] > 1000
    assert "private" not in json.dumps(facts)
    assert TOKENS["ask"] not in json.dumps(facts)


def test_a_fault_of_ours_is_told_in_one_sentence(serve, caplog):
    served = serve(Slow())
    served.office.recent.add = None  # a programming error
    body = {"model": "slow", "messages": about("Where?")}
    reply = httpx.post(f"{served.base}/v1/chat/completions", json=body, timeout=60)
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "internal"
    assert "Traceback" not in reply.text
    assert "NoneType" not in reply.text
    assert httpx.get(f"{served.base}/health").status_code == 200
