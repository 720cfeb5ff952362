"""Which experiences are worth keeping: pure functions of what is known about each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pixelis.errors import ConfigError

HALF_LIFE_DAYS = 30.0
FLOOR = 0.01
DAY_S = 86_400.0


class Worth(NamedTuple):
    """What a priority depends on; `size` in bytes, its media counted as if nothing shared them."""

    id: str
    confidence: float | None
    reward: float
    born: float
    retrievals: int
    successes: int
    pinned: bool
    size: int


@dataclass(frozen=True)
class Room:
    """How much a store may hold.

    Attributes:
        count: most experiences.
        bytes: most bytes of experiences and their media.
    """

    count: int = 1_000_000
    bytes: int = 20 * 2**30

    def __post_init__(self) -> None:
        if self.count < 1 or self.bytes < 1:
            raise ConfigError(f"room for {self.count} in {self.bytes} bytes; give 1 or more each")


def priority(worth: Worth, now: float) -> float:
    """In [0.01, 1]: (0.4 (1 - confidence) + 0.4 |reward| + 0.2 age) * (0.7 + 0.3 success rate).

    `age` is 1 when new and halves every 30 days; a clock that went backwards counts as no time
    passed. An unknown confidence counts as 0.5; an experience that was never recalled has the
    success rate 1, so that being new costs nothing.
    """
    sure = 0.5 if worth.confidence is None else worth.confidence
    days = max(0.0, now - worth.born) / DAY_S
    age = math.exp2(-days / HALF_LIFE_DAYS)
    rate = worth.successes / worth.retrievals if worth.retrievals else 1.0
    value = 0.4 * (1 - sure) + 0.4 * min(abs(worth.reward), 1.0) + 0.2 * age
    return max(FLOOR, value * (0.7 + 0.3 * min(rate, 1.0)))


def leaving(worths: Sequence[Worth], room: Room, now: float) -> list[str]:
    """Ids to let go until the rest fits: the lowest priority first, the oldest among equals.

    Pinned ones stay, even when they alone need more than there is room for.
    """
    count, size = len(worths), sum(one.size for one in worths)
    gone: list[str] = []
    order = sorted(
        (one for one in worths if not one.pinned), key=lambda one: (priority(one, now), one.born)
    )
    for one in order:
        if count <= room.count and size <= room.bytes:
            break
        gone.append(one.id)
        count -= 1
        size -= one.size
    return gone


def sample(worths: Sequence[Worth], count: int, now: float, rng: np.random.Generator) -> list[str]:
    """Different ids, drawn by priority."""
    if not worths:
        return []
    weights = np.array([priority(one, now) for one in worths])
    chosen = rng.choice(
        len(worths), size=min(count, len(worths)), replace=False, p=weights / weights.sum()
    )
    return [worths[int(place)].id for place in chosen]
