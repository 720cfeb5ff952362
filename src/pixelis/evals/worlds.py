"""The benchmark of procedural questions: a frozen exam known by its hash, or fresh questions."""

from __future__ import annotations

from pixelis.data import tasks
from pixelis.errors import ConfigError
from pixelis.evals.question import UNKNOWN, Benchmark, Question

FROZEN_SEED = 20261207
SPLITS = ("test", "shift", "calibration")
EXAM_QUESTIONS = 500


def read_worlds(
    split: str = "test",
    seed: int | None = None,
    limit: int | None = None,
    families: tuple[str, ...] | None = None,
) -> Benchmark:
    """Questions drawn from the worlds.

    Args:
        split: `test` (the domains of training, other scenes), `shift` (domains and phrasings
            kept out of training) or `calibration` (as test, kept apart for that purpose).
        seed: None gives the frozen exam; a number gives fresh questions.
        limit: how many; None is the whole exam of 500.
        families: only these.
    """
    if split not in SPLITS:
        raise ConfigError(f"split {split!r} cannot be evaluated; give {', '.join(SPLITS)}")
    for name in families or ():
        if name not in tasks.FAMILIES:
            raise ConfigError(f"family {name!r} is not known; give {', '.join(tasks.FAMILIES)}")
    drawn_from = FROZEN_SEED if seed is None else seed
    count = EXAM_QUESTIONS if limit is None else limit

    ids = tuple(f"{split}-{drawn_from}-{index}" for index in range(count))

    def load(index: int) -> Question:
        task = tasks.draw(drawn_from, index, split, families)  # type: ignore[arg-type]
        return question_of(task, ids[index])

    chosen = list(families) if families else None
    settings = {"split": split, "seed": drawn_from, "limit": count, "families": chosen}
    return Benchmark("worlds", ids, load, settings, frozen=seed is None)


def question_of(task: tasks.Task, name: str) -> Question:
    """A task as the question called `name`; its truth stays with it for the oracle."""
    return Question(
        id=name,
        media=task.source,
        text=task.question,
        gold=task.answer,
        answer_type=UNKNOWN if task.plan.kind == "unknown" else task.answer_type,
        family=task.family,
        picture=name,
        difficulty=task.difficulty,
        domain=task.domain,
        task=task,
    )
