"""Nearest neighbours of an embedding: exact in small stores, a usearch graph in large ones.

The index is derived from the database and never trusted: its file counts only when the note beside
it names this very database state and the file's SHA-256. The note is taken away before the first
change and written again when the index is saved, so that a crash leaves no note, and the index is
built anew. The exact search keeps no file at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pixelis.memory.media import flush_folder, write_whole

EXACT = 20_000  # entries up to which all are compared
CONNECTIVITY, BREADTH_ADD, BREADTH_SEARCH = 16, 128, 96


class Hit(NamedTuple):
    """A neighbour: its position in the store and the cosine of the two embeddings."""

    seq: int
    likeness: float


@dataclass(frozen=True)
class State:
    """What an index was made from: how many embeddings, the last one, and erasures so far."""

    count: int
    last: int
    epoch: int


class Exact:
    """All embeddings in one matrix, compared one by one."""

    name = "exact"

    def __init__(self, dims: int) -> None:
        self._rows = np.zeros((256, dims), np.float32)
        self._seqs = np.zeros(256, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, seqs: np.ndarray, rows: np.ndarray) -> None:
        stop = self._count + len(seqs)
        if stop > len(self._seqs):
            more = max(stop, 2 * len(self._seqs)) - len(self._seqs)
            self._rows = np.pad(self._rows, ((0, more), (0, 0)))
            self._seqs = np.pad(self._seqs, (0, more))
        self._rows[self._count : stop] = rows
        self._seqs[self._count : stop] = seqs
        self._count = stop

    def search(self, query: np.ndarray, k: int) -> list[Hit]:
        likeness = self._rows[: self._count] @ query
        k = min(k, self._count)
        if k == 0:
            return []
        best = np.argpartition(-likeness, k - 1)[:k]
        order = best[np.lexsort((self._seqs[best], -likeness[best]))]
        return [Hit(int(self._seqs[place]), float(likeness[place])) for place in order]

    def remove(self, seqs: Sequence[int]) -> None:
        kept = ~np.isin(self._seqs[: self._count], seqs)
        count = int(kept.sum())
        self._rows[:count] = self._rows[: self._count][kept]
        self._seqs[:count] = self._seqs[: self._count][kept]
        self._count = count

    def items(self) -> tuple[np.ndarray, np.ndarray]:
        return self._seqs[: self._count], self._rows[: self._count]


class Graph:
    """A usearch HNSW graph over cosine; it re-ranks nothing, its distances are exact."""

    name = "usearch"

    def __init__(self, dims: int, path: Path | None = None) -> None:
        from usearch.index import Index

        self._index = Index(
            ndim=dims,
            metric="ip",
            dtype="f32",
            connectivity=CONNECTIVITY,
            expansion_add=BREADTH_ADD,
            expansion_search=BREADTH_SEARCH,
        )
        if path is not None:
            self._index.load(str(path))

    def __len__(self) -> int:
        return len(self._index)

    def add(self, seqs: np.ndarray, rows: np.ndarray) -> None:
        self._index.add(seqs.astype(np.uint64), np.ascontiguousarray(rows, np.float32))

    def search(self, query: np.ndarray, k: int) -> list[Hit]:
        found = self._index.search(query.astype(np.float32), min(k, len(self)))
        pairs = zip(found.keys.tolist(), found.distances.tolist(), strict=True)
        return [Hit(int(seq), 1.0 - float(distance)) for seq, distance in pairs]

    def remove(self, seqs: Sequence[int]) -> None:
        """Unlinks entries; their bytes stay until the graph is built anew."""
        for seq in seqs:
            self._index.remove(int(seq))

    def save(self, path: Path) -> None:
        part = path.with_name(path.name + ".part")
        self._index.save(str(part))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
        flush_folder(path.parent)


def has_usearch() -> bool:
    """Whether large stores can have a graph; without it they are searched exactly, more slowly."""
    try:
        import usearch.index  # noqa: F401
    except ImportError:
        return False
    return True


class Neighbours:
    """The index of one space of embeddings, kept in step with the database by its owner.

    Args:
        folder: where the graph's file lies; it is named after the space.
        exact: entries up to which the search is exact.
    """

    def __init__(self, folder: Path, space: str, dims: int, exact: int = EXACT) -> None:
        name = hashlib.sha256(space.encode()).hexdigest()[:16]
        self.dims, self.exact = dims, exact
        self.state = State(0, 0, -1)
        self._path, self._note = folder / f"{name}.usearch", folder / f"{name}.json"
        self._engine: Exact | Graph = Exact(dims)
        self._clean = False

    def __len__(self) -> int:
        return len(self._engine)

    @property
    def files(self) -> tuple[Path, Path]:
        """Where the graph and the note beside it are kept, if they are."""
        return self._path, self._note

    @property
    def engine(self) -> str:
        """`exact` or `usearch`."""
        return self._engine.name

    def load(self, state: State) -> bool:
        """Takes the graph's file when it is the one of this state; False when it must be built."""
        if state.count <= self.exact or not self._trusted(state):
            return False
        try:
            graph = Graph(self.dims, self._path)
        except (ImportError, RuntimeError, ValueError, OSError):
            return False  # built anew; a derived file is never repaired
        if len(graph) != state.count:
            return False
        self._engine, self.state, self._clean = graph, state, True
        return True

    def build(self, seqs: np.ndarray, rows: np.ndarray, state: State) -> None:
        """A fresh index of all embeddings; old files go first."""
        self.discard()
        large = len(seqs) > self.exact and has_usearch()
        self._engine = Graph(self.dims) if large else Exact(self.dims)
        if len(seqs):
            self._engine.add(seqs, rows)
        self.state = state

    def add(self, seqs: Sequence[int], rows: np.ndarray, state: State) -> None:
        """More embeddings (n, dims); a store that has grown large gets its graph."""
        self._soil()
        self._engine.add(np.asarray(seqs, np.int64), rows)
        self.state = state
        small = self._engine
        if isinstance(small, Exact) and len(small) > self.exact and has_usearch():
            self._engine = Graph(self.dims)
            self._engine.add(*small.items())

    def remove(self, seqs: Sequence[int], epoch: int) -> None:
        """Fewer embeddings; `epoch` is that of the store afterwards."""
        self._soil()
        self._engine.remove(seqs)
        self.state = State(self.state.count - len(seqs), self.state.last, epoch)

    def search(self, query: np.ndarray, k: int) -> list[Hit]:
        """The `k` nearest, best first."""
        return self._engine.search(query, k) if len(self._engine) else []

    def save(self) -> None:
        """Writes the graph and the note that vouches for it; the exact search has no file."""
        if self._clean or not isinstance(self._engine, Graph):
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._engine.save(self._path)
        note = {**asdict(self.state), "dims": self.dims, "sha256": _digest(self._path)}
        write_whole(self._note, json.dumps(note).encode())
        self._clean = True

    def discard(self) -> None:
        """Removes the files."""
        for path in (self._note, self._path):
            path.unlink(missing_ok=True)
        self._clean = False

    def stale(self, state: State) -> bool:
        """Whether there are files that are not those of this state."""
        there = self._path.exists() or self._note.exists()
        return there and not self._trusted(state)

    def _soil(self) -> None:
        """Takes the note away before the first change, so that a crash leaves none."""
        if self._clean:
            self._note.unlink(missing_ok=True)
            self._clean = False

    def _trusted(self, state: State) -> bool:
        note: Any
        try:
            note = json.loads(self._note.read_bytes())
            return note == {**asdict(state), "dims": self.dims, "sha256": _digest(self._path)}
        except (OSError, ValueError):
            return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
