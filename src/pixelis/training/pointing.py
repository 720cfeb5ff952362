"""Where the model should look while it writes coordinates.

A tiny model does not find out by itself that "the blue star" means those image tokens: attention
starts uniform, the gradient through it is faint, and locating stays on a plateau. So while it
writes a box or a point, some heads of two middle layers are taught to look at the image tokens
that the box covers. The heads are ordinary ones; nothing of this is needed afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

LAYERS = (1, 2)
HEADS = slice(0, 3)


class Grid(NamedTuple):
    """Where an image's tokens lie in a sequence: first position, rows and columns of tokens."""

    start: int
    rows: int
    columns: int


class Pointer(NamedTuple):
    """At position `at` (which predicts a coordinate) attention belongs on positions `to`; what is
    written there is `box` (in sides of the image; a point has both corners in one place)."""

    at: int
    to: np.ndarray
    box: tuple[float, float, float, float]


def runs(values: Sequence[int | None], is_comma: Sequence[bool]) -> Iterator[list[int]]:
    """Positions of the numbers of each written point or box.

    Args:
        values: the number a position holds when it was written by the model, else None.
        is_comma: whether the position holds the separator.
    """
    place = 0
    while place < len(values):
        if values[place] is None:
            place += 1
            continue
        run = [place]
        while place + 2 < len(values) and is_comma[place + 1] and values[place + 2] is not None:
            place += 2
            run.append(place)
        if len(run) in (2, 4):
            yield run
        place += 1


def covered(numbers: Sequence[int], grid: Grid) -> np.ndarray:
    """Positions of the image tokens a point or box (0..1000) covers; never empty."""
    scale = np.array([grid.columns, grid.rows]) / 1000
    low = np.array(numbers[:2]) * scale
    high = np.array(numbers[-2:]) * scale
    middle = np.minimum((low + high) / 2, [grid.columns - 1e-3, grid.rows - 1e-3]).astype(int)
    xs, ys = np.arange(grid.columns) + 0.5, np.arange(grid.rows) + 0.5
    inside_x, inside_y = (xs > low[0]) & (xs < high[0]), (ys > low[1]) & (ys < high[1])
    inside = inside_y[:, None] & inside_x[None]
    inside[middle[1], middle[0]] = True
    return grid.start + np.flatnonzero(inside)


def pointers(
    values: Sequence[int | None],
    is_comma: Sequence[bool],
    turn: Sequence[int],
    grids: Sequence[Grid],
) -> list[Pointer]:
    """What to look at for every coordinate of a sequence.

    Args:
        values, is_comma: see `runs`.
        turn: number of the image that is spoken of at each position.
    """
    found = []
    for run in runs(values, is_comma):
        grid = grids[turn[run[0]]]
        numbers = [int(values[place] or 0) for place in run]
        to = covered(numbers, grid)
        x1, y1, x2, y2 = (value / 1000 for value in (*numbers[:2], *numbers[-2:]))
        found += [Pointer(place - 1, to, (x1, y1, x2, y2)) for place in run]
    return found


def pointing_loss(
    attentions: Sequence[torch.Tensor], rows: torch.Tensor, at: torch.Tensor, to: torch.Tensor
) -> torch.Tensor:
    """Minus log of the attention that lies where it belongs, mean over positions and heads.

    Args:
        attentions: per layer (batch, heads, length, length), rows sum to one.
        rows, at: (n,) which sequence and position.
        to: (n, length) bool, where attention belongs.
    """
    total = torch.zeros((), device=at.device)
    for layer in LAYERS:
        weights = attentions[layer][rows, HEADS, at].float()
        mass = (weights * to[:, None]).sum(-1)
        total = total - torch.log(mass + 1e-6).mean()
    return total / len(LAYERS)


def telling_loss(told: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """L1 between the boxes a linear head reads off the hidden state and the ones to be written.

    Attention alone was right long before what it fetched was of any use: this asks the value path
    for the box itself.
    """
    return (told - boxes).abs().mean()
