"""Rewards of a group to advantages, and which groups teach anything.

Advantages are rewards less the group's mean. They are not divided by the group's spread unless
asked: where all answers are right only the small shaping terms differ, and dividing would blow
them up to the size of right against wrong (Dr. GRPO, arXiv 2503.20783, removes it likewise).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

EVEN = 1e-6  # spread below which the rewards of a group are all the same
Spread = Literal["none", "group"]


def mean(values: Sequence[float]) -> float:
    """Exact in any order."""
    return math.fsum(values) / len(values) if values else 0.0


def spread(values: Sequence[float]) -> float:
    """Standard deviation of all the values there are."""
    middle = mean(values)
    return math.sqrt(mean([(value - middle) ** 2 for value in values]))


def advantages(rewards: Sequence[float], scale: Spread = "none") -> list[float]:
    """Each reward less the group's mean; with `group` also over the group's spread."""
    middle, width = mean(rewards), spread(rewards)
    if width < EVEN:
        return [0.0] * len(rewards)
    divisor = width if scale == "group" else 1.0
    return [(reward - middle) / divisor for reward in rewards]


def informative(rewards: Sequence[float]) -> bool:
    """Whether the group's rewards differ at all; one that does not teaches nothing."""
    return spread(rewards) >= EVEN
