"""The legacy rules once more, cell by cell, from their words alone; slow and independent."""

from __future__ import annotations

import math

import numpy as np


def peaks_by_cell(frame: np.ndarray) -> np.ndarray:
    """One tick of `peaks`."""
    height, width = frame.shape
    out = np.empty_like(frame)
    for y in range(height):
        for x in range(width):
            here = frame[y, x]
            sides = [
                frame[(y + 1) % height, x],
                frame[(y - 1) % height, x],
                frame[y, (x + 1) % width],
                frame[y, (x - 1) % width],
            ]
            if here <= min(sides):
                moved = here + 0.35 * (-1 - here)
            elif here >= max(sides):
                moved = here + 0.35 * (1 - here)
            else:
                moved = here + 0.20 * (max(sides) - here)
            out[y, x] = min(1.0, max(-1.0, moved))
    return out


def smooth_by_cell(frame: np.ndarray) -> np.ndarray:
    """One tick of `smooth`."""
    height, width = frame.shape
    out = np.empty_like(frame)
    for y in range(height):
        for x in range(width):
            around = [
                frame[(y + dy) % height, (x + dx) % width] for dy in (-1, 0, 1) for dx in (-1, 0, 1)
            ]
            out[y, x] = math.tanh(1.5 * sum(around) / 9 + 0.5 * frame[y, x])
    return out
