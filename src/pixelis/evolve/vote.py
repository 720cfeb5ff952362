"""Several answers to one question become a verdict: what most say, and how sure that makes us.

Answers are compared by their normal form (`pixelis.answers.canonical`). Abstentions (no answer, or
"I cannot know") are ballots too: they take part in every share. Ties are told, not hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Source = Literal["greedy", "sampled", "memory"]
Strategy = Literal["majority", "confidence", "similarity"]
STRATEGIES = ("majority", "confidence", "similarity")
UNKNOWN = 0.5  # weight of a ballot that does not say how sure it is
ALIKE = 0.9  # share of equal fingerprint bits from which two pictures are nearly the same
MIXED = 0.8  # factor on the confidence when memory finds several that could be meant


class Ballot(NamedTuple):
    """One answer.

    Attributes:
        canonical: its normal form; empty is an abstention.
        confidence: in [0, 1], None when unknown.
        supported: whether operations found what the answer rests on.
        likeness: of the remembered question to this one, in [0, 1]; 1 for own answers.
    """

    answer: str
    canonical: str
    confidence: float | None = None
    supported: bool = True
    source: Source = "sampled"
    likeness: float = 1.0


@dataclass(frozen=True)
class Verdict:
    """What the ballots say together.

    Attributes:
        answer: as the surest of the winning ballots wrote it; empty when all abstain.
        canonical: normal form of the winner, empty when there is none.
        share: weight of the winner among all ballots, in [0, 1].
        margin: share of the winner minus that of the second.
        tie: whether others have the same weight; then the greedy answer wins if it is among them.
        support: share of the winning ballots that operations support.
        confidence: raw, in [0, 1]; calibrated later.
        ballots: all of them; `weights`: what each counted.
    """

    answer: str
    canonical: str
    share: float
    margin: float
    tie: bool
    support: float
    confidence: float
    strategy: Strategy
    ballots: tuple[Ballot, ...]
    weights: tuple[float, ...]

    @property
    def abstained(self) -> bool:
        return not self.canonical

    def provenance(self) -> dict[str, Any]:
        """Where the verdict comes from, as plain JSON values."""
        counts: dict[str, float] = {}
        for ballot, weight in zip(self.ballots, self.weights, strict=True):
            counts[ballot.canonical] = counts.get(ballot.canonical, 0.0) + weight
        return {
            "strategy": self.strategy,
            "winner": self.canonical,
            "share": self.share,
            "margin": self.margin,
            "tie": self.tie,
            "support": self.support,
            "raw_confidence": self.confidence,
            "counts": counts,
            "sources": [ballot.source for ballot in self.ballots],
        }


def weigh(ballot: Ballot, strategy: Strategy) -> float:
    """What a ballot counts: 1 by majority, its confidence, or its likeness to the question."""
    if strategy == "confidence":
        return UNKNOWN if ballot.confidence is None else ballot.confidence
    return ballot.likeness if strategy == "similarity" else 1.0


def tally(ballots: Sequence[Ballot], strategy: Strategy = "majority") -> Verdict:
    """The verdict of any number of ballots; their order decides nothing.

    The raw confidence is 0.7 times the winner's share plus 0.3 times the mean confidence of its
    ballots, halved for a tie.
    """
    weights = tuple(weigh(ballot, strategy) for ballot in ballots)
    total = sum(weights)
    shares: dict[str, float] = {}
    for ballot, weight in zip(ballots, weights, strict=True):
        shares[ballot.canonical] = shares.get(ballot.canonical, 0.0) + weight
    answered = {name: value for name, value in shares.items() if name and value > 0}
    if not answered:
        empty = (strategy, tuple(ballots), weights)
        return Verdict("", "", 0.0, 0.0, False, 0.0, 0.0, *empty)
    best = max(answered.values())
    tied = sorted(name for name, value in answered.items() if value >= best - 1e-9)
    winner = _pick(tied, ballots)
    others = [value for name, value in shares.items() if name != winner]
    mine = [ballot for ballot in ballots if ballot.canonical == winner]
    share = best / total
    sure = sum(UNKNOWN if b.confidence is None else b.confidence for b in mine) / len(mine)
    raw = (0.7 * share + 0.3 * sure) * (0.5 if len(tied) > 1 else 1.0)
    return Verdict(
        answer=max(mine, key=lambda b: (b.confidence or 0.0, b.answer)).answer,
        canonical=winner,
        share=share,
        margin=(best - max(others, default=0.0)) / total,
        tie=len(tied) > 1,
        support=sum(ballot.supported for ballot in mine) / len(mine),
        confidence=min(1.0, max(0.0, raw)),
        strategy=strategy,
        ballots=tuple(ballots),
        weights=weights,
    )


def _pick(tied: Sequence[str], ballots: Sequence[Ballot]) -> str:
    """Among equals: the greedy answer, then the one with the surest ballots, then by alphabet."""
    for ballot in ballots:
        if ballot.source == "greedy" and ballot.canonical in tied:
            return ballot.canonical
    sums = {name: 0.0 for name in tied}
    for ballot in ballots:
        if ballot.canonical in sums:
            sums[ballot.canonical] += ballot.confidence or 0.0
    return max(tied, key=lambda name: (round(sums[name], 9), -tied.index(name)))


def decided(ballots: Sequence[Ballot], total: int, strategy: Strategy = "majority") -> bool:
    """Whether no further ballots, up to `total`, can change who wins; each counts 1 at most."""
    counts: dict[str, float] = {}
    for ballot in ballots:
        counts[ballot.canonical] = counts.get(ballot.canonical, 0.0) + weigh(ballot, strategy)
    ranked = sorted((n for name, n in counts.items() if name), reverse=True)
    if not ranked:
        return len(ballots) >= total
    second = ranked[1] if len(ranked) > 1 else 0.0
    return ranked[0] - second > total - len(ballots) + 1e-9


def same_question(first: str, second: str, alike: float | None, trusted: bool) -> bool:
    """Whether a remembered answer may vote: the same words about nearly the same picture, and a
    person has confirmed it.

    Args:
        first, second: the questions in normal form (`pixelis.answers.normalize.phrase`).
        alike: share of equal fingerprint bits of the pictures; None when there is no picture.
    """
    return trusted and first == second and alike is not None and alike >= ALIKE
