"""Which episodes a step learns from, and how they lie in its passes: pure functions of a seed.

A step draws the same episodes whether its rows are padded or packed, and whether it is reached at
once or after a restart; so nothing of it must be saved but the step's number and the mixture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


def balanced(weights: Sequence[float], families: Sequence[str], most: float) -> np.ndarray:
    """Chances of being drawn, summing to 1, no family drawn over `most` times the rarest.

    Weights of families that would be are scaled down; 0 for `most` leaves them as they are.
    """
    chances = np.asarray(weights, np.float64)
    if most:
        named = np.asarray(families)
        totals = {name: chances[named == name].sum() for name in Counter(families)}
        limit = most * min(totals.values())
        for name, total in totals.items():
            if total > limit:
                chances[named == name] *= limit / total
    return chances / chances.sum()


@dataclass(frozen=True)
class Order:
    """Episodes by step.

    Attributes:
        chances: of each episode, summing to 1.
        bands: `easy`, `medium` or `hard`, of each.
        count: episodes in one step.
    """

    chances: np.ndarray
    bands: tuple[str, ...]
    count: int
    seed: int

    def at(self, step: int, shares: Mapping[str, float] | None = None) -> list[int]:
        """The episodes of a step, as indices.

        Where all chances are the same and no shares are asked for, each comes once before any
        comes again. Else they are drawn, without repeating one in a step where there are enough.

        Args:
            shares: of each band; bands without an episode leave theirs to the others.
        """
        chances = self._mixed(shares)
        if chances is None:
            return self._shuffled(step)
        rng = np.random.default_rng([self.seed, 5, step])
        enough = int((chances > 0).sum()) >= self.count
        drawn = rng.choice(len(chances), self.count, replace=not enough, p=chances)
        return [int(index) for index in drawn]

    def _mixed(self, shares: Mapping[str, float] | None) -> np.ndarray | None:
        """Chances with these shares of the bands; None when they are all the same."""
        if shares is None:
            same = np.allclose(self.chances, self.chances[0], rtol=1e-9)
            return None if same else self.chances
        bands = np.asarray(self.bands)
        chances = self.chances.copy()
        for band in set(self.bands):
            inside = bands == band
            chances[inside] *= shares.get(band, 0.0) / chances[inside].sum()
        total = chances.sum()
        return chances / total if total > 0 else self.chances

    def _shuffled(self, step: int) -> list[int]:
        size = len(self.chances)
        places = range(step * self.count, (step + 1) * self.count)
        passes = {place // size for place in places}
        orders = {
            number: np.random.default_rng([self.seed, 7, number]).permutation(size)
            for number in passes
        }
        return [int(orders[place // size][place % size]) for place in places]


def rows(chosen: Sequence[int], lengths: Sequence[int], count: int) -> list[list[int]]:
    """The episodes of a step in `count` packed rows of nearly the same number of tokens.

    The longest goes first, each into the row that is shortest by then; no row stays empty when
    there are at least `count` episodes.
    """
    filled: list[list[int]] = [[] for _ in range(count)]
    tokens = [0] * count
    for index in sorted(chosen, key=lambda one: (-lengths[one], one)):
        least = min(range(count), key=lambda row: (tokens[row], len(filled[row])))
        filled[least].append(index)
        tokens[least] += lengths[index]
    return filled


def batches(chosen: Sequence[int], lengths: Sequence[int], count: int) -> list[list[int]]:
    """The episodes of a step in `count` padded batches of equal size, like lengths together."""
    ordered = sorted(chosen, key=lambda one: (lengths[one], one))
    size = -(-len(ordered) // count)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]
