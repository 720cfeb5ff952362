"""Which experiences are meant."""

from __future__ import annotations

from typing import Any, NamedTuple


class Filter(NamedTuple):
    """Which experiences are meant; None takes all. Times are seconds since 1970."""

    family: str | None = None
    status: str | None = None
    version: int | None = None
    user: str | None = None
    since: float | None = None
    until: float | None = None
    media: str | None = None
    answer_type: str | None = None

    def clauses(self) -> tuple[list[str], list[Any]]:
        """SQL conditions and their values."""
        named = self._asdict()
        since, until = named.pop("since"), named.pop("until")
        wanted = {name: value for name, value in named.items() if value is not None}
        where, values = [f"{name} = ?" for name in wanted], list(wanted.values())
        for sign, edge in ((">=", since), ("<=", until)):
            if edge is not None:
                where.append(f"born {sign} ?")
                values.append(edge)
        return where, values
