"""What a run of reinforcement fine-tuning asks: questions with their gold answers and media.

They come from files of episodes, of which only question, gold and media are used, or are drawn from
the worlds, each one new. Which ones a step asks is a function of the seed and the step's number, so
a run that goes on asks what it would have asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pixelis.data import tasks
from pixelis.media import Picture, Video, open_media
from pixelis.rewards import Gold
from pixelis.training.material import Sample
from pixelis.training.sampling import Order, balanced


@dataclass(frozen=True)
class Question:
    """A question about media.

    Attributes:
        open: gives the media, opened; a video anew each time, for one episode.
    """

    id: str
    text: str
    gold: Gold
    family: str
    open: Callable[[], Picture | Video]


class Questions(Protocol):
    """Where questions come from."""

    def at(self, step: int, count: int) -> list[Question]:
        """`count` questions of a step; the same ones every time."""
        ...


class Drawn:
    """New questions about procedural scenes, never the same twice.

    Args:
        families: of `pixelis.data.tasks`.
        difficulty: `easy`, `medium`, `hard`, or None for any.
    """

    def __init__(self, seed: int, families: Sequence[str], difficulty: str | None = None) -> None:
        self.seed, self.families, self.difficulty = seed, tuple(families), difficulty

    def at(self, step: int, count: int) -> list[Question]:
        places = range(step * count, (step + 1) * count)
        return [self._one(place) for place in places]

    def _one(self, place: int) -> Question:
        task = tasks.draw(self.seed, place, "train", self.families, self.difficulty)
        known = task.plan.kind != "unknown"
        gold = Gold((task.answer,) if known else (), task.answer_type)
        return Question(task.id, task.question, gold, task.family, lambda: open_media(task.source))


class Recorded:
    """Questions of recorded episodes, each once before any comes again, or as they are weighed.

    Args:
        balance: how many times more often a family may be asked than the rarest, 0 for any.
    """

    def __init__(self, samples: Sequence[Sample], seed: int, balance: float = 0.0) -> None:
        self.samples = list(samples)
        self.seed = seed
        families = [sample.family for sample in samples]
        self.chances = balanced([sample.weight for sample in samples], families, balance)

    def at(self, step: int, count: int) -> list[Question]:
        bands = tuple(sample.band for sample in self.samples)
        order = Order(self.chances, bands, count, self.seed)
        return [question_of(self.samples[index]) for index in order.at(step)]


def question_of(sample: Sample) -> Question:
    """The question of a recorded episode."""
    gold = Gold(sample.gold, sample.answer_type, sample.choices or None)
    name = sample.episode.id or sample.place
    return Question(name, sample.episode.question, gold, sample.family, sample.open)
