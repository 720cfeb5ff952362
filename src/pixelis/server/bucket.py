"""Rate limits: a bucket of tokens for each caller, filled at a steady pace."""

from __future__ import annotations

from collections import OrderedDict

MOST_CALLERS = 10_000  # kept; who was quiet longest is forgotten, and is then full again


class Buckets:
    """One bucket for each name. Pure: the time is passed in.

    Args:
        per_minute: tokens that come back in a minute, and the most a bucket holds; 0 never refuses.
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, now_s: float) -> float:
        """Takes a token; 0, or the seconds until there is one (then none is taken)."""
        if self.per_minute == 0:
            return 0.0
        left = self._level(name, now_s)
        wait = max(0.0, 1.0 - left) * 60 / self.per_minute
        self._left[name] = (left if wait else left - 1.0, now_s)
        self._left.move_to_end(name)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return wait

    def _level(self, name: str, now_s: float) -> float:
        left, then_s = self._left.get(name, (float(self.per_minute), now_s))
        gained = max(0.0, now_s - then_s) * self.per_minute / 60
        return min(float(self.per_minute), left + gained)
