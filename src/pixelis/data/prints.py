"""Fingerprints of pictures: whether two files show the same, however they are scaled or packed.

The hash is the sign of the 64 lowest frequencies of a 32x32 grey picture against their median
(Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"). Two pictures
are near when at most `BITS` signs differ and, because plain pictures share their signs, an 8x8
colour thumbnail agrees as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

BITS = 4
COLOR_STEPS = 8.0  # mean difference of the thumbnails, of 255
BANDS = BITS + 1  # with at most BITS differences one of so many bands is the same


class Print(NamedTuple):
    """The hash (64 bits), and the thumbnail, uint8 (8, 8, 3)."""

    hash: int
    thumbnail: np.ndarray


def print_of(image: Image.Image) -> Print:
    """The fingerprint of an RGB picture."""
    grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS), np.float32)
    low = cv2.dct(grey)[:8, :8].reshape(-1)
    signs = low > np.median(low[1:])
    thumbnail = np.asarray(image.convert("RGB").resize((8, 8), Image.Resampling.BOX))
    return Print(int(np.packbits(signs).tobytes().hex(), 16), thumbnail)


def near(first: Print, second: Print) -> bool:
    """Whether both show the same picture."""
    if (first.hash ^ second.hash).bit_count() > BITS:
        return False
    gap = np.abs(first.thumbnail.astype(np.int16) - second.thumbnail).mean()
    return bool(gap <= COLOR_STEPS)


def near_pairs(prints: Sequence[Print]) -> list[tuple[int, int]]:
    """Every pair of near pictures, by their places; without comparing all with all."""
    bands: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, one in enumerate(prints):
        for number, low, high in _edges():
            bands[number, (one.hash >> low) & ((1 << (high - low)) - 1)].append(place)
    pairs: set[tuple[int, int]] = set()
    for members in bands.values():
        pairs |= {
            pair
            for pair in combinations(members, 2)
            if pair not in pairs and near(prints[pair[0]], prints[pair[1]])
        }
    return sorted(pairs)


def _edges() -> list[tuple[int, int, int]]:
    bounds = [64 * number // BANDS for number in range(BANDS + 1)]
    return [(number, bounds[number], bounds[number + 1]) for number in range(BANDS)]
