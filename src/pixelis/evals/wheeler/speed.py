"""Ticks a second: NumPy reference, batched torch, the fast path, and what memory allows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from pixelis.evals.wheeler.figures import Figure
from pixelis.wheeler import batch
from pixelis.wheeler.rules import Anchored
from pixelis.wheeler.shelf import SHORT, Shelf

SIDE, SIZES, TOGETHER = 64, (1000, 10_000, 100_000), 32
LEAST_S, ROUNDS = 0.2, 5


def speed_figures(sizes: tuple[int, ...] = SIZES, side: int = SIDE) -> list[Figure]:
    """Ticks a second of every path at every size; the fast path counts its search as well."""
    copied = bandwidth()
    table = {str(size): row_of(size, side, copied) for size in sizes}
    last = table[str(sizes[-1])]
    fast = last["fast path, settled a second"]
    plain = last["NumPy reference, ticks a second"]
    return [
        Figure(
            f"speed, {side}x{side}, {sizes[-1]} memories, frames settled a second",
            fast,
            0.0,
            True,
            how="search by bits and settling among the best, one frame at a time",
            baselines={"dynamics off": last["fast path, searched a second"]},
            more={"by size": table, "copied, GB/s": round(copied / 1e9, 1), "reference": plain},
        )
    ]


def row_of(size: int, side: int, copied: float) -> dict[str, Any]:
    """All paths with `size` random frames of two levels."""
    rng = np.random.default_rng(size)
    cells = side * side
    shelf = Shelf(cells, room=size)
    for start in range(0, size, 10_000):
        some = rng.integers(0, 2, (min(10_000, size - start), cells), np.int8) * 2 - 1
        shelf.add(some)
    frame = shelf.frames(np.array([size // 2]))[0]
    hurt = np.where(rng.random(cells) < 0.3, -frame, frame).astype(np.float32)
    stored = torch.from_numpy(shelf.frames())
    ticks = int(settle_fast(shelf, hurt).ticks[0])
    settled = each_second(lambda: settle_fast(shelf, hurt))
    return {
        **_torch(stored, hurt),
        "bound, ticks a second": round(copied / (2 * size * cells * 4), 1),
        "fast path, searched a second": each_second(lambda: shelf.nearest(hurt, SHORT)),
        "fast path, settled a second": settled,
        "fast path, ticks a second, search included": round(ticks * settled, 1),
        "bound of the search, a second": round(copied / shelf.bytes_each / size, 1),
        "NumPy reference, ticks a second": _reference(stored.numpy(), hurt),
    }


def _torch(stored: torch.Tensor, hurt: np.ndarray) -> dict[str, float]:
    """Ticks of one frame, and of many together, among all stored frames."""
    unit = torch.nn.functional.normalize(stored, dim=1)
    one, many = torch.from_numpy(hurt[None]), torch.from_numpy(np.tile(hurt, (TOGETHER, 1)))

    def tick(frames: torch.Tensor) -> None:
        batch.pulls(frames, unit, None, 60.0) @ stored

    together = TOGETHER * each_second(lambda: tick(many))
    return {
        "torch, ticks a second": each_second(lambda: tick(one)),
        f"torch, {TOGETHER} frames together, ticks a second": round(together, 1),
    }


def _reference(stored: np.ndarray, hurt: np.ndarray) -> float | None:
    """The reference's ticks a second; None where its frames in double precision, kept twice and
    once more while they are scaled, do not fit the memory that is free."""
    if "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return None
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if 4 * 8 * stored.size > free:
        return None
    rule = Anchored(stored)
    return each_second(lambda: rule.tick(hurt))


def settle_fast(shelf: Shelf, probe: np.ndarray) -> batch.Settled:
    """Search and settling, as the memory does it."""
    near = shelf.nearest(probe, SHORT)
    stored = torch.from_numpy(shelf.frames(near.places))
    return batch.settle(torch.from_numpy(probe[None]), stored)


def each_second(work: Callable[[], object]) -> float:
    """How often a second, after one warm-up: the best of five rounds of at least 0.2 s.

    The best, because other processes can only make a round slower.
    """
    work()
    best = 0.0
    for _ in range(ROUNDS):
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < LEAST_S:
            work()
            count += 1
        best = max(best, count / spent)
    return round(best, 1)


def bandwidth(megabytes: int = 256) -> float:
    """Bytes a second that this machine reads while summing floats, the best of five."""
    data = torch.ones(megabytes * 2**18)
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        data.sum()
        best = max(best, data.nbytes / (time.perf_counter() - start))
    return best
