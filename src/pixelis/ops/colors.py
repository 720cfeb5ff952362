"""Colour names: the eleven basic terms, and the dominant colours of a region.

A colour is named after the nearest anchor in CIE Lab by CIEDE2000 (Sharma, Wu and Dalal 2005).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000

from pixelis.ops.clusters import clustered

ANCHORS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "black": ((0, 0, 0), (26, 26, 26), (20, 22, 34), (34, 24, 20)),
    "white": ((255, 255, 255), (244, 244, 244), (250, 246, 232), (236, 243, 250)),
    "grey": ((75, 75, 75), (105, 105, 105), (128, 128, 128), (160, 160, 160), (192, 192, 192),
             (212, 212, 212), (112, 124, 136), (140, 132, 124)),
    "red": ((255, 0, 0), (220, 20, 30), (178, 20, 28), (139, 0, 0), (215, 60, 50), (100, 0, 10),
            (200, 50, 70)),
    "orange": ((255, 140, 0), (255, 165, 0), (240, 110, 20), (210, 100, 20), (255, 180, 100)),
    "yellow": ((255, 255, 0), (255, 215, 0), (250, 225, 70), (255, 250, 150), (220, 200, 30),
               (205, 180, 40), (255, 252, 205)),
    "green": ((0, 255, 0), (0, 128, 0), (60, 180, 70), (20, 80, 30), (110, 140, 60),
              (150, 200, 60), (150, 230, 150), (0, 170, 120), (100, 170, 130), (60, 80, 40),
              (190, 240, 120)),
    "blue": ((0, 0, 255), (0, 0, 128), (30, 100, 200), (60, 150, 230), (135, 206, 250),
             (0, 190, 220), (20, 40, 80), (90, 120, 170), (70, 130, 140), (120, 140, 230),
             (180, 220, 250), (70, 60, 190), (208, 252, 252)),
    "purple": ((128, 0, 128), (90, 30, 120), (150, 70, 190), (180, 130, 220), (120, 90, 150),
               (110, 20, 80), (160, 50, 150), (75, 20, 90), (200, 160, 230), (135, 40, 255)),
    "pink": ((255, 192, 203), (255, 105, 180), (255, 20, 147), (240, 130, 170), (220, 120, 150),
             (230, 60, 120), (255, 130, 250), (250, 150, 140), (205, 135, 145)),
    "brown": ((139, 69, 19), (101, 60, 30), (150, 90, 50), (165, 115, 70), (70, 42, 22),
              (190, 150, 100), (120, 90, 60), (110, 75, 65), (130, 50, 20)),
}  # fmt: skip
NAMES = tuple(ANCHORS)
CLUSTERS = 6
CHROMATIC = 14.0
SAME_HUE_DEG = 24.0
SAME_LIGHTNESS = 22.0


class Color(NamedTuple):
    """A named colour of a region; `share` is the part of its pixels, in [0, 1]."""

    name: str
    rgb: tuple[int, int, int]
    share: float


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab (D65) of uint8-range RGB values, shape (..., 3), float32."""
    flat = np.asarray(rgb, np.float32).reshape(1, -1, 3) / 255
    return cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(np.shape(rgb))


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """uint8 RGB of CIE Lab values, shape (..., 3)."""
    flat = np.asarray(lab, np.float32).reshape(1, -1, 3)
    rgb = cv2.cvtColor(flat, cv2.COLOR_LAB2RGB).reshape(np.shape(lab))
    return np.clip(np.round(rgb * 255), 0, 255).astype(np.uint8)


@cache
def _anchors() -> tuple[np.ndarray, np.ndarray]:
    owner = [index for index, name in enumerate(NAMES) for _ in ANCHORS[name]]
    rgb = np.array([anchor for name in NAMES for anchor in ANCHORS[name]])
    return to_lab(rgb), np.array(owner)


def name_of(lab: np.ndarray) -> np.ndarray:
    """Indices into `NAMES` of Lab colours, shape (...)."""
    anchors, owner = _anchors()
    points = np.asarray(lab, np.float64)[..., None, :]
    return owner[np.argmin(deltaE_ciede2000(points, anchors), axis=-1)]


def color_name(rgb: tuple[int, int, int]) -> str:
    """The basic colour term for one RGB colour."""
    return NAMES[int(name_of(to_lab(np.array(rgb))))]


def dominant(rgb: np.ndarray, mask: np.ndarray, most: int = 3) -> list[Color]:
    """The colours of a region, largest share first; never empty for a mask with a pixel.

    A thin border (mixed with the background) is left out where the region is thick enough. Shades
    of one hue count as one colour, so shading does not split it and a highlight does not name it.

    Args:
        rgb: uint8 (height, width, 3).
        mask: boolean (height, width), at least one pixel set.
        most: how many colours to list.
    """
    pixels = to_lab(rgb[_core(mask)])
    labels, centres = _clusters(pixels)
    groups = _merged(centres, np.bincount(labels, minlength=len(centres)))
    found = []
    for group in groups:
        own = pixels[np.isin(labels, group)]
        lab = _typical(own)
        red, green, blue = (int(value) for value in to_rgb(lab))
        name = NAMES[int(name_of(lab))]
        found.append(Color(name, (red, green, blue), round(len(own) / len(pixels), 3)))
    return sorted(_by_name(found), key=lambda color: -color.share)[:most]


def _core(mask: np.ndarray) -> np.ndarray:
    inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    reach = float(inner.max())
    margin = min(2.0, 0.25 * reach)
    core = inner > margin
    return core if core.any() else mask


def _clusters(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """k-means in Lab with lightness counted less: labels (pixels,), Lab centres (clusters, 3)."""
    weight = np.array([0.6, 1, 1], np.float32)
    samples = pixels[:: max(len(pixels) // 4000, 1)] * weight
    centres = clustered(samples, min(CLUSTERS, len(samples)), 15)[1]
    distances = np.stack([((pixels * weight - centre) ** 2).sum(1) for centre in centres], 1)
    return distances.argmin(1), centres / weight


def _merged(centres: np.ndarray, counts: np.ndarray) -> list[list[int]]:
    """Clusters that are shades of one colour, grouped around the larger ones."""
    order = [int(index) for index in np.argsort(-counts, kind="stable") if counts[index]]
    groups: list[list[int]] = []
    for index in order:
        home = next(
            (group for group in groups if any(_alike(centres[index], centres[i]) for i in group)),
            None,
        )
        if home is None:
            groups.append([index])
        else:
            home.append(index)
    return groups


def _alike(first: np.ndarray, second: np.ndarray) -> bool:
    chroma = float(np.hypot(*first[1:])), float(np.hypot(*second[1:]))
    if min(chroma) < CHROMATIC:
        near = abs(float(first[0] - second[0])) < SAME_LIGHTNESS
        return near and max(chroma) < 1.8 * CHROMATIC
    turn = np.rad2deg(np.arctan2(first[2], first[1]) - np.arctan2(second[2], second[1]))
    return abs((turn + 180) % 360 - 180) < SAME_HUE_DEG


def _typical(pixels: np.ndarray) -> np.ndarray:
    """The Lab colour that stands for shades of one colour: neither in shadow nor in a highlight."""
    chroma = np.hypot(pixels[:, 1], pixels[:, 2])
    if np.median(chroma) < CHROMATIC:
        return np.median(pixels, axis=0)
    low, high = np.percentile(chroma, (50, 95))
    return np.median(pixels[(chroma >= low) & (chroma <= high)], axis=0)


def _by_name(colors: list[Color]) -> list[Color]:
    """Groups of the same name joined; the larger one's RGB stands for them."""
    joined: dict[str, Color] = {}
    for color in sorted(colors, key=lambda entry: -entry.share):
        first = joined.get(color.name)
        share = round(color.share + (first.share if first else 0.0), 3)
        joined[color.name] = Color(color.name, first.rgb if first else color.rgb, share)
    return list(joined.values())
