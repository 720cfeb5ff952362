"""Is a candidate no worse? What the sequential test tells, and whether the model stays healthy.

For each frozen question the candidate is compared with the promoted version: right after minus
right before, in {-1, 0, 1}. A candidate is promoted only when the test (`pixelis.sequential`) says
`no_worse`; running out of questions is no proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pixelis.sequential import Sequential


def told(test: Sequential) -> dict[str, Any]:
    """What a version keeps of its canary, as plain JSON values."""
    good, bad = test.evidence
    return {
        "margin": test.margin, "alpha": test.alpha, "n": test.n, "state": test.verdict,
        "difference": test.mean, "wealth": good, "wealth_against": bad,
    }  # fmt: skip


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
