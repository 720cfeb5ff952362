"""Selective sample replay: informative groups of the past in the place of those that teach nothing.

As training goes on, most groups come out all right or all wrong and have no gradient;
Pixel-Reasoner (arXiv 2505.15966, after VL-Rethinker, 2504.08837) fills their places with earlier
groups whose rewards differed. Groups are kept whole, so their advantages still sum to nothing;
those with larger advantages are drawn more often. What they are worth is corrected by the ratio of
the policies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from pixelis.training.lines import Weighed, read_lines, write_lines

Group = tuple[Weighed, ...]


class Buffer:
    """The last `size` informative groups; 0 keeps none.

    Attributes:
        groups: oldest first.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.groups: list[Group] = []

    def add(self, group: Sequence[Weighed]) -> None:
        """Keeps a group; the oldest goes when there is no room. Its episodes share equal images."""
        shown: dict[bytes, Image.Image] = {}
        kept = []
        for line, advantage, _ in group:
            images = tuple(shown.setdefault(_pixels(image), image) for image in line.images)
            kept.append(Weighed(replace(line, images=images), advantage, True))
        self.groups.append(tuple(kept))
        del self.groups[: max(len(self.groups) - self.size, 0)]

    def draw(self, count: int, rng: np.random.Generator) -> list[Group]:
        """Up to `count` different groups, by the sizes of their advantages."""
        count = min(count, len(self.groups))
        if not count:
            return []
        sizes = np.array([sum(abs(one.advantage) for one in group) for group in self.groups])
        chances = sizes / sizes.sum()
        chosen = rng.choice(len(self.groups), count, replace=False, p=chances)
        return [self.groups[int(index)] for index in chosen]

    def save(self, folder: Path, name: str) -> None:
        """Into a checkpoint."""
        write_lines(folder, name, self.groups)

    def load(self, folder: Path, name: str) -> None:
        """As it was saved; CheckpointError when it cannot be read."""
        self.groups = [tuple(group) for group in read_lines(folder, name)]


def _pixels(image: Image.Image) -> bytes:
    """Equal for images of equal size and pixels."""
    return hashlib.sha256(f"{image.size}".encode() + image.tobytes()).digest()
