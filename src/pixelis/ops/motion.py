"""How a followed object may move: steady velocity with small pushes, several guesses at once.

A `Guess` is one possible past of the object, ending in a Gaussian state per axis (position and
velocity, the same covariance for x and y). Units: px of the working picture, frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

STEP = np.array([[1.0, 1.0], [0.0, 1.0]])  # position takes on the velocity once a frame


class Place(NamedTuple):
    """A candidate in one frame: centre, how well it fits, and share of evidence in [0, 1]."""

    x: float
    y: float
    fit: float
    evidence: float

    @property
    def point(self) -> np.ndarray:
        return np.array([self.x, self.y])


@dataclass(frozen=True, eq=False)
class Guess:
    """One possible past.

    Attributes:
        mean: rows position and velocity, columns x and y.
        spread: covariance of position and velocity, shape (2, 2).
        score: log-likelihood of this past so far.
        missing: frames since the object was last seen, 0 when it is seen now.
        seen: the place in this frame, None while missing.
        glimpse: evidence at the predicted place, in [0, 1]; a half hidden object shows some.
        shift: motion of the camera before this frame, (2,).
        before: the same past one frame earlier.
    """

    mean: np.ndarray
    spread: np.ndarray
    score: float
    missing: int = 0
    seen: Place | None = None
    glimpse: float = 0.0
    shift: np.ndarray | None = None
    before: Guess | None = None

    @property
    def position(self) -> np.ndarray:
        return self.mean[0]

    @property
    def velocity(self) -> np.ndarray:
        return self.mean[1]

    def past(self) -> list[Guess]:
        """From the first frame to this one."""
        guesses: list[Guess] = []
        guess: Guess | None = self
        while guess is not None:
            guesses.append(guess)
            guess = guess.before
        return guesses[::-1]


class Ahead(NamedTuple):
    """Where a guess says the object is one frame on; `score` has the cost of getting there."""

    guess: Guess
    mean: np.ndarray
    spread: np.ndarray
    score: float


def start(x: float, y: float, side: float) -> Guess:
    """The object's place is known, its velocity may be anything up to about half a side."""
    spread = np.diag([(0.02 * side) ** 2, (0.3 * side) ** 2])
    return Guess(np.array([[x, y], [0.0, 0.0]]), spread, 0.0, seen=Place(x, y, 1.0, 1.0))


def pushes(sigma: float) -> np.ndarray:
    """Covariance that one frame of random acceleration adds."""
    return sigma**2 * np.array([[0.25, 0.5], [0.5, 1.0]])


def predict(guess: Guess, sigma: float, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance one frame later, under acceleration `sigma` and the camera's shift."""
    mean = STEP @ guess.mean
    return mean + np.array([shift, np.zeros(2)]), STEP @ guess.spread @ STEP.T + pushes(sigma)


def observe(
    mean: np.ndarray, spread: np.ndarray, point: np.ndarray, noise: float, row: int = 0
) -> tuple[np.ndarray, np.ndarray, float]:
    """The state after measuring position (`row` 0) or velocity (1), and the squared surprise."""
    total = spread[row, row] + noise**2
    gain = spread[:, row] / total
    off = point - mean[row]
    after = spread - np.outer(gain, spread[row])
    return mean + gain[:, None] * off[None, :], after, float(off @ off / total)


def smooth(past: list[Guess], sigma: float) -> np.ndarray:
    """Positions (frames, 2) given the whole past: Rauch-Tung-Striebel on the guesses' states."""
    states = [guess.mean for guess in past]
    means = [past[-1].mean]
    for number in range(len(past) - 2, -1, -1):
        guess, after = past[number], past[number + 1]
        shift = after.shift if after.shift is not None else np.zeros(2)
        mean, spread = predict(guess, sigma, shift)
        gain = guess.spread @ STEP.T @ np.linalg.inv(spread + 1e-9 * np.eye(2))
        means.append(states[number] + gain @ (means[-1] - mean))
    return np.array([mean[0] for mean in means[::-1]])


def best_guesses(guesses: list[Guess], most: int, near: float) -> list[Guess]:
    """The likeliest pasts, of those that end alike (within `near` px) only the best."""
    kept: list[Guess] = []
    ends: list[tuple[float, ...]] = []
    reach = (near, near, 0.4 * near, 0.4 * near, 0.5)
    for guess in sorted(guesses, key=lambda g: -g.score):
        if len(kept) == most:
            break
        end = (*guess.mean.ravel().tolist(), float(guess.missing > 0))
        alike = (all(abs(a - b) < r for a, b, r in zip(end, e, reach, strict=True)) for e in ends)
        if not any(alike):
            kept.append(guess)
            ends.append(end)
    return kept
