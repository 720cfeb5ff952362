"""What a person said of a question, and whether an answer agrees with it.

One question may come with a type of answer (from a stream) and without one (through the server),
and a normal form holds for one type only: "three" is "3" to both, "There are 3." is so as a number
alone. So answers of two kinds are brought to the normal form of the one and of the other, and are
the same when either makes them equal.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from pixelis.answers import ANSWER_TYPES, AnswerType, canonical
from pixelis.memory.experience import Experience


class Kind(NamedTuple):
    """How answers to a question are compared: its type, empty when unknown, and its choices."""

    answer_type: str = ""
    choices: tuple[str, ...] = ()

    def normal(self, answer: str) -> str:
        """The normal form of an answer; without a known type that of words."""
        kind = self.answer_type if self.answer_type in ANSWER_TYPES else "word"
        return canonical(answer, cast(AnswerType, kind), self.choices or None)


class Word(NamedTuple):
    """What a person said.

    Attributes:
        verdict: empty while a user's word waits for a reviewer.
        answer: the one that was confirmed, given or rejected.
        kind: of the question it was said of.
    """

    verdict: str
    answer: str
    kind: Kind

    def against(self, answer: str, kind: Kind) -> bool:
        """Whether an answer to that question may not be learned from votes."""
        if not self.verdict:
            return True
        agrees = same(self.answer, self.kind, answer, kind)
        return agrees if self.verdict == "reject" else not agrees


def kind_of(one: Experience) -> Kind:
    """How answers to the question of an experience are compared."""
    return Kind(one.answer_type, tuple(map(str, one.provenance.get("choices", ()))))


def same(first: str, one: Kind, second: str, other: Kind) -> bool:
    """Whether two answers mean the same, each given to a question of its kind."""
    # A letter means a choice of its own question, so it becomes that choice's words first.
    first = one.normal(first) if one.choices else first
    second = other.normal(second) if other.choices else second
    return any(kind.normal(first) == kind.normal(second) for kind in {one, other})


def word_of(one: Experience, waits: bool) -> Word | None:
    """What was said of an experience, None when nothing was.

    Args:
        waits: a review of it is open; of those only a user's word counts, no question of the gate.
    """
    verdicts = {"confirmed": "approve", "corrected": "correct", "rejected": "reject"}
    verdict = verdicts.get(one.status, "")
    if not verdict and not (waits and "feedback" in one.provenance):
        return None
    answer = one.right_answer if verdict == "correct" else one.answer
    return Word(verdict, answer or one.canonical, kind_of(one))


class Standing(NamedTuple):
    """What votes say of an answer: its calibrated confidence, None when nobody knows it, and its
    reward in [-1, 1]."""

    confidence: float | None
    reward: float


def standing(answer: str, voted: Experience) -> Standing:
    """How the answer that a user was shown stands in the votes on its question.

    A calibrated confidence is that of the votes' winner and of no other answer; the reward of
    another one is by its own share of the votes.
    """
    shown = kind_of(voted).normal(answer)
    if shown == voted.canonical:
        return Standing(voted.confidence, voted.reward)
    counts = voted.provenance.get("counts") or {}
    total = sum(counts.values())
    return Standing(None, 2.0 * counts.get(shown, 0.0) / total - 1.0 if total > 0 else 0.0)
