"""The agent as a user meets it: load a model, ask questions, get episodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from pixelis.agent.background import Background
from pixelis.agent.batcher import PATIENCE_S, Batcher, Counts
from pixelis.agent.budget import Budget
from pixelis.agent.loop import OnStep, Parts, Rollout, Task, fresh_workspace, roll_out
from pixelis.agent.save import save
from pixelis.episode import Episode, Media
from pixelis.errors import MediaError
from pixelis.geometry import Size
from pixelis.media import Limits, Picture, Video, open_media
from pixelis.models.dialects import get_dialect
from pixelis.models.dialects.pick import in_dialect
from pixelis.models.load import load_policy
from pixelis.models.policy import Policy, Sampling
from pixelis.ops.registry import REGISTRY, Registry
from pixelis.ops.workspace import Workspace

T = TypeVar("T")
OnDone = Callable[[int, Episode], None]
LOADING = ("device", "threads", "quantize", "allow_download", "min_pixels", "max_pixels")


class Agent:
    """Answers questions about pictures and videos by looking.

    Every episode of an agent goes through its one batcher, from whatever thread it is asked; so
    concurrent questions share generate calls. Close it (or use `with`) to end its threads.

    Args:
        policy: takes the turns.
        registry: the operations it may call.
        budget: limits of an episode that brings none.
        sampling: of an episode that brings none; greedy by default.
        concurrency: most episodes under way at once.
        max_batch: most turns in one generate call.
        workers: threads that run operations.
        patience_s: longest wait of a generate call for episodes that are busy with operations;
            with `math.inf` who shares a call does not depend on the clock.
        limits: on media it opens.
        dialect: spoken instead of the one in the policy's profile.

    Raises:
        ConfigError: there is no such dialect.
    """

    def __init__(
        self,
        policy: Policy,
        registry: Registry = REGISTRY,
        budget: Budget | None = None,
        sampling: Sampling | None = None,
        concurrency: int = 64,
        max_batch: int = 32,
        workers: int = 2,
        limits: Limits | None = None,
        dialect: str | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.policy = policy
        self.profile = in_dialect(policy.profile, dialect or policy.profile.dialect)
        self.registry = registry
        self.budget = budget or Budget()
        self.sampling = sampling or Sampling()
        self.limits = limits
        self._dialect = get_dialect(self.profile.dialect)
        self._sizes = (concurrency, max_batch, workers)
        self._patience_s = patience_s
        self._background = Background(f"pixelis-agent-{policy.name}")
        self._parts: Parts | None = None
        self._places: asyncio.Semaphore | None = None

    @classmethod
    def load(cls, spec: str = "nano", **settings: Any) -> Agent:
        """An agent around `load_policy(spec)`.

        Args:
            spec: `nano`, `nano-direct`, `hf:PATH_OR_ID`, `loader:package.module:function` or
                `openai:BASE_URL#MODEL`.
            **settings: `device`, `threads`, `quantize`, `allow_download`, `min_pixels` and
                `max_pixels` go to the policy, the rest to `Agent`.
        """
        options = {name: settings.pop(name) for name in LOADING if name in settings}
        return cls(load_policy(spec, **options), **settings)

    def ask(
        self,
        media: Any,
        question: str,
        on_step: OnStep | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        sampling: Sampling | None = None,
        workspace: Workspace | None = None,
    ) -> Episode:
        """Answers one question; `episode.save("trace.html")` writes what it did.

        Args:
            media: path, bytes, data URL, PIL image, array, or an opened picture or video.
            on_step: called with each step as it happens, from the agent's thread; keep it short.
            workspace: a fresh one from `workspace(media)`, to look into afterwards.

        Raises:
            MediaError: the media cannot be used.
        """
        task = Task(media, question, seed, budget, sampling, workspace=workspace)
        episode = self._wait([self.submit(task, on_step)])[0].episode
        return episode.saved_by(
            lambda episode, path: save(episode, path, media, self.registry, self.limits)
        )

    def workspace(self, media: Picture | Video) -> Workspace:
        """A fresh workspace for one question about opened media.

        Give it to `ask` and it keeps what the episode saw (images, masks, frames), for a trace.
        """
        return fresh_workspace(media, self.profile, self._dialect)

    def ask_many(
        self, tasks: Sequence[Task | tuple[Any, str]], on_done: OnDone | None = None
    ) -> list[Episode]:
        """Answers many questions at once; the episodes come in the order of the tasks.

        Args:
            tasks: tasks or pairs of media and question.
            on_done: called with the index and episode of each as it ends, in any order, from the
                agent's thread.

        Media that cannot be used gives a failed episode with the reason in `meta["error"]`.
        """
        return [rollout.episode for rollout in self.rollouts(tasks, on_done)]

    def rollouts(
        self, tasks: Sequence[Task | tuple[Any, str]], on_done: OnDone | None = None
    ) -> list[Rollout]:
        """Like `ask_many`, with the conversations, images and sampled tokens."""
        todo = [task if isinstance(task, Task) else Task(*task) for task in tasks]

        async def one(index: int, task: Task) -> Rollout:
            try:
                rollout = await self._play(task, None)
            except MediaError as error:
                rollout = Rollout(self.unusable(task, error))
            if on_done is not None:
                on_done(index, rollout.episode)
            return rollout

        async def everyone() -> list[Rollout]:
            # In one go, so that the first wait for the last: all take their first turn together.
            return await asyncio.gather(*(one(i, task) for i, task in enumerate(todo)))

        return self._wait([self._background.submit(everyone())])[0]

    def submit(self, task: Task, on_step: OnStep | None = None) -> Future[Rollout]:
        """Starts an episode and gives its future; cancelling that ends it. For servers."""
        return self._background.submit(self._play(task, on_step))

    @property
    def counts(self) -> Counts:
        """What the batcher has done since the first question; nothing before it."""
        return Counts() if self._parts is None else self._parts.batcher.counts

    def close(self) -> None:
        """Cancels episodes under way and ends the threads; the next question starts anew."""
        if self._parts is not None:
            self._background.submit(self._parts.batcher.close()).result()
        self._parts = self._places = None
        self._background.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _wait(self, futures: Sequence[Future[T]]) -> list[T]:
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()  # does nothing to those that are done

    async def _play(self, task: Task, on_step: OnStep | None) -> Rollout:
        parts, places = self._shared()
        async with places:
            if isinstance(task.media, Picture | Video):
                return await roll_out(parts, task, task.media, on_step)
            media = await parts.batcher.operate(open_media, task.media, self.limits)
            try:
                return await roll_out(parts, task, media, on_step)
            finally:
                if isinstance(media, Video):
                    media.close()

    def _shared(self) -> tuple[Parts, asyncio.Semaphore]:
        """The batcher and the places; made on the loop, so only its thread touches them."""
        if self._parts is None or self._places is None:
            concurrency, max_batch, workers = self._sizes
            batcher = Batcher(self.policy, max_batch, workers, self._patience_s)
            self._parts = Parts(
                batcher, self.registry, self._dialect, self.profile, self.budget, self.sampling
            )
            self._places = asyncio.Semaphore(concurrency)
        return self._parts, self._places

    def unusable(self, task: Task, error: MediaError) -> Episode:
        """The failed episode of a task whose media cannot be used."""
        media = Media("picture", str(task.media)[:200], Size(0, 0), "")
        return Episode(
            task.question,
            media,
            id=task.id or "",
            model=self.policy.name,
            dialect=self._dialect.name,
            seed=task.seed,
            ended="failed",
            meta={**task.meta, "error": f"MediaError: {error}"},
        )
