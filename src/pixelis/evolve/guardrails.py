"""What keeps learning safe: three tiers, each a small rule of its own, and shapes of advantages.

1 behaviour  KL to the promoted version: its weight follows a target, batches far above are skipped
2 magnitude  gradients are clipped, and how far a version may move is capped
3 time       what is published is a moving average of the adapters

Each can be switched off, for studies that show what it is for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pixelis.errors import ConfigError


class Step(NamedTuple):
    """What the behaviour tier says of a batch: use it or skip it, and the state afterwards."""

    use: bool
    after: Behaviour


@dataclass(frozen=True)
class Behaviour:
    """Tier 1: the weight `beta` of the KL penalty, moved towards the target.

    Attributes:
        target, tolerance: mean KL per token, in nats, and how far from it is well.
        skip: times the target above which a batch is not used.
    """

    beta: float = 0.05
    target: float = 0.05
    tolerance: float = 0.01
    factor: float = 1.2
    skip: float = 2.0
    least: float = 1e-4
    most: float = 10.0

    def observe(self, kl: float) -> Step:
        """The state after a batch with this KL; skipped batches count for beta, too.

        A KL that is no number skips the batch and raises beta.
        """
        if not math.isfinite(kl):
            return Step(False, self._times(self.factor))
        if kl > self.target + self.tolerance:
            return Step(kl <= self.skip * self.target, self._times(self.factor))
        if kl < self.target - self.tolerance:
            return Step(True, self._times(1 / self.factor))
        return Step(True, self)

    def _times(self, factor: float) -> Behaviour:
        return replace(self, beta=min(self.most, max(self.least, self.beta * factor)))


def clip(norm: float, most: float = 1.0) -> float:
    """Tier 2: what to multiply gradients of this norm with; 0 when the norm is no number."""
    if not math.isfinite(norm):
        return 0.0
    return 1.0 if norm <= most else most / norm


def cap(change: float, most: float) -> float:
    """Tier 2: what share of a version's change of this norm may be kept, in [0, 1]."""
    if not math.isfinite(change):
        return 0.0
    return 1.0 if change <= most else most / change


def decay(half_life: float) -> float:
    """Tier 3: the weight of what was published before, so that after `half_life` versions half of
    a change has arrived. 0 versions: the newest weights are published as they are.
    """
    if half_life < 0:
        raise ConfigError(f"half-life {half_life} is not allowed; give 0 or more versions")
    return 0.5 ** (1.0 / half_life) if half_life > 0 else 0.0


def blend(published: np.ndarray, newest: np.ndarray, weight: float) -> np.ndarray:
    """The next published values: `weight` of the old ones, the rest of the new ones."""
    return weight * published + (1.0 - weight) * newest


def advantages(rewards: Sequence[float], polarised: float = 0.85, fixed: float = 0.5) -> np.ndarray:
    """Group-relative advantages (reward minus mean, by the standard deviation), float64 (n,).

    All rewards equal: all 0, nothing is learned. A polarised group, in which at least that share
    has the best reward (or the worst), gets fixed ones instead, `fixed` for the best and minus
    `fixed` for the others: dividing by a tiny deviation would blow up its few dissenters. At 0.85
    that begins with one of seven; a group of eight with two is none.
    """
    values = np.asarray(rewards, float)
    if len(values) == 0 or np.ptp(values) < 1e-9:
        return np.zeros(len(values))
    best = values >= values.max() - 1e-9
    share = float(best.mean())
    if share >= polarised or share <= 1 - polarised:
        return np.where(best, fixed, -fixed)
    return (values - values.mean()) / (values.std() + 1e-6)


def flip_scale(flips: int, seen: int) -> float:
    """How much of an update to keep when the winners of `flips` of `seen` questions changed since
    they were last asked: all of it up to one in ten, none from one in two.
    """
    if seen <= 0:
        return 1.0
    return min(1.0, max(0.0, (0.5 - flips / seen) / 0.4))
