"""Many clients of `pixelis serve` against one at a time, in one run; memory before and after.

A real server process is started, warmed up, asked one question after the other, then asked by many
clients at once. With `--minutes` the many go on for that long. `--kill N` then kills it N times
with SIGKILL in the middle of streams, starts it again each time and looks for all feedback that
was acknowledged. It ends with 1 when anything but answers and 429 came back, or anything is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import collections
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

QUESTION = "How many things are on the black sign?"
SCENE = Path(__file__).parents[1] / "docs" / "images" / "scene.jpg"
MIB = 2**20
MOST_WAIT_S = 120.0  # for a first acknowledgement before a kill


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
    """`count` requests, or as many as fit into the minutes, from so many clients.

    Only whole answers count as answers; whatever else came is in `codes`, and `broken` are requests
    that got no reply at all. One that was refused with 429 is asked again when it may be.
    """
    seconds: list[float] = []
    codes: collections.Counter[str] = collections.Counter()
    left, until, broken = count, time.monotonic() + 60 * minutes, 0
    asked = json.dumps(body(model)).encode()

    async def client(http: httpx2.AsyncClient) -> None:
        nonlocal left, broken
        while (time.monotonic() < until) if minutes else left > 0:
            left -= 1
            begun = time.monotonic()
            try:
                reply = await http.post("/v1/chat/completions", content=asked, headers=JSON)
            except httpx2.HTTPError:
                broken += 1
                continue
            codes[str(reply.status_code)] += 1
            if reply.status_code == 200 and reply.json()["choices"][0]["message"]["content"]:
                seconds.append(time.monotonic() - begun)
            elif reply.status_code == 429:
                await asyncio.sleep(float(reply.headers["retry-after"]) * random.random())
                left += 1

    limits = httpx2.Limits(max_connections=clients)
    async with httpx2.AsyncClient(base_url=server.base, timeout=600, limits=limits) as http:
        levels = [server.memory()]
        watching = asyncio.create_task(watch(server, levels))
        begun = time.monotonic()
        await asyncio.gather(*(client(http) for _ in range(clients)))
        wall = time.monotonic() - begun
        watching.cancel()
    levels.append(server.memory())
    return {
        "clients": clients, "answers": len(seconds), "seconds": wall, "codes": dict(codes),
        "broken": broken, "per_s": len(seconds) / wall, "p50_s": cut(seconds, 0.5),
        "p95_s": cut(seconds, 0.95), "mib_before": levels[0], "mib_after": levels[-1],
        "mib_most": max(levels),
    }  # fmt: skip


async def watch(server: Server, levels: list[float]) -> None:
    """Notes the memory of the server four times a second."""
    while True:
        await asyncio.sleep(0.25)
        levels.append(server.memory())


def cut(seconds: list[float], share: float) -> float | None:
    """The time within which that share was answered (nearest rank); None without answers."""
    ranked = sorted(seconds)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else None


JSON = {"Content-Type": "application/json"}


def told(name: str, found: dict) -> str:
    times = [found["p50_s"], found["p95_s"]]
    p50, p95 = ("none" if value is None else f"{value:.2f} s" for value in times)
    return (
        f"{name:<16}{found['answers']} answers, {found['per_s']:.2f} a second, p50 {p50}, "
        f"p95 {p95}, status {found['codes']}, {found['broken']} broken"
    )


def kills(model: str, store: Path, times: int, say: Callable[[str], None]) -> dict:
    """Kills it in the middle of streams; every acknowledged feedback must be there afterwards.

    What was acknowledged before a kill is looked for at the next start, and all of it at the last.
    """
    kept: set[str] = set()
    new: set[str] = set()
    lost: set[str] = set()
    starts, streams = [], []
    for number in range(times + 1):
        server = Server(model, store)
        starts.append(server.start_s)
        with httpx2.Client(base_url=server.base, timeout=120) as http:
            sought = new if number < times else kept
            lost |= {one for one in sought if http.get(f"/v1/memory/{one}").status_code != 200}
        if number == times:
            server.stop()
            break
        new, cut_off = asyncio.run(feed_until_killed(server, model))
        kept |= new
        streams.append(cut_off)
        if number % 10 == 9:
            say(f"killed          {number + 1} of {times} times, {len(lost)} lost")
    return {
        "times": times, "acknowledged": len(kept), "lost": sorted(lost),
        "streams_cut_off": streams, "slowest_start_s": max(starts),
    }  # fmt: skip


async def feed_until_killed(server: Server, model: str) -> tuple[set[str], int]:
    """Asks and confirms with four clients until the process is killed.

    It is killed at a random moment after the first acknowledgement, while a stream is open.

    Returns: what was acknowledged, and how many streams were cut off.
    """
    kept: set[str] = set()
    streaming = 0

    async def client(http: httpx2.AsyncClient) -> None:
        nonlocal streaming
        while True:
            episode = ""
            streaming += 1
            async with http.stream("POST", "/v1/chat/completions", json=body(model, True)) as reply:
                async for line in reply.aiter_lines():
                    if '"episode": "' in line:
                        episode = line.split('"episode": "')[1][:16]
            streaming -= 1
            said = {"episode": episode, "right": True}
            if episode and (await http.post("/v1/feedback", json=said)).status_code == 201:
                kept.add(episode)

    async with httpx2.AsyncClient(base_url=server.base, timeout=60) as http:
        clients = [asyncio.create_task(client(http)) for _ in range(4)]
        until = time.monotonic() + MOST_WAIT_S
        while not kept and time.monotonic() < until:
            await asyncio.sleep(0.05)
        await asyncio.sleep(random.uniform(0, 3))
        while not streaming and time.monotonic() < until:
            await asyncio.sleep(0.01)
        cut_off = streaming
        server.stop(signal.SIGKILL)
        await asyncio.gather(*clients, return_exceptions=True)
    return kept, cut_off


def measure(options: argparse.Namespace, say: Callable[[str], None]) -> dict:
    """Everything that was asked for, as one document; `say` gets a line of each part."""
    name, clients = options.model, options.clients
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        server = Server(name, store)
        say(f"started in      {server.start_s:.1f} s")
        asyncio.run(many(server, name, 2 * clients, clients))  # warm-up
        alone = asyncio.run(many(server, name, max(20, options.requests // 20), 1))
        say(told("one at a time", alone))
        found = asyncio.run(many(server, name, options.requests, clients, options.minutes))
        say(told(f"{clients} clients", found))
        ratio = found["per_s"] / alone["per_s"] if alone["per_s"] else None
        say(f"batched         {'no figure' if ratio is None else f'{ratio:.2f} times as many'}")
        growth = found["mib_after"] / found["mib_before"] - 1
        levels = [found["mib_before"], found["mib_after"], found["mib_most"]]
        say("memory          {:.0f} MiB before, {:.0f} after, {:.0f} at most".format(*levels))
        document = {
            "model": name, "cores": os.cpu_count(), "load": os.getloadavg()[0],
            "start_s": server.start_s, "alone": alone, "together": found, "ratio": ratio,
            "memory_growth": growth, "exit": server.stop(),
        }  # fmt: skip
        say(f"ended with      {document['exit']}")
        if options.kill:
            killed = document["kill"] = kills(name, store, options.kill, say)
            open_ones = sum(killed["streams_cut_off"])
            say(f"killed          {killed['times']} times, {open_ones} streams cut off: "
                f"{killed['acknowledged']} acknowledged, {len(killed['lost'])} lost, "
                f"start at most {killed['slowest_start_s']:.1f} s")  # fmt: skip
    return document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    document = measure(options, (lambda line: None) if options.json else flushed)
    if options.json:
        print(json.dumps(document, indent=2))
    failed = [code for code in document["together"]["codes"] if code not in ("200", "429")]
    if failed or document["together"]["broken"] or document.get("kill", {}).get("lost"):
        sys.exit("some requests failed, or what was acknowledged is lost; see above")


def flushed(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
