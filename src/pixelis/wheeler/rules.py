"""Rules of change: what one tick does to a frame. NumPy, the reference for every faster path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from pixelis.errors import ConfigError

BETA, ETA = 60.0, 0.5
PEAK_PUSH, SLOPE_PULL = 0.35, 0.20


class Rule(Protocol):
    """One tick, (height, width) -> the same; values stay in [-1, 1]."""

    def tick(self, frame: np.ndarray) -> np.ndarray: ...


class Anchored:
    """A modern-Hopfield step on frames (Ramsauer et al. 2021): x <- (1 - eta) x + eta a X.

    X are the stored frames, a = softmax(beta * cosines of x with each of them). The cosine is
    taken after every cell is multiplied by the root of its weight in `metric`; without one all
    cells count alike. Without stored frames nothing moves.

    No energy is claimed: the textbook energy belongs to patterns of one norm and an un-normalised
    state, and rises here.

    Args:
        frames: (N, height, width), may be empty.
    """

    def __init__(
        self,
        frames: np.ndarray,
        beta: float = BETA,
        eta: float = ETA,
        metric: np.ndarray | None = None,
    ) -> None:
        flat = frames.reshape(len(frames), int(np.prod(frames.shape[1:])))
        self.frames = flat.astype(np.float64)
        self.beta, self.eta = beta, eta
        self.roots = np.ones(flat.shape[1]) if metric is None else np.sqrt(metric.ravel())
        self.unit = unit(self.frames * self.roots)

    def weights(self, frame: np.ndarray) -> np.ndarray:
        """How much each stored frame pulls, (N,), summing to 1."""
        return softmax(self.beta * self.likeness(frame))

    def likeness(self, frame: np.ndarray) -> np.ndarray:
        """Weighted cosine with each stored frame, (N,)."""
        return self.unit @ unit(frame.ravel().astype(np.float64) * self.roots)

    def tick(self, frame: np.ndarray) -> np.ndarray:
        if len(self.frames) == 0:
            return frame.copy()
        pull = self.weights(frame) @ self.frames
        return (1 - self.eta) * frame + self.eta * pull.reshape(frame.shape)


class Peaks:
    """Legacy: local maxima climb, local minima sink, slopes follow their highest neighbour.

    Four neighbours on a torus. A cell that is at least as high as all of them gains 0.35 of what
    it lacks to 1, one at least as low loses likewise towards -1 (a cell that is both sinks), any
    other moves by 0.20 towards its highest neighbour. Holds no memory.
    """

    def tick(self, frame: np.ndarray) -> np.ndarray:
        sides = [np.roll(frame, step, axis) for axis in (0, 1) for step in (1, -1)]
        highest, lowest = np.maximum.reduce(sides), np.minimum.reduce(sides)
        moved = SLOPE_PULL * (highest - frame)
        moved = np.where(frame >= highest, PEAK_PUSH * (1 - frame), moved)
        moved = np.where(frame <= lowest, PEAK_PUSH * (-1 - frame), moved)
        return np.clip(frame + moved, -1, 1)


class Smooth:
    """Legacy: tanh(1.5 * mean of the 3 x 3 cells around + 0.5 x) on a torus. Holds no memory."""

    def tick(self, frame: np.ndarray) -> np.ndarray:
        across = frame + np.roll(frame, 1, 1) + np.roll(frame, -1, 1)
        around = across + np.roll(across, 1, 0) + np.roll(across, -1, 0)
        return np.tanh(1.5 / 9 * around + 0.5 * frame)


LEGACY: dict[str, Callable[[], Rule]] = {"peaks": Peaks, "smooth": Smooth}
RULES = ("anchored", *LEGACY)


def legacy_rule(name: str) -> Rule:
    """A rule without memory by name; ConfigError names those there are."""
    if name not in LEGACY:
        raise ConfigError(f"no rule {name!r}; rules are {', '.join(RULES)}")
    return LEGACY[name]()


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)
