"""k-means on colour samples, the same result every time."""

from __future__ import annotations

import cv2
import numpy as np


def clustered(
    samples: np.ndarray, count: int, rounds: int, attempts: int = 1
) -> tuple[np.ndarray, np.ndarray, float]:
    """Labels (samples,), centres (count, channels) and the remaining squared distance.

    Args:
        samples: float32 (samples, channels), at least `count` rows.
        rounds: Lloyd iterations; the first centres are drawn by k-means++ from a fixed seed.
        attempts: how many starts to take the best of.
    """
    if len(samples) == 1:
        return np.zeros(1, int), samples.copy(), 0.0
    criteria = (cv2.TERM_CRITERIA_COUNT, rounds, 0.0)
    labels = np.zeros((len(samples), 1), np.int32)
    data = np.ascontiguousarray(samples, np.float32)
    cv2.setRNGSeed(0)
    left, found, centres = cv2.kmeans(
        data, count, labels, criteria, attempts, cv2.KMEANS_PP_CENTERS
    )
    return np.asarray(found)[:, 0], np.asarray(centres), float(left)
