"""CLEAR MOT: how well found tracks follow the true ones (Bernardin and Stiefelhagen 2008)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from pixelis.geometry import Box

GATE = 0.5  # IoU from which a found box can be a true one
Tracks = Mapping[str, Mapping[int, Box]]
NEVER = 1e6  # cost of a pair that must not be matched


@dataclass(frozen=True)
class Clear:
    """Counts over all frames; add those of several videos before reading the rates.

    Attributes:
        truths: true boxes; misses of them were not found.
        false: found boxes that are none of them.
        switches: true objects that went on under another name.
        matches: pairs, whose IoU sums up to `overlap`.
    """

    truths: int = 0
    misses: int = 0
    false: int = 0
    switches: int = 0
    matches: int = 0
    overlap: float = 0.0

    def __add__(self, other: Clear) -> Clear:
        mine, theirs = vars(self), vars(other)
        return Clear(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def mota(self) -> float | None:
        """1 - (misses + false + switches) / truths, at most 1; None without truths."""
        wrong = self.misses + self.false + self.switches
        return 1 - wrong / self.truths if self.truths else None

    @property
    def motp(self) -> float | None:
        """Mean IoU of the pairs (higher is better); None without pairs."""
        return self.overlap / self.matches if self.matches else None


def clear(found: Tracks, truth: Tracks, gate: float = GATE) -> Clear:
    """Pairs boxes frame by frame: who was paired before stays so, the rest by least 1 - IoU.

    Args:
        found: boxes by frame number, by name of the track; truth likewise.
        gate: least IoU of a pair.
    """
    total = Clear()
    last: dict[str, str] = {}
    frames = {n for tracks in (found, truth) for track in tracks.values() for n in track}
    for frame in sorted(frames):
        mine = {name: track[frame] for name, track in found.items() if frame in track}
        theirs = {name: track[frame] for name, track in truth.items() if frame in track}
        pairs = _paired(mine, theirs, last, gate)
        switches = sum(last.get(true, name) != name for true, name in pairs.items())
        last |= pairs
        overlaps = [mine[name].iou(theirs[true]) for true, name in pairs.items()]
        total += Clear(
            len(theirs),
            len(theirs) - len(pairs),
            len(mine) - len(pairs),
            switches,
            len(pairs),
            sum(overlaps),
        )
    return total


def _paired(
    mine: Mapping[str, Box], theirs: Mapping[str, Box], last: Mapping[str, str], gate: float
) -> dict[str, str]:
    """True name to found name in one frame."""
    kept = {
        true: last[true]
        for true in theirs
        if last.get(true) in mine and mine[last[true]].iou(theirs[true]) >= gate
    }
    names = [name for name in mine if name not in kept.values()]
    trues = [true for true in theirs if true not in kept]
    if not names or not trues:
        return kept
    cost = np.array([[1 - mine[name].iou(theirs[true]) for name in names] for true in trues])
    cost[cost > 1 - gate] = NEVER
    rows, columns = linear_sum_assignment(cost)
    matched = {
        trues[row]: names[column]
        for row, column in zip(rows, columns, strict=True)
        if cost[row, column] < NEVER
    }
    return kept | matched
