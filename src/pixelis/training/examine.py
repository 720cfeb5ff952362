"""What a model in training can do: it answers held-out questions through the agent loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pixelis.agent import Agent, Budget, Task
from pixelis.episode import Episode
from pixelis.media import Picture, Video
from pixelis.models.local import LocalPolicy
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.models.processor import PixelProcessor
from pixelis.training.material import Sample

AT_ONCE = 16  # pictures opened together


class Marks(NamedTuple):
    """How an examination went.

    Attributes:
        asked: questions, `right` of them answered rightly.
        calls: operations called, `failed` of them in vain.
    """

    asked: int
    right: int
    calls: int
    failed: int

    @property
    def accuracy(self) -> float:
        return self.right / self.asked if self.asked else 0.0

    def values(self) -> dict[str, float]:
        """As they stand in `metrics.jsonl`."""
        return {
            "held_out": self.accuracy,
            "held_out_asked": float(self.asked),
            "calls": self.calls / max(self.asked, 1),
            "failed_calls": self.failed / max(self.calls, 1),
        }


@dataclass(frozen=True)
class Examiner:
    """Asks the same questions every time, greedily.

    Attributes:
        samples: held out; what their episodes did is not looked at, only question and gold.
        budget: of each episode.
        half: whether it answers in bf16, as it is trained.
    """

    samples: Sequence[Sample]
    processor: PixelProcessor
    profile: Profile
    budget: Budget
    half: bool = False

    def ask(self, model: Any) -> tuple[Marks, list[Episode]]:
        """The marks and the episodes, in the order of the samples; the model is left in the mode
        it was in, and random numbers are where they were."""
        episodes: list[Episode] = []
        with (
            answering(model, self.processor, self.profile, self.half) as policy,
            Agent(policy, budget=self.budget) as agent,
        ):
            for start in range(0, len(self.samples), AT_ONCE):
                episodes += _answers(agent, self.samples[start : start + AT_ONCE])
        return marks(self.samples, episodes), episodes

    def show(self, model: Any, folder: Path, step: int, count: int = 2) -> list[Path]:
        """Traces of the first questions as pages to look at: `FOLDER/step-000100-0.html`."""
        folder.mkdir(parents=True, exist_ok=True)
        pages = []
        with (
            answering(model, self.processor, self.profile, self.half) as policy,
            Agent(policy, budget=self.budget) as agent,
        ):
            for number, sample in enumerate(self.samples[:count]):
                with sample.open() as media:
                    page = folder / f"step-{step:06d}-{number}.html"
                    agent.ask(media, sample.episode.question).save(page)
                    pages.append(page)
        return pages

    def part(self, rank: int, world: int) -> Examiner:
        """The examiner of one process among several."""
        return replace(self, samples=self.samples[rank::world])


class HalfPolicy(LocalPolicy):
    """Takes its turns under bf16 autocast; weights that are learned are in fp32."""

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        with torch.autocast(self.model.device.type, torch.bfloat16):
            return super().generate(requests, sampling)


def _answers(agent: Agent, samples: Sequence[Sample]) -> list[Episode]:
    opened: list[Picture | Video] = [sample.open() for sample in samples]
    pairs = zip(opened, samples, strict=True)
    try:
        return agent.ask_many([Task(media, sample.episode.question) for media, sample in pairs])
    finally:
        for media in opened:
            media.close()


def marks(samples: Sequence[Sample], episodes: Sequence[Episode]) -> Marks:
    """The marks of these episodes."""
    right = sum(
        one.is_right(episode.answer) for one, episode in zip(samples, episodes, strict=True)
    )
    seen = [observation for episode in episodes for observation in episode.observations]
    failed = sum(observation.error is not None for observation in seen)
    return Marks(len(episodes), right, len(seen), failed)


@contextmanager
def answering(
    model: Any, processor: PixelProcessor, profile: Profile, half: bool = False
) -> Iterator[LocalPolicy]:
    """The model as a policy for a while; training goes on as if nothing had been asked."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    was_training, kept = model.training, inner.generation_config
    cached = inner.config.get_text_config().use_cache
    devices = [inner.device] if inner.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        try:
            inner.config.get_text_config().use_cache = True
            yield (HalfPolicy if half else LocalPolicy)(inner, processor, profile)
        finally:
            inner.generation_config = kept
            inner.config.get_text_config().use_cache = cached
            inner.model.rope_deltas = None  # of the last batch; training rows have their own
            model.train(was_training)
