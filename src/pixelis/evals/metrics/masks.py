"""How well a found mask covers the true one: IoU, Dice, and the F1 of their outlines."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

CORNERS = np.ones((3, 3), bool)


def iou(found: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two boolean masks of one shape; 1 when both are empty."""
    _check(found, truth)
    union = np.count_nonzero(found | truth)
    return np.count_nonzero(found & truth) / union if union else 1.0


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    """Twice the intersection over the sum of both (F1 of the pixels); 1 when both are empty."""
    _check(found, truth)
    total = np.count_nonzero(found) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(found & truth) / total if total else 1.0


def boundary_f1(found: np.ndarray, truth: np.ndarray, tolerance_px: float = 2.0) -> float:
    """F1 of outline pixels within `tolerance_px` of the other outline (Csurka et al. 2013).

    An outline is the pixels of a mask that touch its outside, corners included; what lies beyond
    the picture counts as outside. 1 when both masks are empty, 0 when one of them is.
    """
    _check(found, truth)
    mine, theirs = outline(found), outline(truth)
    if not mine.any() or not theirs.any():
        return float(mine.any() == theirs.any())
    precision = (ndimage.distance_transform_edt(~theirs)[mine] <= tolerance_px).mean()
    recall = (ndimage.distance_transform_edt(~mine)[theirs] <= tolerance_px).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def outline(mask: np.ndarray) -> np.ndarray:
    """The pixels of a mask that touch its outside."""
    return mask & ~ndimage.binary_erosion(mask, CORNERS)


def _check(found: np.ndarray, truth: np.ndarray) -> None:
    if found.shape != truth.shape or found.dtype != bool or truth.dtype != bool:
        raise ValueError(
            f"two boolean masks of one shape are needed; came {found.dtype} {found.shape} and "
            f"{truth.dtype} {truth.shape}"
        )
