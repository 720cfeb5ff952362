"""The desk: takes questions in as far as there is room, and has the agents answer them.

All questions to one model go through its one batcher, whoever asks. The desk belongs to one event
loop; agents have their own.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from pixelis.agent import Agent, Budget, Rollout, Task
from pixelis.episode import Step
from pixelis.media import Picture, Video
from pixelis.media.source import Source
from pixelis.models.policy import Sampling
from pixelis.ops.workspace import Workspace
from pixelis.server.metrics import Metrics
from pixelis.server.question import limits_of, open_source
from pixelis.server.refusal import RefusalError, busy
from pixelis.server.settings import Settings

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
OnStep = Callable[[Step, Workspace], None]
OnOpen = Callable[[], None]


@dataclass(frozen=True)
class Asked:
    """One question to one model, for one answer.

    Attributes:
        until: by the monotonic clock; an answer that is not there by then is too late.
        new_tokens: most tokens of a turn, None takes the model's.
    """

    model: str
    source: Source
    text: str
    seed: int
    sampling: Sampling
    steps: int
    until: float
    new_tokens: int | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])


@dataclass(frozen=True)
class Played:
    """An episode with the workspace it left behind (its clip is closed).

    Attributes:
        version: of the adapters that answered; 0 is the model without any.
    """

    asked: Asked
    rollout: Rollout
    workspace: Workspace
    version: int = 0


class Desk:
    """Args:
    agents: by the name under which clients ask for them; the first is the default.
    version: of the adapters that a model wears now; it changes only while the desk is held.

    Attributes:
        stopping: whether no more questions are taken.
    """

    def __init__(
        self,
        agents: Mapping[str, Agent],
        settings: Settings,
        metrics: Metrics,
        version: Callable[[str], int] = lambda model: 0,
    ) -> None:
        self.agents = dict(agents)
        self.settings, self.metrics = settings, metrics
        self.limits = limits_of(settings)
        self.version = version
        self.stopping = self._cut = False
        self._taken = self._playing = 0
        self._tasks: set[asyncio.Task] = set()
        self._free, self._idle = asyncio.Event(), asyncio.Event()
        self._free.set()
        self._places = asyncio.Semaphore(settings.concurrency)
        self._pool = ThreadPoolExecutor(4, "pixelis-desk")
        metrics.watch(self.agents)

    @property
    def open_answers(self) -> int:
        """How many are waited for."""
        return self._taken

    def agent(self, model: str) -> Agent:
        """The agent behind a name; RefusalError 404 that lists the names."""
        if model not in self.agents:
            there = ", ".join(self.agents)
            raise RefusalError(404, f"model {model!r} is not here; models are {there}",
                          "model_not_found", "model")  # fmt: skip
        return self.agents[model]

    @asynccontextmanager
    async def admitted(self, count: int) -> AsyncIterator[None]:
        """Room for `count` answers; RefusalError 429 when the queue is full, 503 at the end.

        What this task does within is ended by `cut`.
        """
        if self.stopping:
            raise _stopped("the server is stopping; ask again soon")
        if self._taken + count > self.settings.concurrency + self.settings.queue:
            raise busy("too many questions are waiting; ask again in a moment", "queue_full")
        task = asyncio.current_task()
        assert task is not None, "it is called on the loop"
        self._taken += count
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError as error:
            if not self._cut:
                raise
            task.uncancel()
            raise _stopped("the server stopped before this was done; ask again soon") from error
        finally:
            self._tasks.discard(task)
            self._taken -= count

    async def play(
        self, asked: Asked, on_step: OnStep | None = None, on_open: OnOpen | None = None
    ) -> Played:
        """Plays one episode; cancelling ends it. Call it `admitted`.

        Args:
            on_step: called on this loop, in order, with the workspace the step was taken in.
            on_open: called once the media can be used, before the first step.

        Raises:
            RefusalError: the media cannot be used (400), the time is over (504), the model failed
                (502).
        """
        self.metrics.waiting.inc()
        try:
            await self._wait_for_place(asked)
        finally:
            self.metrics.waiting.dec()
        self.metrics.running.inc()
        self._playing += 1
        try:
            return await self._play(asked, on_step, on_open)
        except asyncio.CancelledError:
            if not self._cut:  # who asked has left
                self.metrics.cancelled.inc()
            raise
        finally:
            self.metrics.running.dec()
            self._places.release()
            self._playing -= 1
            if not self._playing:
                self._idle.set()

    async def hold(self) -> None:
        """Returns once nothing is being answered; new questions wait until `let_go`.

        Those that wait already wait on, so it takes as long as the longest answer under way.
        """
        self._free.clear()
        try:
            while self._playing:
                self._idle.clear()
                await self._idle.wait()
        except BaseException:
            self.let_go()
            raise

    def let_go(self) -> None:
        """Ends what `hold` began."""
        self._free.set()

    async def work(self, run: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`run(...)` in a thread beside the loop."""
        future = self._pool.submit(run, *args, **kwargs)
        return await asyncio.wrap_future(future)

    def stop(self) -> None:
        """Takes no more questions; those under way go on."""
        self.stopping = True

    def cut(self) -> None:
        """Ends the questions under way; those who asked get RefusalError 503."""
        self._cut = True
        for task in self._tasks:
            task.cancel()

    def close(self) -> None:
        """Ends what still runs."""
        self.stop()
        for agent in self.agents.values():
            agent.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _wait_for_place(self, asked: Asked) -> None:
        try:
            async with asyncio.timeout(asked.until - time.monotonic()):
                await self._places.acquire()
                try:
                    await self._free.wait()
                except BaseException:
                    self._places.release()
                    raise
        except TimeoutError as error:
            raise _late(self.settings) from error

    async def _play(self, asked: Asked, on_step: OnStep | None, on_open: OnOpen | None) -> Played:
        agent = self.agents[asked.model]
        version = self.version(asked.model)
        media = await self._open(asked.source)
        try:
            workspace = await self.work(agent.workspace, media)
            left = asked.until - time.monotonic()
            if left <= 0:
                raise _late(self.settings)
            task = Task(
                media,
                asked.text,
                asked.seed,
                Budget(steps=asked.steps, new_tokens=asked.new_tokens, seconds=left),
                asked.sampling,
                asked.id,
                workspace=workspace,
            )
            if on_open is not None:
                on_open()
            told = None if on_step is None else self._here(on_step, workspace)
            rollout = await asyncio.wrap_future(agent.submit(task, told))
        finally:
            self._pool.submit(media.close)
        self.metrics.played(asked.model, rollout, (one.name for one in agent.registry))
        _check(rollout, self.settings)
        return Played(asked, rollout, workspace, version)

    async def _open(self, source: Source) -> Picture | Video:
        """The media; they are closed also when nobody waits for them any more."""
        job = self._pool.submit(open_source, source, self.limits)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            job.add_done_callback(_close)
            raise

    def _here(self, on_step: OnStep, workspace: Workspace) -> Callable[[Step], None]:
        """The callback for the agent's thread: it only passes the step on to this loop."""
        loop = asyncio.get_running_loop()

        def tell(step: Step) -> None:
            loop.call_soon_threadsafe(on_step, step, workspace)

        return tell


def _close(job: Future[Picture | Video]) -> None:
    if not job.cancelled() and job.exception() is None:
        job.result().close()


def _check(rollout: Rollout, settings: Settings) -> None:
    episode = rollout.episode
    if episode.ended == "time" and episode.answer is None:
        raise _late(settings)
    if episode.ended == "failed":
        log.error("episode %s failed: %s", episode.id, episode.meta.get("error"))
        reason = f"the model failed; the server's log says why (episode {episode.id})"
        raise RefusalError(502, reason, "model_failed")


def _late(settings: Settings) -> RefusalError:
    reason = f"no answer within {settings.timeout_s:g} s; ask again, or for less"
    return RefusalError(504, reason, "timeout")


def _stopped(reason: str) -> RefusalError:
    return RefusalError(503, reason, "stopping", headers={"Retry-After": "5"})
