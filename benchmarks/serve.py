"""Many clients of `pixelis serve` against one at a time, in one run; memory before and after.

A real server process is started, warmed up, asked one question after the other, then asked by many
clients at once. With `--minutes` the many go on for that long. `--kill N` then kills it N times
with SIGKILL in the middle of streams, starts it again each time and looks for all feedback that
was acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import collections
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2

QUESTION = "How many things are on the black sign?"
SCENE = Path(__file__).parents[1] / "docs" / "images" / "scene.jpg"
MIB = 2**20


class Server:
    """The process and its address."""

    def __init__(self, model: str, store: Path) -> None:
        words = [sys.executable, "-m", "pixelis", "serve", "--model", model, "--port", "0"]
        words += ["--rate", "0", "--store", str(store), "--log", os.devnull]
        started = time.monotonic()
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.base = ""
        for line in self.process.stdout or ():
            if line.startswith("studio"):
                self.base = line.split()[1].rstrip("/")
                break
        if not self.base:
            sys.exit("the server did not start; run 'pixelis serve' by hand to see why")
        self.start_s = time.monotonic() - started

    def memory(self) -> float:
        """Resident MiB."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / MIB

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(timeout=120)


def body(model: str, stream: bool = False) -> dict:
    url = "data:image/jpeg;base64," + base64.b64encode(SCENE.read_bytes()).decode()
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": QUESTION}]
    return {"model": model, "messages": [{"role": "user", "content": parts}], "stream": stream}


async def many(server: Server, model: str, count: int, clients: int, minutes: float = 0.0) -> dict:
    """`count` requests, or as many as fit into the minutes, from so many clients."""
    seconds: list[float] = []
    codes: collections.Counter[int] = collections.Counter()
    left, until = count, time.monotonic() + 60 * minutes
    asked = json.dumps(body(model)).encode()
    levels: list[float] = []

    async def client(http: httpx2.AsyncClient) -> None:
        nonlocal left
        while (time.monotonic() < until) if minutes else left > 0:
            left -= 1
            begun = time.monotonic()
            reply = await http.post("/v1/chat/completions", content=asked, headers=JSON)
            codes[reply.status_code] += 1
            if reply.status_code == 429:
                await asyncio.sleep(float(reply.headers["retry-after"]) * random.random())
                left += 1
            else:
                seconds.append(time.monotonic() - begun)
            if len(seconds) % 50 == 0:
                levels.append(server.memory())

    limits = httpx2.Limits(max_connections=clients)
    async with httpx2.AsyncClient(base_url=server.base, timeout=600, limits=limits) as http:
        begun = time.monotonic()
        await asyncio.gather(*(client(http) for _ in range(clients)))
        wall = time.monotonic() - begun
    cuts = statistics.quantiles(seconds, n=20)
    return {
        "per_s": len(seconds) / wall, "p50": cuts[9], "p95": cuts[18], "codes": dict(codes),
        "levels": levels,
    }  # fmt: skip


JSON = {"Content-Type": "application/json"}


def told(name: str, found: dict) -> None:
    print(
        f"{name:<16}{found['per_s']:.2f} answers/s, p50 {found['p50']:.2f} s, "
        f"p95 {found['p95']:.2f} s, status {found['codes']}",
        flush=True,
    )


def kills(model: str, store: Path, times: int) -> None:
    """Kills it in the middle of streams; every acknowledged feedback must be there afterwards."""
    kept: set[str] = set()
    starts = []
    for _ in range(times):
        server = Server(model, store)
        starts.append(server.start_s)
        kept |= asyncio.run(feed_until_killed(server, model))
        server = Server(model, store)
        there = set()
        with httpx2.Client(base_url=server.base, timeout=120) as http:
            for episode in kept:
                if http.get(f"/v1/memory/{episode}").status_code == 200:
                    there.add(episode)
        server.stop()
        if lost := kept - there:
            sys.exit(f"lost {len(lost)} of {len(kept)} acknowledged: {sorted(lost)[:3]}")
    print(f"killed {times} times: {len(kept)} acknowledged, 0 lost, start {max(starts):.1f} s")


async def feed_until_killed(server: Server, model: str) -> set[str]:
    """Asks and confirms with four clients until the process is killed; what was acknowledged."""
    kept: set[str] = set()

    async def client(http: httpx2.AsyncClient) -> None:
        while True:
            async with http.stream("POST", "/v1/chat/completions", json=body(model, True)) as reply:
                async for line in reply.aiter_lines():
                    if '"episode": "' in line:
                        episode = line.split('"episode": "')[1][:16]
            said = {"episode": episode, "right": True}
            if (await http.post("/v1/feedback", json=said)).status_code == 201:
                kept.add(episode)

    async with httpx2.AsyncClient(base_url=server.base, timeout=60) as http:
        clients = [asyncio.create_task(client(http)) for _ in range(4)]
        await asyncio.sleep(random.uniform(2, 8))
        server.stop(signal.SIGKILL)
        await asyncio.gather(*clients, return_exceptions=True)
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--kill", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        server = Server(options.model, store)
        print(f"started in     {server.start_s:.1f} s")
        name = options.model
        asyncio.run(many(server, name, 2 * options.clients, options.clients))  # warm-up
        alone = asyncio.run(many(server, name, max(20, options.requests // 20), 1))
        told("one at a time", alone)
        before = server.memory()
        found = asyncio.run(many(server, name, options.requests, options.clients, options.minutes))
        told(f"{options.clients} clients", found)
        print(f"batched        {found['per_s'] / alone['per_s']:.2f} times as many answers")
        after, most = server.memory(), max(found["levels"])
        print(f"memory         {before:.0f} MiB before, {after:.0f} after, {most:.0f} at most")
        print(f"ended with     {server.stop()}")
        if options.kill:
            kills(options.model, store, options.kill)


if __name__ == "__main__":
    main()
