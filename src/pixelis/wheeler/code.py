"""Cells of `levels` values: the patterns tokens begin with, and how values are rounded."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def quantise(values: Tensor, levels: int) -> Tensor:
    """Rounds values of [-1, 1] to `levels` steps; the gradient passes as if nothing was rounded.

    Straight-through estimator (Bengio et al. 2013). Two levels are -1 and 1.
    """
    steps = levels - 1
    if steps == 1:
        rounded = torch.where(values >= 0, 1.0, -1.0).to(values.dtype)
    else:
        rounded = torch.round((values.clamp(-1, 1) + 1) * (steps / 2)) * (2 / steps) - 1
    return values + (rounded - values).detach()


def codewords(count: int, cells: int, levels: int, seed: int = 0) -> np.ndarray:
    """A pattern of cells in [-1, 1] for each of `count` tokens, (count, cells) float32.

    Patterns are all different while `levels ** cells` allows it, and then as far apart as a greedy
    choice among random candidates finds; tokens that come first (frequent ones) get the widest
    distances. With fewer patterns than tokens, the rarest tokens share one with a frequent token.
    """
    rng = np.random.default_rng(seed)
    room = levels**cells
    if room <= 4 * count:
        order = rng.permutation(min(room, 1 << 20))
        numbers = order[np.arange(count) % len(order)]
    else:
        numbers = _apart(rng, count, cells, levels)
    digits = (numbers[:, None] // levels ** np.arange(cells)) % levels
    return (digits * (2 / (levels - 1)) - 1).astype(np.float32)


def _apart(rng: np.random.Generator, count: int, cells: int, levels: int) -> np.ndarray:
    """Distinct numbers whose digits differ in many places, by best-of-candidates."""
    powers = levels ** np.arange(cells, dtype=np.int64)
    chosen = np.empty((count, cells), np.int64)
    chosen[0] = rng.integers(levels, size=cells)
    for number in range(1, count):
        candidates = rng.integers(levels, size=(24, cells))
        near = min(number, 2048)
        gaps = (candidates[:, None] != chosen[None, number - near : number]).sum(2).min(1)
        while gaps.max() == 0:
            candidates = rng.integers(levels, size=(24, cells))
            gaps = (candidates[:, None] != chosen[None, :number]).sum(2).min(1)
        chosen[number] = candidates[gaps.argmax()]
    return chosen @ powers
