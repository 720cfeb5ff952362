"""The indexes of a store, one for each space of embeddings, kept in step with its database.

Other processes write too: before an index is used, a cheap stamp of the database (how many
experiences, the last one, how many removals) is compared with the one it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pixelis.errors import ConfigError
from pixelis.memory.base import Base
from pixelis.memory.index import Neighbours, State

Stamp = tuple[int, ...]


class Gone(NamedTuple):
    """An experience that was removed: its position and the space of its embedding."""

    seq: int
    space: str


class Spaces:
    """Indexes by the name of their space, opened when they are first asked for."""

    def __init__(self, base: Base, folder: Path, exact: int) -> None:
        self.base, self.folder, self.exact = base, folder, exact
        self._open: dict[str, Neighbours] = {}
        self._seen: Stamp = ()

    def counts(self) -> dict[str, int]:
        """How many embeddings there are of each space."""
        rows = self.base.rows(
            "SELECT space, COUNT(*) FROM experiences WHERE space != '' GROUP BY space"
        )
        return {str(space): int(count) for space, count in rows}

    def get(self, space: str) -> Neighbours | None:
        """The index of a space, in step with the database; None when it has no embeddings."""
        self.follow()
        if space not in self._open and (dims := self._dims(space)) is not None:
            index = Neighbours(self.folder, space, dims, self.exact)
            if not index.load(self.state(space)):
                return self.rebuild(space)
            self._open[space] = index
        return self._open.get(space)

    def rebuild(self, space: str) -> Neighbours | None:
        """The index of a space made anew from the database; None when it has no embeddings."""
        dims = self._dims(space)
        if dims is None:
            if (old := self._open.pop(space, None)) is not None:
                old.discard()
            return None
        index = Neighbours(self.folder, space, dims, self.exact)
        index.build(*self._embeddings(space, dims, 0), self.state(space))
        self._open[space] = index
        return index

    def rebuild_all(self) -> None:
        """Every index made anew; files that belong to no space go."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink()
        self._open.clear()
        for space in self.counts():
            index = self.rebuild(space)
            if index is not None:
                index.save()

    def follow(self) -> None:
        """Brings the open indexes up to what was written since, here or by other processes."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        for space, index in list(self._open.items()):
            self._catch_up(space, index)
        self._seen = stamp

    def check(self, space: str, embedding: np.ndarray) -> None:
        """ConfigError when embeddings of that space have another length."""
        dims = self._open[space].dims if space in self._open else self._dims(space)
        if dims is not None and dims != len(embedding):
            raise ConfigError(f"embedding has {len(embedding)} numbers, space {space!r} has {dims}")

    def added(self, seq: int, space: str, embedding: np.ndarray | None) -> None:
        """An experience was stored in this transaction, which had called `follow` before."""
        self.base.if_undone(self._forget)
        index = self._open.get(space) if embedding is not None else None
        if index is not None and embedding is not None:
            state = replace(index.state, count=index.state.count + 1, last=seq)
            index.add([seq], embedding[None], state)
        self._seen = self._stamp()

    def removed(self, gone: Iterable[Gone]) -> None:
        """Experiences were dropped in this transaction, which had called `follow` before."""
        self.base.if_undone(self._forget)
        epoch = self._epoch()
        by_space: dict[str, list[int]] = {}
        for one in gone:
            by_space.setdefault(one.space, []).append(one.seq)
        for space, index in list(self._open.items()):
            index.remove(by_space.get(space, []), epoch)
            if not len(index):
                self._open.pop(space).discard()
        self._seen = self._stamp()

    def _forget(self) -> None:
        """What was changed is undone: another process may give the same positions to other
        embeddings, and nothing would tell. The files had lost their notes before the change."""
        self._open.clear()
        self._seen = ()

    def discard(self) -> None:
        """Removes the files, in which removed entries may linger; what is asked for is rebuilt."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink()
        self._open.clear()
        self._seen = ()

    def save(self) -> None:
        self.follow()
        for index in self._open.values():
            index.save()

    def stale(self) -> bool:
        """Whether some file is not the index of this database, or one of no space at all."""
        if not self.folder.is_dir():
            return False
        expected: set[Path] = set()
        for space in self.counts():
            index = Neighbours(self.folder, space, self._dims(space) or 0, self.exact)
            if index.stale(self.state(space)):
                return True
            expected |= set(index.files)
        return any(path not in expected for path in self.folder.iterdir())

    def state(self, space: str) -> State:
        """What an index of the space must have been made from."""
        row = self.base.one(
            "SELECT COUNT(*), COALESCE(MAX(seq), 0) FROM experiences WHERE space = ?", (space,)
        )
        count, last = row or (0, 0)
        return State(int(count), int(last), self._epoch())

    def _catch_up(self, space: str, index: Neighbours) -> None:
        state = self.state(space)
        if state == index.state:
            return
        if state.epoch == index.state.epoch and state.last >= index.state.last:
            seqs, rows = self._embeddings(space, index.dims, index.state.last)
            if len(seqs):
                index.add(seqs.tolist(), rows, state)
            if len(index) == state.count:
                return
        self._open.pop(space)

    def _stamp(self) -> Stamp:
        row = self.base.one(
            "SELECT (SELECT value FROM about WHERE name = 'epoch'),"
            " (SELECT value FROM about WHERE name = 'count'),"
            " (SELECT COALESCE(MAX(seq), 0) FROM experiences)"
        )
        return tuple(int(value) for value in row or ())

    def _epoch(self) -> int:
        return int(self.base.about("epoch", "0"))

    def _dims(self, space: str) -> int | None:
        row = self.base.one(
            "SELECT length(embedding) FROM experiences WHERE space = ? ORDER BY seq LIMIT 1",
            (space,),
        )
        return None if row is None else int(row[0]) // 4

    def _embeddings(self, space: str, dims: int, after: int) -> tuple[np.ndarray, np.ndarray]:
        rows: list[Any] = self.base.rows(
            "SELECT seq, embedding FROM experiences WHERE space = ? AND seq > ? ORDER BY seq",
            (space, after),
        )
        whole = [(seq, blob) for seq, blob in rows if len(blob) == 4 * dims]
        vectors = np.frombuffer(b"".join(blob for _, blob in whole), "<f4").reshape(-1, dims)
        return np.array([seq for seq, _ in whole], np.int64), vectors
