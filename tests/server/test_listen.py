"""The process: it says where it is, stops politely, and survives being killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from server_rig import QUESTION, ROOT, Served, Slow, about, process

from pixelis.errors import ConfigError
from pixelis.server.listen import bound, listen
from pixelis.server.refusal import RefusalError
from pixelis.server.settings import Settings


def test_a_taken_port_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="choose another --port"), bound(settings):
            pass


def test_nothing_is_loaded_for_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words = ["serve", "--model", "hf:/no/such/folder", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(
            [sys.executable, "-m", "pixelis", *words],
            cwd=ROOT / "src", capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 2
    assert "choose another --port" in done.stderr


def test_of_two_that_bind_the_same_port_the_second_to_listen_is_told():
    with bound(Settings(port=0)) as first:
        settings = Settings(port=first.getsockname()[1])
        with bound(settings) as second:
            first.listen()
            with pytest.raises(ConfigError, match="choose another --port"):
                listen(second, app_of_nothing, settings, print)


async def app_of_nothing(scope, receive, send) -> None:
    raise AssertionError("nobody gets here")


def test_who_says_nothing_is_let_go(serve):
    place = urlsplit(serve(head_s=0.5).base)
    with socket.create_connection((place.hostname, place.port)) as silent:
        silent.settimeout(20)
        silent.sendall(b"GET /health HT")
        assert silent.recv(100) == b""


def test_a_second_request_must_come_to_an_end_too(serve):
    place = urlsplit(serve(head_s=0.5).base)
    with socket.create_connection((place.hostname, place.port)) as line:
        line.settimeout(20)
        line.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"200 OK" in line.recv(2000)
        line.sendall(b"GET /hea")
        while piece := line.recv(2000):
            assert b"HTTP/1.1 2" not in piece


def test_who_reads_nothing_any_more_is_let_go(serve, caplog):
    served = serve(send_s=1.0)
    place = urlsplit(served.base)
    path = f"GET /studio/sample.jpg HTTP/1.1\r\nHost: {place.hostname}\r\n\r\n"

    def held() -> int:
        """Connections whose replies wait in this process."""
        found = psutil.Process().net_connections("tcp")
        return sum(c.status == "ESTABLISHED" and c.laddr.port == place.port for c in found)

    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect((place.hostname, place.port))
        line.sendall(path.encode() * 200)  # replies of many megabytes, and none of them is read
        reaches(lambda: held() == 1)
        reaches(lambda: held() == 0)
    assert httpx.get(f"{served.base}/health").status_code == 200
    assert "Traceback" not in caplog.text


def test_while_answers_are_open_it_says_that_it_is_stopping(serve):
    served = serve(Slow(0.6), grace_s=30)
    asked = {"model": "slow", "messages": about("Where is it?")}
    with stream(served) as lines:
        next(lines)
        served.server.should_exit = True
        reaches(lambda: not served.office.ready)
        ready = httpx.get(f"{served.base}/ready")
        refused = httpx.post(f"{served.base}/v1/chat/completions", json=asked)
        rest = [line for line in lines if line]
    for reply in (ready, refused):
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "stopping")
    assert "It is there." in "".join(rest)
    assert rest[-1] == "data: [DONE]"
    assert served.said == ["waiting for 1 open answer up to 30 s; a second Ctrl+C ends at once"]


def test_what_takes_longer_than_the_grace_is_told_so(serve):
    served = serve(Slow(3.0), grace_s=0.2)
    whole: list[httpx.Response] = []
    body = {"model": "slow", "messages": about("Where is it?"), "n": 3}
    address = f"{served.base}/v1/chat/completions"
    asking = threading.Thread(
        target=lambda: whole.append(httpx.post(address, json=body, timeout=60))
    )
    with stream(served) as lines:
        next(lines)
        asking.start()
        reaches(lambda: served.office.desk.open_answers == 4)
        served.server.should_exit = True
        events = [line for line in lines if line]
    asking.join()
    told = json.loads(events[-2].removeprefix("data: "))["error"]
    assert (told["code"], told["message"]) == (
        "stopping",
        "the server stopped before this was done; ask again soon",
    )
    assert (whole[0].status_code, whole[0].json()["error"]["code"]) == (503, "stopping")
    assert served.said[-1] == "cut off: 4"


def test_what_has_not_begun_yet_is_cut_as_well(serve):
    desk = serve().office.desk

    async def waits() -> None:
        async with desk.admitted(1):
            desk.stop()
            desk.cut()
            await asyncio.sleep(60)

    with pytest.raises(RefusalError, match="stopped before this was done"):
        asyncio.run(waits())
    assert desk.open_answers == 0


def test_it_stops_as_well_when_nobody_reads_what_it_says(serve):
    served = serve(Slow(0.3), grace_s=30)

    def broken(text: str) -> None:
        raise BrokenPipeError

    served.server._tell = broken
    with stream(served) as lines:
        next(lines)
        served.server.should_exit = True
        assert "It is there." in "".join(lines)


def ask_in_vain(base: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        ask(base)


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once(tmp_path):
    with process("--store", str(tmp_path / "store"), "--learn") as (server, base):
        asked = threading.Thread(target=ask_in_vain, args=(base,))
        asked.start()
        reaches(lambda: "pixelis_running 1.0" in httpx.get(f"{base}/metrics").text)
        server.send_signal(signal.SIGINT)
        reaches(lambda: httpx.get(f"{base}/ready").status_code == 503)
        began = time.monotonic()
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == 130
        assert time.monotonic() - began < 2
        asked.join()


@contextmanager
def stream(served: Served) -> Iterator[Iterator[str]]:
    """The lines of a streamed answer of the slow model."""
    body = {"model": "slow", "messages": about("Where is it?"), "stream": True}
    address = f"{served.base}/v1/chat/completions"
    with httpx.stream("POST", address, json=body, timeout=60) as reply:
        yield reply.iter_lines()


def reaches(done) -> None:
    late = time.monotonic() + 60
    while not done():
        assert time.monotonic() < late
        time.sleep(0.05)


def ask(base: str, stream: bool = False) -> httpx.Response:
    body = {"model": "nano", "messages": about(QUESTION), "stream": stream}
    return httpx.post(f"{base}/v1/chat/completions", json=body, timeout=120)


@pytest.mark.slow
def test_it_stops_when_open_answers_have_ended(tmp_path):
    log = tmp_path / "log.jsonl"
    with process("--log", str(log)) as (server, base):
        replies: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: replies.append(ask(base)))
        asking.start()
        until = time.monotonic() + 30
        while "pixelis_running 1.0" not in httpx.get(f"{base}/metrics").text:
            assert time.monotonic() < until
            time.sleep(0.02)
        server.send_signal(signal.SIGTERM)
        asking.join()
        assert replies[0].status_code == 200
        assert server.wait(timeout=60) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines[-1]["status"] == 200
    assert {line["path"] for line in lines} == {"/metrics", "/v1/chat/completions"}


def kill_in_the_middle(server: subprocess.Popen, base: str) -> None:
    """Kills it when the first event of a stream has come."""
    body = {"model": "nano", "messages": about(QUESTION), "stream": True}
    with httpx.stream("POST", f"{base}/v1/chat/completions", json=body, timeout=60) as stream:
        for _ in stream.iter_lines():
            server.kill()


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill_in_the_middle_of_streams(tmp_path):
    store = str(tmp_path / "store")
    kept = []
    for _ in range(2):
        with process("--store", store) as (server, base):
            for episode in kept:
                assert httpx.get(f"{base}/v1/memory/{episode}").json()["status"] == "confirmed"
            reply = ask(base).json()
            episode = reply["choices"][0]["message"]["pixelis"]["episode"]
            said = {"episode": episode, "right": True}
            told = httpx.post(f"{base}/v1/feedback", json=said, timeout=60)
            assert told.status_code == 201
            kept.append(episode)
            with pytest.raises(httpx.HTTPError):
                kill_in_the_middle(server, base)
    done = subprocess.run(
        [sys.executable, "-m", "pixelis", "memory", "verify", "--store", store],
        cwd=ROOT / "src",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--host", "0.0.0.0"], "a key is needed"),
        (["--api-key", "short"], "at least 8"),
        (["--keys", "none.toml"], "none.toml"),
        (["--learn"], "--store"),
        (["--port", "99999"], "port"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_it_listens(flags, said):
    done = subprocess.run(
        [sys.executable, "-m", "pixelis", "serve", *flags],
        cwd=ROOT / "src",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
