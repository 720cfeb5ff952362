"""The answer term: 1 for a right answer, 0 for any other; by the one scorer of the package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pixelis.answers import AnswerType, correct
from pixelis.episode import Episode


class Gold(NamedTuple):
    """What is right.

    Attributes:
        answers: any of which counts (for `list`: the entries); empty when nobody can tell from
            the pixels, and then only saying so is right.
        answer_type: decides how answers are compared.
        choices: texts of an `option` question, in the order A, B, C, ...
        tolerance: relative tolerance of a `number`.
    """

    answers: Sequence[str]
    answer_type: AnswerType = "text"
    choices: Sequence[str] | None = None
    tolerance: float = 0.0


def answer(episode: Episode, gold: Gold) -> float:
    """1.0 when the episode's answer is right, else 0.0; an episode without one is wrong."""
    given = episode.answer
    if given is None:
        return 0.0
    if not gold.answers:
        pointed = episode.meta.get("unknown_references")  # at nothing, which nobody meant to say
        return float(not given.known and not pointed)
    if not given.known:
        return 0.0
    choices = gold.choices or None
    return float(correct(given.text, list(gold.answers), gold.answer_type, choices, gold.tolerance))
