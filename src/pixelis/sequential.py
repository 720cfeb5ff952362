"""A paired test that may be looked at after every question: is the second no worse than the first?

The canary of online learning and `pixelis eval compare` use it. Differences come one by one (new
minus old, each in [-1, 1]); the verdict may be read at any time without spoiling the error rate.

Each hypothesis is bet against with wealth that is a martingale when it is true, so by Ville's
inequality the wealth passes 1 / alpha with probability at most alpha, however often one looks. The
bet is a mixture over fixed stakes (Waudby-Smith and Ramdas 2024, doi:10.1093/jrsssb/qkad009).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

Verdict = Literal["open", "no_worse", "worse"]
STAKES = tuple(0.9 * 0.75**power for power in range(20))  # of what may be staked at most
EVEN = (0.0,) * len(STAKES)


@dataclass(frozen=True)
class Sequential:
    """The state of a test; `observe` gives the next one.

    Attributes:
        margin: a mean loss smaller than this is accepted, in (0, 1).
        alpha: chance of saying `no_worse` when the loss is the margin or more, and of saying
            `worse` when it is the margin or less, each over the whole sequence.
        n: differences seen; total is their sum.
        verdict: kept once it is reached.
    """

    margin: float = 0.02
    alpha: float = 0.05
    n: int = 0
    total: float = 0.0
    verdict: Verdict = "open"
    _for: tuple[float, ...] = field(default=EVEN, repr=False)
    _against: tuple[float, ...] = field(default=EVEN, repr=False)

    def __post_init__(self) -> None:
        if not (0 < self.margin < 1 and 0 < self.alpha < 1):
            raise ValueError(f"margin {self.margin} and alpha {self.alpha} must lie in (0, 1)")

    @property
    def mean(self) -> float:
        """Mean difference so far, 0 before the first."""
        return self.total / self.n if self.n else 0.0

    @property
    def evidence(self) -> tuple[float, float]:
        """Wealth won against "the loss is at least the margin" and against "it is at most that"."""
        return _mixed(self._for), _mixed(self._against)

    def observe(self, difference: float) -> Sequential:
        """The test after one more pair; ValueError for a difference outside [-1, 1]."""
        if not -1 <= difference <= 1:
            raise ValueError(f"difference {difference} must lie in [-1, 1]")
        gain = difference + self.margin
        won = _bet(self._for, gain / (1 - self.margin))
        lost = _bet(self._against, -gain / (1 + self.margin))
        verdict = self.verdict
        if verdict == "open" and max(_mixed(won), _mixed(lost)) >= 1 / self.alpha:
            verdict = "no_worse" if _mixed(won) >= 1 / self.alpha else "worse"
        return replace(
            self,
            n=self.n + 1,
            total=self.total + difference,
            verdict=verdict,
            _for=won,
            _against=lost,
        )

    def run(self, differences: Iterable[float]) -> Sequential:
        """The test after these pairs, stopping as soon as there is a verdict."""
        state = self
        for difference in differences:
            if state.verdict != "open":
                return state
            state = state.observe(difference)
        return state


def _bet(wealth: tuple[float, ...], gain: float) -> tuple[float, ...]:
    """Log wealth of each stake after a round whose gain is at least -1 for the whole stake."""
    return tuple(log + math.log1p(stake * gain) for log, stake in zip(wealth, STAKES, strict=True))


def _mixed(wealth: tuple[float, ...]) -> float:
    """Mean wealth over the stakes; capped, since only passing a threshold matters."""
    highest = max(wealth)
    if highest > 700:
        return math.inf
    return math.exp(highest) * sum(math.exp(log - highest) for log in wealth) / len(wealth)
