"""Episodes of the last while, to look at again: bounded in number and in bytes of media."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from pixelis.episode import Episode
from pixelis.media.source import Source


@dataclass(frozen=True)
class Kept:
    """An episode with the bytes it was about.

    Attributes:
        owner: name of the key that asked.
        model: as the client called it.
        version: of the adapters that answered.
    """

    episode: Episode
    source: Source
    owner: str
    model: str
    version: int = 0
    created: float = field(default_factory=time.time)


class Recent:
    """The newest episodes by id; the oldest leave first. Belongs to one event loop.

    Args:
        most: episodes.
        most_bytes: of their media, the same bytes counted once for each episode.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self.most, self.most_bytes = most, most_bytes
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0

    def add(self, kept: Kept) -> None:
        self.drop(kept.episode.id)
        self._kept[kept.episode.id] = kept
        self._bytes += _size(kept)
        while self._kept and (len(self._kept) > self.most or self._bytes > self.most_bytes):
            self.drop(next(iter(self._kept)))

    def get(self, id: str) -> Kept | None:
        return self._kept.get(id)

    def drop(self, id: str) -> bool:
        """True when it was there."""
        kept = self._kept.pop(id, None)
        if kept is None:
            return False
        self._bytes -= _size(kept)
        return True

    def newest(self, owner: str | None, most: int) -> list[Kept]:
        """Of one owner, or of everyone."""
        mine = (kept for kept in reversed(self._kept.values()) if owner in (None, kept.owner))
        return [kept for kept, _ in zip(mine, range(most), strict=False)]


def _size(kept: Kept) -> int:
    return len(kept.source.data or b"")
