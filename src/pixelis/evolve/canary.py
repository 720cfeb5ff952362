"""Is a candidate no worse? A sequential paired test that may stop as soon as it is clear.

For each frozen question the candidate is compared with the promoted version: d = right after minus
right before, in {-1, 0, 1}. Two bets are made, question by question: one gains when the candidate
loses less than the margin, one when it loses more. A bet's wealth is a non-negative supermartingale
under what it bets against, so by Ville's inequality it reaches 1/alpha with a probability of at
most alpha, however often one looks (Waudby-Smith and Ramdas 2024, doi:10.1093/jrsssb/qkad009).
A candidate is promoted only when the first bet is won; running out of questions is no proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from pixelis.errors import ConfigError

State = Literal["open", "no_worse", "worse"]
PRIOR = 0.05  # variance of d that is imagined before the first question
BOLD = 0.9  # share of the largest stake that is never ruinous


@dataclass(frozen=True)
class Canary:
    """The test so far.

    Attributes:
        margin: largest loss of accuracy that is accepted, in (0, 1).
        alpha: chance of promoting a candidate that loses more than the margin.
        least: questions before which nothing is promoted, so that early luck counts for less.
        n: questions seen; `total`, `squares`: sums of d and of d squared.
        good, bad: wealth of the two bets.
    """

    margin: float = 0.02
    alpha: float = 0.05
    least: int = 100
    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    good: float = 1.0
    bad: float = 1.0
    state: State = "open"

    def __post_init__(self) -> None:
        if not (0 < self.margin < 1 and 0 < self.alpha < 1):
            raise ConfigError(f"canary: margin {self.margin}, alpha {self.alpha}; give 0 to 1")

    def observe(self, before: bool, after: bool) -> Canary:
        """The test after one more question; nothing changes once it is decided."""
        if self.state != "open":
            return self
        d = float(after) - float(before)
        gain = d + self.margin
        up, down = self._stakes()
        good, bad = self.good * (1 + up * gain), self.bad * (1 - down * gain)
        state: State = "open"
        if good >= 1 / self.alpha and self.n + 1 >= self.least:
            state = "no_worse"
        elif bad >= 1 / self.alpha:
            state = "worse"
        return replace(
            self, n=self.n + 1, total=self.total + d, squares=self.squares + d * d,
            good=good, bad=bad, state=state,
        )  # fmt: skip

    def _stakes(self) -> tuple[float, float]:
        """Stakes from what was seen before this question, so that they are predictable."""
        mean = (self.total + 0.0) / (self.n + 1)
        spread = (self.squares + PRIOR) / (self.n + 1)
        lean = mean + self.margin
        size = spread + lean * lean
        up = min(BOLD / (1 - self.margin), max(0.0, lean) / size)
        down = min(BOLD / (1 + self.margin), max(0.0, -lean) / size)
        # Nothing learned yet: small stakes both ways, so that the first surprise counts.
        return max(up, 0.05), max(down, 0.05)

    @property
    def difference(self) -> float:
        """Mean of d so far: the candidate's accuracy minus the promoted version's."""
        return self.total / self.n if self.n else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "margin": self.margin, "alpha": self.alpha, "n": self.n, "state": self.state,
            "difference": self.difference, "wealth": self.good, "wealth_against": self.bad,
        }  # fmt: skip


def run(
    before: Iterable[bool],
    after: Iterable[bool],
    margin: float = 0.02,
    alpha: float = 0.05,
    least: int = 100,
) -> Canary:
    """The test over two runs on the same questions, stopped when it is decided."""
    test = Canary(margin, alpha, least)
    for old, new in zip(before, after, strict=False):
        test = test.observe(old, new)
        if test.state != "open":
            break
    return test


class Health(NamedTuple):
    """How a version behaves on the canary set.

    Attributes:
        entropy: mean surprise of its own tokens, in nats.
        op_success: share of its operations that worked; 1 when it used none.
        calibration: expected calibration error.
    """

    entropy: float
    op_success: float
    calibration: float


@dataclass(frozen=True)
class Bands:
    """How far health may change: entropy as factors, the others as differences."""

    entropy: tuple[float, float] = (0.5, 2.0)
    op_success: float = 0.05
    calibration: float = 0.05
    floor: float = field(default=0.01)

    def problems(self, before: Health, after: Health) -> list[str]:
        """What left its band, one line each; empty when nothing did."""
        low, high = (factor * before.entropy for factor in self.entropy)
        found = []
        if not low - self.floor <= after.entropy <= high + self.floor:
            found.append(f"entropy went from {before.entropy:.3f} to {after.entropy:.3f} nats")
        if after.op_success < before.op_success - self.op_success:
            found.append(
                f"operations worked in {after.op_success:.3f}, before {before.op_success:.3f}"
            )
        if after.calibration > before.calibration + self.calibration:
            found.append(
                f"calibration error rose from {before.calibration:.3f} to {after.calibration:.3f}"
            )
        return found


def rotate(ids: Sequence[str], turn: int, share: float = 0.5) -> list[str]:
    """The questions of one canary out of a larger frozen pool: a different part each turn, in a
    different order, so that asking again and again does not fit them.
    """
    if not ids:
        return []
    size = max(1, round(len(ids) * share))
    start = (turn * size) % len(ids)
    return [ids[(start + place) % len(ids)] for place in range(size)]
