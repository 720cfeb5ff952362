"""Groups of episodes played by the model in training, through the one agent loop and batcher.

With `exact` every generate call waits for all episodes that are still under way, and its rows have
an order of their own: then who shares a call does not depend on how long operations took, and the
same weights play the same episodes on the same machine, to the last bit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from pixelis.agent import Agent, Budget, Rollout, Task
from pixelis.agent.batcher import PATIENCE_S
from pixelis.media import Picture, Video
from pixelis.models.policy import Policy, Profile, Request, Sampling, Turn
from pixelis.models.processor import PixelProcessor
from pixelis.ops.cache import Cache
from pixelis.ops.registry import REGISTRY
from pixelis.training.examine import answering
from pixelis.training.questions import Question


class Sorted:
    """A policy whose rows do not depend on who came first."""

    def __init__(self, inner: Policy) -> None:
        self.inner = inner
        self.name, self.profile = inner.name, inner.profile

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        order = sorted(range(len(requests)), key=lambda i: requests[i].seed)
        turns = self.inner.generate([requests[i] for i in order], sampling)
        placed = dict(zip(order, turns, strict=True))
        return [placed[i] for i in range(len(requests))]


class Group(NamedTuple):
    """A question and the episodes about it; `media` is the picture, None for a video."""

    question: Question
    rollouts: list[Rollout]
    media: Picture | None


@dataclass
class Player:
    """Plays groups.

    Attributes:
        budget: of each episode.
        max_batch: most turns in one generate call.
        workers: threads that run operations.
        half: whether the model answers in bf16, as it is trained.
        exact: see the module; else a call starts once the model is free.
        cache: remembers observations.
    """

    processor: PixelProcessor
    profile: Profile
    budget: Budget
    sampling: Sampling
    max_batch: int = 64
    workers: int = 2
    half: bool = False
    exact: bool = True
    cache: Cache | None = None

    def __post_init__(self) -> None:
        self.cache = self.cache or Cache(REGISTRY)

    def play(self, model: Any, questions: Sequence[Question], count: int, seed: int) -> list[Group]:
        """`count` episodes about each question.

        The model is left in the mode it was in, and random numbers are where they were.
        """
        with ExitStack() as stack:
            groups, todo = [], []
            for question in questions:
                media = _opened(stack, question, count)
                groups.append((question, media))
                seeds = [seed_of(seed, question.id, number) for number in range(count)]
                todo += [Task(one, question.text, n) for one, n in zip(media, seeds, strict=True)]
            with self.agent(model, len(todo)) as agent:
                played = iter(agent.rollouts(todo))
            made = []
            for question, media in groups:
                picture = media[0] if isinstance(media[0], Picture) else None
                made.append(Group(question, [next(played) for _ in media], picture))
            return made

    @contextmanager
    def agent(self, model: Any, concurrency: int) -> Any:
        """An agent around the model, which goes on training afterwards."""
        with answering(model, self.processor, self.profile, self.half) as policy:
            agent = Agent(
                Sorted(policy),
                self.cache or REGISTRY,
                self.budget,
                self.sampling,
                concurrency=concurrency,
                max_batch=self.max_batch,
                workers=self.workers,
                patience_s=math.inf if self.exact else PATIENCE_S,
            )
            with agent:
                yield agent


def seed_of(seed: int, name: str, number: int) -> int:
    """Of one episode: differs by run, question and place in the group."""
    digest = hashlib.sha256(f"{seed}/{name}/{number}".encode()).digest()
    return int.from_bytes(digest[:6])


def _opened(stack: ExitStack, question: Question, count: int) -> list[Picture | Video]:
    """The media for each episode of a group: one picture for all, a video for each."""
    first = question.open()
    if isinstance(first, Picture):
        return [first] * count
    videos = [first, *(question.open() for _ in range(count - 1))]
    for video in videos:
        stack.enter_context(video)  # type: ignore[arg-type]
    return list(videos)
