"""Real servers on loopback, in a thread or in a process of their own, with real or slow models."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai

from pixelis.agent import Agent
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.ops.workspace import PixelBudget
from pixelis.server.app import build
from pixelis.server.door import Door
from pixelis.server.keys import Key, Keys, digest_of
from pixelis.server.listen import Server, bound, server_on
from pixelis.server.office import Office
from pixelis.server.settings import Settings

ROOT = Path(__file__).parents[2]
SCENE = ROOT / "docs" / "images" / "scene.jpg"
QUESTION = "How many things are on the black sign?"
JSON = {"Content-Type": "application/json"}
TOKENS = {"ask": "ask-key-000001", "review": "review-key-01", "admin": "admin-key-001"}


def data_url(data: bytes, kind: str = "image/jpeg") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def about(question: str, url: str | None = None) -> list[dict[str, Any]]:
    """The messages of one question about the bundled scene."""
    url = url or data_url(SCENE.read_bytes())
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": question}]
    return [{"role": "user", "content": parts}]


class Slow:
    """Takes its time for every generate call, then zooms in once and answers with the question's
    last word; `fail` raises instead."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.profile = Profile("slow", budget=PixelBudget(64 * 64, 64 * 64, 32))
        self.name = "slow"
        self.seconds = seconds
        self.batches: list[int] = []

    def generate(self, requests: list[Request], sampling: Sampling) -> list[Turn]:
        self.batches.append(len(requests))
        time.sleep(self.seconds)
        return [self._turn(request) for request in requests]

    def _turn(self, request: Request) -> Turn:
        question = request.messages[-1]["content"]
        if "fail" in str(request.messages[0]["content"]):
            raise RuntimeError("secret path /etc/weights")
        if any(message["role"] == "assistant" for message in request.messages):
            return Turn("It is there. [crop_1]", (1, 2, 3), None, 0.8)
        assert question
        call = json.dumps({"name": "zoom_in", "arguments": {"bbox_2d": [100, 100, 400, 400]}})
        return Turn(f"<tool_call>\n{call}\n</tool_call>", (1, 2), None, 0.8)


@dataclass(frozen=True)
class Served:
    """A server that runs: where it is and what is inside."""

    base: str
    office: Office
    agents: Mapping[str, Agent]
    loop: asyncio.AbstractEventLoop
    door: Door
    server: Server
    said: list[str]

    def client(self, key: str = "none") -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.base}/v1", api_key=key, max_retries=0, timeout=120)


Serve = Callable[..., Served]


@contextmanager
def running(agents: Mapping[str, Agent], settings: Settings, keys: Keys, **parts: Any):
    """A server in a thread."""
    app, office = build(agents, settings, keys, **parts)
    said: queue.Queue[tuple[str, asyncio.AbstractEventLoop]] = queue.Queue()

    def ready(address: str) -> None:
        said.put((address.rstrip("/"), asyncio.get_running_loop()))

    told: list[str] = []
    with bound(settings) as listener:
        server = server_on(listener, app, settings, ready, office.desk, told.append)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            base, loop = said.get(timeout=60)
            yield Served(base, office, agents, loop, app, server, told)
        finally:
            server.should_exit = True
            thread.join(timeout=60)
            assert not thread.is_alive()


def three_keys() -> Keys:
    """A key of every role."""
    return Keys([Key(role, role, digest_of(token)) for role, token in TOKENS.items()])


@contextmanager
def process(*flags: str, wait_s: float = 120) -> Iterator[tuple[subprocess.Popen, str]]:
    """`pixelis serve` as a user starts it, with its address."""
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    started = subprocess.Popen(
        [sys.executable, "-m", "pixelis", "serve", "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )
    try:
        yield started, _address(started, wait_s)
    finally:
        started.kill()
        started.communicate()


def _address(started: subprocess.Popen, wait_s: float) -> str:
    timer = threading.Timer(wait_s, started.kill)
    timer.start()
    try:
        for line in started.stdout:
            if line.startswith("studio"):
                return line.split()[1].rstrip("/")
    finally:
        timer.cancel()
    raise AssertionError(started.stderr.read())


def make_run(folder: Path, questions: int = 6, control: str = "no_ops") -> Path:
    """A finished evaluation, as `pixelis eval` leaves it: nano, without operations if not told."""
    words = ["eval", "worlds", "--limit", str(questions), "--control", control, "--traces", "2"]
    words += ["--out", str(folder), "--json"]
    subprocess.run([sys.executable, "-m", "pixelis", *words], check=True, capture_output=True)
    return folder
