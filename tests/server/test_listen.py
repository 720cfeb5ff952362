"""The process: it says where it is, stops politely, and survives being killed."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from server_rig import QUESTION, ROOT, about, process

from pixelis.errors import ConfigError
from pixelis.server.listen import bound
from pixelis.server.settings import Settings


def test_a_taken_port_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="choose another --port"), bound(settings):
            pass


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
