"""Stored frames in little room, and the fast way to those that matter for a probe.

Frames of two levels are kept as one bit a cell (128 bytes for 32 x 32); others keep their level in
a byte beside it. A probe is compared with the bits of all frames by counting differing bits, where
cells of which the probe is surer and which the metric weighs more count up to three times; the best
`k` are then compared exactly, and settling runs among them alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

WORD = 64
CHUNK = 16384  # frames scanned at a time: small enough for the second-level cache
PLANES = 2  # bits of a cell's weight in the scan
SHORT = 256  # frames that are compared exactly


class Near(NamedTuple):
    """The frames nearest to a probe, best first: their places on the shelf and their likeness."""

    places: np.ndarray
    likeness: np.ndarray


class Shelf:
    """Frames of `cells` cells with `levels` values each, as bits.

    Places are numbers from 0 in order of adding; removing one moves the last frame into its place.
    """

    def __init__(self, cells: int, levels: int = 2, room: int = 1024) -> None:
        self.cells, self.levels, self.count = cells, levels, 0
        self._words = -(-cells // WORD)
        self._bits = np.zeros((self._words, room), np.uint64)
        self._values = np.zeros((room, cells), np.uint8) if levels > 2 else None

    def __len__(self) -> int:
        return self.count

    @property
    def bytes_each(self) -> int:
        """Bytes that one frame takes."""
        return self._words * 8 + (self.cells if self.levels > 2 else 0)

    def add(self, frames: np.ndarray) -> range:
        """Keeps frames (N, cells) in [-1, 1]; gives their places."""
        start, stop = self.count, self.count + len(frames)
        self._grow(stop)
        self._bits[:, start:stop] = pack(frames)
        if self._values is not None:
            steps = (frames + 1) * ((self.levels - 1) / 2)
            self._values[start:stop] = np.rint(steps).astype(np.uint8)
        self.count = stop
        return range(start, stop)

    def remove(self, place: int) -> int:
        """Drops a frame; gives the place that the last frame, now moved there, had."""
        last = self.count - 1
        self._bits[:, place] = self._bits[:, last]
        self._bits[:, last] = 0
        if self._values is not None:
            self._values[place] = self._values[last]
            self._values[last] = 0
        self.count = last
        return last

    def frames(self, places: np.ndarray | None = None) -> np.ndarray:
        """Frames as stored, float32 (N, cells), in [-1, 1]."""
        chosen = np.arange(self.count) if places is None else np.asarray(places)
        if self._values is not None:
            return self._values[chosen].astype(np.float32) * (2 / (self.levels - 1)) - 1
        words = np.ascontiguousarray(self._bits[:, chosen].T)
        bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, : self.cells]
        return bits.astype(np.float32) * 2 - 1

    def shortlist(
        self, probe: np.ndarray, k: int = SHORT, metric: np.ndarray | None = None
    ) -> np.ndarray:
        """Places of the `k` frames whose bits differ least from a probe (cells,), in no order."""
        if self.count <= k:
            return np.arange(self.count)
        differ = self._differences(probe, metric)
        return np.argpartition(differ, k - 1)[:k]

    def nearest(
        self,
        probe: np.ndarray,
        k: int = SHORT,
        metric: np.ndarray | None = None,
        among: np.ndarray | None = None,
    ) -> Near:
        """The shortlist, or the places `among` which to look, in exact order of weighted cosine."""
        places = self.shortlist(probe, k, metric) if among is None else among
        roots = None if metric is None else np.sqrt(metric.ravel(), dtype=np.float32)
        rows, asked = self.frames(places), probe.ravel().astype(np.float32)
        if roots is not None:
            rows, asked = rows * roots, asked * roots
        scale = np.linalg.norm(rows, axis=1) * (np.linalg.norm(asked) or 1.0)
        likeness = rows @ asked / np.where(scale > 0, scale, 1)
        order = np.argsort(-likeness, kind="stable")
        return Near(places[order], likeness[order])

    def _differences(self, probe: np.ndarray, metric: np.ndarray | None) -> np.ndarray:
        """Weighted number of cells whose sign differs, for every frame, uint16."""
        signs = pack(probe.reshape(1, -1))[:, 0]
        planes = _planes(np.abs(probe.ravel()) * (1 if metric is None else metric.ravel()))
        total = np.zeros(self.count, np.uint16)
        for start in range(0, self.count, CHUNK):
            stop = min(start + CHUNK, self.count)
            part = total[start:stop]
            for word, sign in enumerate(signs):
                differ = self._bits[word, start:stop] ^ sign
                for power, plane in enumerate(planes):
                    if plane[word]:
                        part += np.bitwise_count(differ & plane[word]).astype(np.uint16) << power
        return total

    def _grow(self, wanted: int) -> None:
        room = self._bits.shape[1]
        if wanted <= room:
            return
        more = max(wanted, 2 * room) - room
        self._bits = np.pad(self._bits, ((0, 0), (0, more)))
        if self._values is not None:
            self._values = np.pad(self._values, ((0, more), (0, 0)))


def pack(frames: np.ndarray) -> np.ndarray:
    """Signs of frames (N, cells) as bits, uint64 (words, N); a bit is set where a cell is >= 0."""
    bits = np.packbits(frames >= 0, axis=1, bitorder="little")
    spare = -bits.shape[1] % (WORD // 8)
    padded = np.ascontiguousarray(np.pad(bits, ((0, 0), (0, spare))))
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _planes(weights: np.ndarray) -> list[np.ndarray]:
    """Weights of cells in 0..3, as bit planes of uint64 words, the lowest bit first."""
    most = float(weights.max()) or 1.0
    steps = np.rint(weights * ((1 << PLANES) - 1) / most).astype(np.int64)
    return [pack(np.where(steps >> power & 1, 1.0, -1.0)[None])[:, 0] for power in range(PLANES)]
