"""Traps: episodes that look right and end wrong, for evaluation and as material for RFT.

The calls and their observations are those of the golden episode. `perceptual`: what came back is
misread; `logical`: it is read rightly and the wrong conclusion is drawn. They are marked in
`meta["trap"]`, verified to be wrong, and never imitated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pixelis.answers.reference import expand, handles_of
from pixelis.answers.score import correct
from pixelis.answers.types import CANNOT
from pixelis.data.tasks import Task, wrong_answers
from pixelis.episode import Answer, Episode, Step
from pixelis.models.dialects.qwen3 import Qwen3

TRAPS = ("perceptual", "logical")
# plans whose answer is a conclusion
DEDUCED = ("compare", "side", "same", "follow", "count", "seek")
_DIALECT = Qwen3()


def trapped(task: Task, golden: Episode, rng: np.random.Generator) -> Episode | None:
    """The golden episode with a wrong end; None when none can be made of it."""
    if golden.answer is None or not golden.answer.known:
        return None
    if not golden.answer.evidence and task.plan.kind != "count":
        return None
    logical = list(_logical(task, golden))
    perceptual = list(_perceptual(task, golden))
    wants = "logical" if rng.random() < 0.5 else "perceptual"
    choices = {"logical": logical, "perceptual": perceptual}
    for kind in (wants, *(name for name in TRAPS if name != wants)):
        found = [one for one in choices[kind] if _is_wrong(task, golden, one[0])]
        if found:
            raw, thought = found[int(rng.integers(min(2, len(found))))]
            return _ended(golden, raw, thought, kind)
    return None


def _logical(task: Task, golden: Episode) -> Iterator[tuple[str, str]]:
    """Wrong conclusions (raw answer, thought) from what was rightly observed."""
    thought, cited = golden.steps[-1].thought, _cited(golden)
    if task.plan.kind in DEDUCED and task.answer_type != "number":
        for wrong in (*_rivals(task), *wrong_answers(task)[:1]):
            yield f"{wrong}{cited}", thought
    handle = golden.answer.evidence[-1] if golden.answer and golden.answer.evidence else ""
    if task.plan.kind in ("measure", "frame", "label") and handle.startswith("mask_"):
        for field in ("shape", "color", "position"):
            if field != task.plan.field:
                yield f"{{{handle}.{field}}}", f"its {field} is what is asked"
    if handle.startswith("text_"):
        lines = handles_of(golden.observations)[handle].get("lines", ())
        for number in range(1, len(lines) + 1):
            yield f"{{{handle}.line_{number}}}", f"line {number} is what is asked"


def _perceptual(task: Task, golden: Episode) -> Iterator[tuple[str, str]]:
    """Misread observations (raw answer, thought)."""
    cited = _cited(golden)
    if task.plan.kind == "count":
        for wrong in wrong_answers(task):
            yield f"{wrong}{cited}", golden.steps[-1].thought.rpartition(";")[0]
        return
    for wrong in (*_rivals(task), *wrong_answers(task)):
        yield f"{wrong}{cited}", f"I see {wrong}"


def _rivals(task: Task) -> tuple[str, ...]:
    """The other things the question speaks of."""
    return tuple(name for name in (*task.plan.names, *task.plan.words) if name != task.answer)


def _cited(golden: Episode) -> str:
    assert golden.answer is not None
    return f" [{', '.join(golden.answer.evidence)}]" if golden.answer.evidence else ""


def _is_wrong(task: Task, golden: Episode, raw: str) -> bool:
    """Whether the answer, references expanded, is one, and is not right."""
    expansion = expand(raw, handles_of(golden.observations))
    text = expansion.text
    if expansion.unknown or not text.strip() or text.startswith(CANNOT):
        return False
    return not correct(text, task.answer, task.answer_type)


def _ended(golden: Episode, raw: str, thought: str, kind: str) -> Episode:
    expansion = expand(raw, handles_of(golden.observations))
    answer = Answer(expansion.text, raw, expansion.evidence)
    step = Step(thought, answer=answer)
    step = replace(step, text=_DIALECT.turn(step))
    steps = (*golden.steps[:-1], step)
    return replace(golden, steps=steps, answer=answer, meta={**golden.meta, "trap": kind})
