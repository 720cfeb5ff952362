"""The object under a point: proposals at many scales, the best by a fitted score, refined.

`Classic` needs no model. Anything with its `segment` method can stand in its place (`Segmenter`).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import cv2
import numpy as np

from pixelis.geometry import Point
from pixelis.ops.candidates import (
    Candidate,
    Window,
    around,
    cut_window,
    filled,
    grabcut,
    propose,
    windows,
)
from pixelis.ops.ranking import score

REFINE_SIDE_PX = 384


class Region(NamedTuple):
    """A boolean mask of the picture's height and width, and how sure it is one object, [0, 1]."""

    mask: np.ndarray
    confidence: float


class Segmenter(Protocol):
    """What `segment_object_at` needs from a backend."""

    def segment(self, rgb: np.ndarray, point: Point) -> Region | None:
        """The object at a point of a uint8 RGB picture (height, width, 3); None without one."""


class Classic:
    """Segmentation without a neural model; deterministic, on windows of bounded size."""

    def segment(self, rgb: np.ndarray, point: Point) -> Region | None:
        """The object at a point; its confidence is the IoU expected of such a mask."""
        seed = int(point.x), int(point.y)
        found = [candidate for window in windows(rgb, *seed) for candidate in propose(window)]
        if not found:
            return None
        scores = score(found, rgb.shape[0] * rgb.shape[1])
        best = int(scores.argmax())
        mask = refined(rgb, found[best], seed)
        return Region(mask, float(scores[best])) if mask.any() else None


def refined(rgb: np.ndarray, candidate: Candidate, seed: tuple[int, int]) -> np.ndarray:
    """The candidate as a mask of the whole picture; its edge is found again at finer resolution."""
    window = candidate.window
    if window.scale >= 1:
        return _placed(candidate.mask.astype(np.float32), window.box, rgb.shape)
    box = _padded(candidate, rgb.shape)
    fine = cut_window(rgb, box, seed, REFINE_SIDE_PX)
    coarse = _placed(candidate.mask.astype(np.float32), window.box, rgb.shape)
    x1, y1, x2, y2 = box
    size = fine.rgb.shape[1::-1]
    start = cv2.resize(coarse[y1:y2, x1:x2].astype(np.float32), size) > 0.5
    mask = _edge_again(fine, start, 1.2 * fine.scale / window.scale)
    return _placed(mask.astype(np.float32), box, rgb.shape)


def _edge_again(fine: Window, start: np.ndarray, reach: float) -> np.ndarray:
    """GrabCut that may only move the outline of `start` by `reach` pixels."""
    inside = cv2.distanceTransform(np.pad(start, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    outside = cv2.distanceTransform((~start).astype(np.uint8), cv2.DIST_L2, 3)
    labels = np.where(start, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[inside > reach] = cv2.GC_FGD
    labels[outside > reach] = cv2.GC_BGD
    found = grabcut(fine.rgb, labels, 1)
    if found is None:
        return start
    part = around(found, fine.seed)
    return start if part is None else filled(part, 0.02)


def _placed(part: np.ndarray, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> np.ndarray:
    """A soft mask of a box, brought to the box's size, in a boolean mask of the picture."""
    x1, y1, x2, y2 = box
    if part.shape != (y2 - y1, x2 - x1):
        part = cv2.resize(part, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
    mask = np.zeros(shape[:2], bool)
    mask[y1:y2, x1:x2] = part > 0.5
    return mask


def _padded(candidate: Candidate, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The candidate's box in picture pixels with a margin for the background."""
    window = candidate.window
    ys, xs = np.nonzero(candidate.mask)
    x0, y0 = window.box[:2]
    low = x0 + xs.min() / window.scale, y0 + ys.min() / window.scale
    high = x0 + (xs.max() + 1) / window.scale, y0 + (ys.max() + 1) / window.scale
    margin = 0.15 * max(high[0] - low[0], high[1] - low[1]) + 4 / window.scale
    return (
        max(int(low[0] - margin), 0), max(int(low[1] - margin), 0),
        min(int(high[0] + margin) + 1, shape[1]), min(int(high[1] + margin) + 1, shape[0]),
    )  # fmt: skip
