"""The one batcher: next turns of all running episodes in one generate, operations beside it.

The model runs in one thread, operations in a small pool. A batch starts when the model is free and
either every running episode waits for a turn, the batch is full, or `patience_s` has passed while
operations were still at work. A batch that fails is split, so one bad request fails alone.

A policy that takes many requests at once by itself (`abreast` above 1, as a server does) gains
nothing by that: there every request is passed on as it comes, and every episode goes on as soon as
its own turn is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from pixelis.errors import ModelError
from pixelis.models.policy import PartialError, Policy, Request, Sampling, Turn

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
PATIENCE_S = 0.05


@dataclass(frozen=True, eq=False)
class Waiting:
    """A request whose turn has not been taken."""

    request: Request
    sampling: Sampling
    reply: asyncio.Future[Turn]


@dataclass
class Counts:
    """What the batcher has done: generate calls, turns taken, the largest batch."""

    batches: int = 0
    turns: int = 0
    largest: int = 0


class Batcher:
    """Belongs to one running event loop; close it there.

    Args:
        policy: its `generate` is called from one thread at a time, or from as many as its `abreast`
            says; see `Policy`.
        max_batch: most turns in one generate call.
        workers: threads for operations.
        patience_s: longest wait for episodes that are still busy with operations.
    """

    def __init__(
        self, policy: Policy, max_batch: int = 32, workers: int = 2, patience_s: float = PATIENCE_S
    ) -> None:
        self.policy = policy
        self.max_batch = max_batch
        self.patience_s = patience_s
        self.counts = Counts()
        self._waiting: list[Waiting] = []
        self._operating = 0
        self._changed = asyncio.Event()
        self._abreast = int(getattr(policy, "abreast", 1))
        self._thinker = ThreadPoolExecutor(self._abreast, "pixelis-model")
        self._workers = ThreadPoolExecutor(workers, "pixelis-ops")
        self._server: asyncio.Task[None] | None = None

    async def turn(self, request: Request, sampling: Sampling) -> Turn:
        """The model's next turn; whatever `generate` raised for this request."""
        reply: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        waiting = Waiting(request, sampling, reply)
        if self._abreast > 1:
            await self._generate([waiting])
            return await reply
        if self._server is None:
            self._server = asyncio.create_task(self._serve())
        self._waiting.append(waiting)
        self._changed.set()
        return await reply

    async def operate(self, run: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`run(...)` in the pool. When cancelled it still waits for the thread to come back, so
        that nothing the thread uses is closed under it."""
        self._operating += 1
        job = self._workers.submit(run, *args, **kwargs)
        work = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if not job.cancel():
                await asyncio.wait([work])
                work.exception()  # looked at, or asyncio reports it as forgotten
            raise
        finally:
            self._operating -= 1
            self._changed.set()

    async def close(self) -> None:
        """Stops; requests still waiting are cancelled."""
        if self._server is not None:
            self._server.cancel()
            await asyncio.wait([self._server])
        for waiting in self._waiting:
            waiting.reply.cancel()
        self._waiting.clear()
        self._thinker.shutdown(wait=False, cancel_futures=True)
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def _serve(self) -> None:
        while True:
            await self._gather()
            group = self._take()
            if group:
                await self._generate(group)

    async def _gather(self) -> None:
        """Returns when a batch should start."""
        loop = asyncio.get_running_loop()
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        until = loop.time() + self.patience_s
        while self._operating and len(self._waiting) < self.max_batch:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), until - loop.time())
            except TimeoutError:
                return

    def _take(self) -> list[Waiting]:
        """The next batch: those who wait longest with the same sampling as the first."""
        self._waiting = [one for one in self._waiting if not one.reply.done()]
        if not self._waiting:
            return []
        sampling = self._waiting[0].sampling
        group = [one for one in self._waiting if one.sampling == sampling][: self.max_batch]
        taken = set(map(id, group))
        self._waiting = [one for one in self._waiting if id(one) not in taken]
        return group

    async def _generate(self, group: list[Waiting]) -> None:
        requests = [one.request for one in group]
        loop = asyncio.get_running_loop()
        outcomes: Sequence[Turn | ModelError]
        try:
            outcomes = await loop.run_in_executor(
                self._thinker, self.policy.generate, requests, group[0].sampling
            )
            if len(outcomes) != len(group):
                raise ModelError(f"policy gave {len(outcomes)} turns for {len(group)} requests")
        except PartialError as error:
            log.info("a part of a batch of %d failed", len(group), exc_info=True)
            outcomes = error.outcomes
        except Exception as error:  # named door: the failure belongs to a request, not to all
            log.info("a batch of %d failed", len(group), exc_info=True)
            await self._failed(group, error)
            return
        self.counts.batches += 1
        self.counts.turns += len(group)
        self.counts.largest = max(self.counts.largest, len(group))
        for one, outcome in zip(group, outcomes, strict=True):
            if one.reply.done():
                continue
            if isinstance(outcome, Turn):
                one.reply.set_result(outcome)
            else:
                one.reply.set_exception(outcome)

    async def _failed(self, group: list[Waiting], error: Exception) -> None:
        if len(group) == 1:
            if not group[0].reply.done():
                group[0].reply.set_exception(error)
            return
        middle = len(group) // 2
        await self._generate(group[:middle])
        await self._generate(group[middle:])
