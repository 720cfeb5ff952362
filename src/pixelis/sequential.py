"""A paired test that may be looked at after every question: is the second no worse than the first?

The canary of online learning and `pixelis eval compare` use it. Differences come one by one (new
minus old, each in [-1, 1]); the verdict may be read at any time without spoiling the error rate.

Each hypothesis is bet against with wealth that is a supermartingale when it is true, so by Ville's
inequality the wealth passes 1 / alpha with probability at most alpha, however often one looks. What
is staked follows from the pairs before (Waudby-Smith and Ramdas 2024, doi:10.1093/jrsssb/qkad009).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

Verdict = Literal["open", "no_worse", "worse"]
PRIOR = 0.05  # variance of the differences that is imagined before the first
BOLD = 0.9  # share of the largest stake that is never ruinous
TIMID = 0.05  # least stake, so that the first surprise counts


@dataclass(frozen=True)
class Sequential:
    """The state of a test; `observe` gives the next one.

    Attributes:
        margin: a mean loss smaller than this is accepted, in (0, 1).
        alpha: chance of saying `no_worse` when the loss is the margin or more, and of saying
            `worse` when it is the margin or less, each over the whole sequence.
        least: differences before which nothing is called `no_worse`.
        n: differences seen; `total` is their sum, `squares` that of their squares.
        verdict: kept once it is reached.
    """

    margin: float = 0.02
    alpha: float = 0.05
    least: int = 0
    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    verdict: Verdict = "open"
    _for: float = field(default=0.0, repr=False)  # log wealth of either bet
    _against: float = field(default=0.0, repr=False)

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
        return _wealth(self._for), _wealth(self._against)

    def observe(self, difference: float) -> Sequential:
        """The test after one more pair; ValueError for a difference outside [-1, 1]."""
        if not -1 <= difference <= 1:
            raise ValueError(f"difference {difference} must lie in [-1, 1]")
        gain = difference + self.margin
        up, down = self._stakes()
        won, lost = self._for + math.log1p(up * gain), self._against + math.log1p(-down * gain)
        n, enough = self.n + 1, -math.log(self.alpha)
        verdict = self.verdict
        if verdict == "open" and won >= enough and n >= self.least:
            verdict = "no_worse"
        elif verdict == "open" and lost >= enough:
            verdict = "worse"
        return replace(
            self,
            n=n,
            total=self.total + difference,
            squares=self.squares + difference * difference,
            verdict=verdict,
            _for=won,
            _against=lost,
        )

    def _stakes(self) -> tuple[float, float]:
        """Of both bets, from what was seen before this pair, so that they are predictable."""
        lean = self.total / (self.n + 1) + self.margin
        size = (self.squares + PRIOR) / (self.n + 1) + lean * lean
        up = min(BOLD / (1 - self.margin), max(0.0, lean) / size)
        down = min(BOLD / (1 + self.margin), max(0.0, -lean) / size)
        return max(up, TIMID), max(down, TIMID)

    def run(self, differences: Iterable[float]) -> Sequential:
        """The test after these pairs, stopping as soon as there is a verdict."""
        state = self
        for difference in differences:
            if state.verdict != "open":
                return state
            state = state.observe(difference)
        return state


def _wealth(log: float) -> float:
    """Capped, since only passing a threshold matters."""
    return math.exp(log) if log < 700 else math.inf
