"""Load: everybody is answered, turns are shared, nothing is left behind, memory stays flat."""

from __future__ import annotations

import asyncio
import collections
import threading
import time

import httpx
import psutil
import pytest
from server_rig import Slow, about

CLIENTS = 20
MIB = 2**20


async def ask(base: str, count: int) -> collections.Counter:
    """Status codes of `count` requests from CLIENTS clients."""
    codes: collections.Counter = collections.Counter()
    body = {"model": "slow", "messages": about("Where?")}
    left = count

    async def client(http: httpx.AsyncClient) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            reply = await http.post(f"{base}/v1/chat/completions", json=body)
            codes[reply.status_code] += 1

    async with httpx.AsyncClient(timeout=300) as http:
        await asyncio.gather(*(client(http) for _ in range(CLIENTS)))
    return codes


def test_many_clients_share_the_model_and_leave_nothing_behind(serve):
    policy = Slow(0.02)
    served = serve(policy, rate=0, keep=10)
    asyncio.run(ask(served.base, 60))
    before = psutil.Process().memory_info().rss / MIB
    policy.batches.clear()
    codes = asyncio.run(ask(served.base, 200))
    after = psutil.Process().memory_info().rss / MIB
    assert codes == {200: 200}
    turns = sum(policy.batches)
    assert turns == 400
    assert len(policy.batches) <= turns / 2
    assert after < before * 1.1
    metrics = served.office.metrics
    assert (metrics.waiting._value.get(), metrics.running._value.get()) == (0, 0)
    assert served.office.desk._taken == 0
    assert len(served.office.recent.newest(None, 1000)) == 10


def test_more_than_there_is_room_for_is_told_and_the_rest_is_answered(serve):
    served = serve(Slow(0.05), rate=0, concurrency=2, queue=3)
    codes = asyncio.run(ask(served.base, 40))
    assert set(codes) == {200, 429}
    assert codes[200] >= 5
    assert served.office.desk._taken == 0
    text = served.office.metrics.text().decode()
    assert f'pixelis_refused_total{{code="queue_full"}} {float(codes[429])}' in text


def test_holding_does_not_wait_for_those_who_wait(serve):
    """A full queue must not put a swap of adapters off: it takes one answer, not the queue."""
    served = serve(Slow(0.1), concurrency=1, queue=30, rate=0)
    desk, running = served.office.desk, served.office.metrics.running._value

    async def hold_before_a_queue() -> tuple[float, int]:
        async with httpx.AsyncClient(timeout=60) as http:
            body = {"model": "slow", "messages": about("Where?")}
            asked = [
                asyncio.ensure_future(http.post(f"{served.base}/v1/chat/completions", json=body))
                for _ in range(12)
            ]
            while served.office.metrics.waiting._value.get() < 10:
                await asyncio.sleep(0.01)
            held = asyncio.run_coroutine_threadsafe(desk.hold(), served.loop)
            await asyncio.wrap_future(held)
            done = sum(one.done() for one in asked)
            assert running.get() == 0
            served.loop.call_soon_threadsafe(desk.let_go)
            return done, [reply.status_code for reply in await asyncio.gather(*asked)]

    done, codes = asyncio.run(hold_before_a_queue())
    assert done <= 4
    assert codes == [200] * 12


def test_media_that_nobody_waits_for_any_more_are_closed(serve, monkeypatch):
    closed, opening = threading.Event(), threading.Event()

    class Opened:
        def close(self) -> None:
            closed.set()

    def slowly(source, limits):
        opening.set()
        time.sleep(0.5)
        return Opened()

    served = serve(Slow())
    monkeypatch.setattr("pixelis.server.desk.open_source", slowly)
    body = {"model": "slow", "messages": about("Where?")}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{served.base}/v1/chat/completions", json=body, timeout=0.3)
    assert opening.wait(5)
    assert closed.wait(5)


def test_holding_lets_open_answers_end_and_new_ones_wait(serve):
    served = serve(Slow(0.2), concurrency=3)
    desk = served.office.desk

    async def hold_while_asking() -> tuple[bool, int]:
        async with httpx.AsyncClient(timeout=60) as http:
            body = {"model": "slow", "messages": about("Where?")}
            post = lambda: http.post(f"{served.base}/v1/chat/completions", json=body)  # noqa: E731
            early = asyncio.ensure_future(post())
            while served.office.metrics.running._value.get() == 0:
                await asyncio.sleep(0.01)
            held = asyncio.run_coroutine_threadsafe(desk.hold(), served.loop)
            await asyncio.wrap_future(held)
            ended = served.office.metrics.running._value.get() == 0
            late = asyncio.ensure_future(post())
            await asyncio.sleep(1.0)
            waited = not late.done() and served.office.metrics.running._value.get() == 0
            served.loop.call_soon_threadsafe(desk.let_go)
            codes = (await early).status_code, (await late).status_code
            return ended and waited, sum(code == 200 for code in codes)

    assert asyncio.run(hold_while_asking()) == (True, 2)
