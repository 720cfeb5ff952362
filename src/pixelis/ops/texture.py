"""The pattern of a region: plain, striped, dotted, checkered or textured, with its measures."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from pixelis.ops.clusters import clustered
from pixelis.ops.colors import to_lab

APART = 16.0
LEAST_SHARE = 0.1
TWO_COLORS = 0.68
ROUGH = 6.0
ALONG = 0.62
NECK = 0.35  # of the widest inner radius: corners of a chequerboard touch more thinly
EVEN_SHARE = 0.3


class Texture(NamedTuple):
    """A named pattern.

    Attributes:
        contrast: Lab distance between the two main colours.
        roughness: mean Lab difference of neighbouring pixels.
        coherence: how far the slopes agree on one direction, in [0, 1].
    """

    name: str
    contrast: float
    roughness: float
    coherence: float


def texture_of(rgb: np.ndarray, mask: np.ndarray) -> Texture:
    """Names the pattern inside a mask; `rgb` is uint8 (height, width, 3), the mask has pixels."""
    lab = to_lab(rgb)
    core = _core(mask)
    dx = cv2.Scharr(lab, cv2.CV_32F, 1, 0) / 32
    dy = cv2.Scharr(lab, cv2.CV_32F, 0, 1) / 32
    roughness = float(np.sqrt((dx**2 + dy**2).sum(-1))[core].mean())
    coherence = _coherence(dx[core], dy[core])
    light, contrast, explained = _halves(lab, core)
    name = "plain"
    share = min(light.sum(), core.sum() - light.sum()) / core.sum()
    if contrast > APART and share > LEAST_SHARE and explained > TWO_COLORS:
        name = _pattern(light, core & ~light, coherence, share)
    elif roughness > ROUGH:
        name = "textured"
    return Texture(name, round(contrast, 1), round(roughness, 2), round(coherence, 3))


def _core(mask: np.ndarray) -> np.ndarray:
    inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    core = inner > min(3.0, 0.2 * float(inner.max()))
    return core if core.any() else mask


def _coherence(dx: np.ndarray, dy: np.ndarray) -> float:
    """Of the structure tensor over all pixels: 1 for parallel stripes, 0 without a direction."""
    xx, yy, xy = float((dx**2).sum()), float((dy**2).sum()), float((dx * dy).sum())
    return float(np.hypot(xx - yy, 2 * xy) / (xx + yy)) if xx + yy > 0 else 0.0


def _halves(lab: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The pixels nearer to one of two colours, their distance, and the variance they explain."""
    pixels = np.ascontiguousarray(lab[core], np.float32)
    if len(pixels) < 2:
        return np.zeros_like(core), 0.0, 0.0
    labels, centres, left = clustered(pixels, 2, 12, 2)
    total = float(((pixels - pixels.mean(0)) ** 2).sum())
    first = np.zeros_like(core)
    first[core] = labels == 0
    contrast = float(np.linalg.norm(centres[0] - centres[1]))
    return first, contrast, 1 - left / total if total else 0.0


def _pattern(first: np.ndarray, second: np.ndarray, coherence: float, share: float) -> str:
    one, other = sorted((_pieces(first), _pieces(second)))
    if other < 2:
        return "plain"
    if coherence > ALONG:
        return "striped" if one >= 1 and one + other >= 4 else "plain"
    if one >= 3 and share > EVEN_SHARE:
        return "checkered"
    return "dotted" if other >= 3 else "plain"


def _pieces(mask: np.ndarray) -> int:
    """Pieces that are not specks, cut apart where only a thin neck joins them."""
    inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    mask = inner > NECK * float(inner.max())
    stats = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)[2][1:]
    if not len(stats):
        return 0
    areas = stats[:, cv2.CC_STAT_AREA]
    return int(np.count_nonzero(areas >= max(3, 0.1 * areas.max())))
