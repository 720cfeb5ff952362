"""How memories age: warm while they are used, cold when they are not, gone when there is no room.

Pure functions of counts and times; the clock is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

DAY_S = 86_400.0
HALF_LIFE_DAYS = 7.0
Band = Literal["hot", "warm", "cold"]


class Age(NamedTuple):
    """What the lifecycle knows of a memory: its id, uses, and when it began and was last used."""

    id: int
    hits: int
    born: float
    touched: float


def temperature(hits: int, touched: float, now: float) -> float:
    """In [0, 1]: min(1, 0.3 + 0.07 hits), halved for every week since the last use.

    A clock that went backwards counts as no time passed.
    """
    days = max(0.0, now - touched) / DAY_S
    return min(1.0, 0.3 + 0.07 * hits) * 0.5 ** (days / HALF_LIFE_DAYS)


def band(value: float) -> Band:
    """hot from 0.6, warm from 0.15, else cold: what was never used stays warm for a week."""
    return "hot" if value >= 0.6 else "warm" if value >= 0.15 else "cold"


def coldest(ages: Iterable[Age], room: int, now: float) -> list[int]:
    """Ids to let go so that `room` memories remain: the coldest, the oldest first among equals."""
    known = sorted(ages, key=lambda age: (temperature(age.hits, age.touched, now), age.born))
    return [age.id for age in known[: max(0, len(known) - room)]]
