"""Real servers on loopback: `transformers serve`, and a gateway before it that can misbehave."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# The processor's class must be known to the server's process; importing its module makes it so.
LAUNCH = "import pixelis.models.processor; from transformers.cli.transformers import main; main()"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def transformers_serve(folder: Path, log: Path) -> Iterator[str]:
    """The base URL of a server of its own process that holds the checkpoint in `folder`."""
    port = free_port()
    words = ["serve", str(folder), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    source = str(Path(__file__).parents[2] / "src")
    path = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *words],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": path},
        )
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(address: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(log.read_text()[-2000:])


Fault = Callable[[dict, int], tuple[int, dict, str] | None]


class Gateway:
    """Passes requests on to a server, unless `fault(body, number)` gives a reply of its own.

    `bodies` collects the JSON of every POST; a fault may also sleep, or raise to cut the line.
    """

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.fault: Fault = lambda body, number: None
        self.bodies: list[dict] = []
        self.headers: list[dict] = []
        self.busy = self.most = 0
        self._lock = threading.Lock()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(*gateway.handle(self.path, {}, None))

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    told = gateway.handle(self.path, dict(self.headers), data)
                except ConnectionError:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.answer(*told)

            def answer(self, code: int, headers: dict, text: str) -> None:
                data = text.encode()
                try:
                    self.send_response(code)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except ConnectionError:
                    pass  # the client has given up, as a test with a timeout wants it to

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def handle(self, path: str, headers: dict, data: bytes | None) -> tuple[int, dict, str]:
        body = json.loads(data) if data else {}
        with self._lock:
            if data:
                self.bodies.append(body)
                self.headers.append(headers)
            number = len(self.bodies)
            self.busy += 1
            self.most = max(self.most, self.busy)
        try:
            return self.fault(body, number) or self._pass(path, data)
        finally:
            with self._lock:
                self.busy -= 1

    def _pass(self, path: str, data: bytes | None) -> tuple[int, dict, str]:
        address = self.behind + path.removeprefix("/v1")
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return reply.status, {}, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {}, error.read().decode()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
