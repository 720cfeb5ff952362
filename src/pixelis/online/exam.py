"""Labelled questions of online learning: frozen exams or files; the canary's are answered greedily
with whatever is worn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pixelis.agent import Agent, Task
from pixelis.data import tasks
from pixelis.episode import Episode
from pixelis.errors import ConfigError
from pixelis.evals.exams import read_exam
from pixelis.evals.jsonl import read_jsonl
from pixelis.evals.question import Benchmark, Question
from pixelis.evals.worlds import question_of
from pixelis.evolve.calibration import error
from pixelis.evolve.canary import Health

EXAM = "exam:"  # before the name of a frozen exam, in place of a path
SEED = 20270317  # of the worlds' canary; no other set is drawn with it
FAMILIES = (
    "text_extraction", "attribute_recognition", "object_counting", "geometric_comparison",
    "spatial_reasoning", "relationship_detection",
)  # fmt: skip


class Mark(NamedTuple):
    """How one question went.

    Attributes:
        surprise: mean over turns of minus the log of the mean token probability, in nats.
        ops, failed: operations used, and those that did not work.
    """

    right: bool
    confidence: float
    surprise: float
    ops: int
    failed: int


def read_set(given: Path, purpose: str) -> Benchmark:
    """Labelled questions: `exam:NAME` for the frozen exam made for this purpose, or a file.

    ConfigError for the exam of another purpose: what is learned or chosen by an exam says nothing
    there any more. DataError for a file that cannot be read.
    """
    name = str(given)
    if not name.startswith(EXAM):
        return read_jsonl(given)
    if name != EXAM + purpose:
        raise ConfigError(
            f"{name}: only the exam made for it may be used; give {EXAM}{purpose}, or FILE.jsonl "
            "in the form of `pixelis eval jsonl`"
        )
    return read_exam(purpose)


def pool(path: Path | None, size: int, model: str) -> Benchmark:
    """The frozen questions: an exam's, a file's, or for nano those of the worlds.

    Raises ConfigError for another model without a file: nobody can tell what it must keep doing.
    """
    if path is not None:
        return read_set(path, "canary")
    if not model.startswith("nano"):
        raise ConfigError(
            "learning needs a canary: labelled questions that must not get worse; give --canary "
            "exam:canary, or FILE.jsonl in the form of `pixelis eval jsonl`"
        )
    ids = tuple(f"canary-{index}" for index in range(size))

    def load(index: int) -> Question:
        return question_of(tasks.draw(SEED, index, "train", FAMILIES), ids[index])

    return Benchmark("worlds", ids, load, {"seed": SEED, "limit": size}, frozen=True)


class Examiner:
    """Asks questions of the pool."""

    def __init__(self, agent: Agent, questions: Benchmark) -> None:
        self.agent, self.questions = agent, questions
        self._places = {name: place for place, name in enumerate(questions.ids)}

    @property
    def ids(self) -> tuple[str, ...]:
        return self.questions.ids

    def look(self, ids: Sequence[str]) -> list[Mark]:
        """Marks of these questions, in order, with the adapters that are worn now."""
        asked = [self.questions.load(self._places[name]) for name in ids]
        episodes = self.agent.ask_many([Task(one.media, one.asked) for one in asked])
        return [mark(one, episode) for one, episode in zip(asked, episodes, strict=True)]


def mark(question: Question, episode: Episode) -> Mark:
    """How a question went."""
    sure = [step.confidence for step in episode.steps if step.confidence]
    seen = episode.observations
    return Mark(
        question.judge(episode.answer).correct,
        (episode.answer.confidence or 0.0) if episode.answer else 0.0,
        sum(-math.log(value) for value in sure) / len(sure) if sure else 0.0,
        len(seen),
        sum(one.error is not None for one in seen),
    )


def health(marks: Sequence[Mark]) -> Health:
    """Entropy, share of operations that worked, and calibration error over some questions."""
    ops = sum(one.ops for one in marks)
    return Health(
        sum(one.surprise for one in marks) / max(1, len(marks)),
        1.0 - sum(one.failed for one in marks) / ops if ops else 1.0,
        error([one.confidence for one in marks], [one.right for one in marks]),
    )
