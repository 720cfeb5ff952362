"""Masks as COCO writes them: polygons, and run lengths down the columns, plain or packed.

Run lengths count pixels column by column from the top left, starting with a run outside the mask.
Packed counts are a text of 6-bit characters (value + 48): five bits of the number each, lowest
first, bit 0x20 when more follow; from the third run on each number is a difference to the run two
before it (maskApi.c of the COCO API, `rleToString`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from skimage import draw


def decode(counts: Sequence[int] | str | bytes, height: int, width: int) -> np.ndarray:
    """Boolean mask of shape (height, width).

    Raises ValueError when the runs do not cover exactly height times width pixels.
    """
    runs = unpack(counts) if isinstance(counts, str | bytes) else counts
    lengths = np.asarray(runs, np.int64)
    if lengths.ndim != 1 or (lengths < 0).any():
        raise ValueError("run lengths must be whole numbers that are not negative")
    total = int(lengths.sum())
    if total != height * width:
        raise ValueError(f"runs cover {total} pixels; the mask has {height * width}")
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(width, height).T


def encode(mask: np.ndarray) -> list[int]:
    """Run lengths of a boolean mask (height, width), the first of them outside the mask."""
    flat = np.asarray(mask, bool).T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    bounds = [0, *edges.tolist(), len(flat)]
    runs = np.diff(bounds).tolist() if len(flat) else []
    return [0, *runs] if len(flat) and flat[0] else runs


def unpack(text: str | bytes) -> list[int]:
    """The run lengths in a packed text; ValueError for characters outside the code."""
    data = text.encode("latin-1", "replace") if isinstance(text, str) else text
    runs: list[int] = []
    value = shift = 0
    for byte in data:
        code = byte - 48
        if not 0 <= code < 64:
            raise ValueError(f"packed run lengths hold the character {chr(byte)!r}")
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            continue
        if code & 0x10:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("packed run lengths end in the middle of a number")
    return runs


def pack(runs: Sequence[int]) -> str:
    """Run lengths as a packed text."""
    letters = []
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            code = value & 0x1F
            value >>= 5
            more = value != (-1 if code & 0x10 else 0)
            letters.append(chr(48 + (code | (0x20 if more else 0))))
    return "".join(letters)


def fill(polygons: Sequence[Sequence[float]], height: int, width: int) -> np.ndarray:
    """Boolean mask (height, width) of the inside of polygons [x1, y1, x2, y2, ...].

    A pixel is inside when its centre is; the polygons are joined.
    """
    mask = np.zeros((height, width), bool)
    for polygon in polygons:
        points = np.asarray(polygon, np.float64).reshape(-1, 2) - 0.5  # from corners to centres
        rows, columns = draw.polygon(points[:, 1], points[:, 0], mask.shape)
        mask[rows, columns] = True
    return mask
