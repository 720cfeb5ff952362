"""Which answers may be learned from: one pure decision for each, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pixelis.errors import ConfigError
from pixelis.evolve.vote import MIXED, Verdict

Action = Literal["learn", "review", "store_only"]
ACTIONS = ("learn", "review", "store_only")


@dataclass(frozen=True)
class Settings:
    """When to learn.

    Attributes:
        low: calibrated confidence from which a verdict is learned.
        high: confidence from which nothing is left to be learned.
        doubt: below `low` and from here on a verdict is ambiguous; it is dropped. Below `doubt`
            it is dropped as unsure.
        support: least share of the winning ballots that operations must support.
        cold: experiences before which nothing is learned.
        per_hour: most learned in an hour.
        review: share of learnable verdicts that a person is asked about instead.
        novelty: likeness to something already learned from which there is nothing new.
        base, least, most: learning rate before scaling, and its limits.
    """

    low: float = 0.7
    high: float = 0.98
    doubt: float = 0.4
    support: float = 0.5
    cold: int = 100
    per_hour: int = 1000
    review: float = 0.02
    novelty: float = 0.995
    base: float = 1e-4
    least: float = 1e-6
    most: float = 1e-3

    def __post_init__(self) -> None:
        if not 0 <= self.doubt <= self.low <= self.high <= 1:
            raise ConfigError(
                f"gate: doubt {self.doubt}, low {self.low} and high {self.high} must rise in 0 to 1"
            )
        if not (0 <= self.review <= 1 and 0 <= self.support <= 1):
            raise ConfigError("gate: review and support are shares; give 0 to 1")
        if not 0 < self.least <= self.most:
            raise ConfigError("gate: least and most are learning rates; 0 < least <= most")


@dataclass(frozen=True)
class Stats:
    """What the gate must know besides the verdict.

    Attributes:
        experiences: kept so far.
        last_hour: learned in the last hour.
        nearest: likeness to the nearest one already learned, in [0, 1]; 0 when there is none.
        draw: a random number in [0, 1), for the sample that people see.
        state: what memory says of the question: SINGLE, MIXED, NOVEL, or None.
        private: whether something had to be taken out of the answer; such a label is no label.
    """

    experiences: int
    last_hour: int = 0
    nearest: float = 0.0
    draw: float = 1.0
    state: str | None = None
    private: bool = False


class Decision(NamedTuple):
    """What to do with an answer; `rate` is the learning rate, 0 unless it is learned."""

    action: Action
    reason: str
    rate: float

    def to_dict(self) -> dict[str, Any]:
        return self._asdict()


def rate(confidence: float, settings: Settings) -> float:
    """base * (1 - confidence), between `least` and `most`: what is sure needs little."""
    return min(settings.most, max(settings.least, settings.base * (1.0 - confidence)))


def seen_confidence(confidence: float, state: str | None) -> float:
    """The confidence the gate acts on: lowered when memory finds several that could be meant."""
    return confidence * MIXED if state == "MIXED" else confidence


def observe(
    verdict: Verdict, confidence: float, stats: Stats, settings: Settings | None = None
) -> Decision:
    """The decision about a verdict with this calibrated confidence, in [0, 1]."""
    chosen = settings or Settings()
    sure = seen_confidence(confidence, stats.state)
    if reason := _unfit(verdict, sure, stats, chosen):
        return Decision("store_only", reason, 0.0)
    if stats.draw < chosen.review:
        return Decision("review", "sampled for a person", 0.0)
    if verdict.support < chosen.support:
        return Decision("store_only", "no operation supports it", 0.0)
    return Decision("learn", "confident", rate(sure, chosen))


def _unfit(verdict: Verdict, sure: float, stats: Stats, settings: Settings) -> str:
    """Why a verdict is only stored; empty when it is fit to be learned."""
    checks = (
        (verdict.abstained, "no answer"),
        (stats.private, "the answer is private"),
        (stats.experiences < settings.cold, "cold start"),
        (verdict.tie, "tie"),
        (sure < settings.doubt, "unsure"),
        (sure < settings.low, "ambiguous"),
        (sure >= settings.high, "nothing to learn"),
        (stats.nearest >= settings.novelty, "known already"),
        (stats.last_hour >= settings.per_hour, "rate limit"),
    )
    return next((reason for failed, reason in checks if failed), "")
