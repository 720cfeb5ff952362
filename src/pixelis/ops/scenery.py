"""What stands still behind a tracked object: the picture without moving things, and camera motion.

Pictures here are BGR, shape (height, width, 3), uint8.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

STILL_PX = 0.75  # a camera whose pictures shift less than this between samples stands still
NOISE_FLOOR = 5.0  # grey levels; compression moves pixels this much without anything moving


class Scenery:
    """The empty scene before a camera that stands still.

    Attributes:
        picture: per-pixel median of the samples, float32 (height, width, 3).
        noise: per-pixel spread of the samples about it, in grey levels, float32 (height, width).
    """

    def __init__(self, samples: Sequence[np.ndarray]) -> None:
        rows = [
            _rest(np.stack([s[y : y + 64] for s in samples])) for y in range(0, len(samples[0]), 64)
        ]
        self.picture = np.concatenate([picture for picture, _ in rows])
        quiet = np.concatenate([spread for _, spread in rows])
        self.noise = np.maximum(cv2.GaussianBlur(quiet, (0, 0), 2.0) * 1.5, NOISE_FLOOR)

    def moving(self, frame: np.ndarray) -> np.ndarray:
        """How surely each pixel differs from the empty scene, float32 (height, width) in [0, 1]."""
        pixels = frame.astype(np.float32)
        # flicker and exposure change the whole picture by one factor
        coarse, empty = pixels[::4, ::4].mean(axis=2), self.picture[::4, ::4].mean(axis=2)
        gain = float(np.median(empty / np.maximum(coarse, 1.0)))
        blue, green, red = cv2.split(cv2.absdiff(pixels * np.float32(gain), self.picture))
        apart = cv2.GaussianBlur(cv2.max(cv2.max(blue, green), red), (0, 0), 1.2)
        return np.clip((apart - 1.5 * self.noise) / (2.5 * self.noise), 0.0, 1.0)


def _rest(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median of (samples, height, width, 3) and the usual spread about it, (height, width)."""
    middle = np.median(stack, axis=0)
    spread = np.abs(stack.astype(np.int16) - middle.astype(np.int16)).max(axis=3)
    # the lower half of the spreads: passers-by make the upper half
    quiet = np.percentile(spread, 50, axis=0, method="lower")
    return middle.astype(np.float32), quiet.astype(np.float32)


def learn_scenery(samples: Sequence[np.ndarray]) -> Scenery | None:
    """The scene behind these pictures, or None when they are too few or the camera moves."""
    if len(samples) < 5:
        return None
    greys = [cv2.cvtColor(sample, cv2.COLOR_BGR2GRAY) for sample in samples]
    shifts = [camera_shift(greys[0], grey) for grey in greys[1:]]
    return Scenery(samples) if max(np.hypot(*shift) for shift in shifts) < STILL_PX else None


def camera_shift(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """How far the scene moved between two grey pictures of one size: dx, dy in px.

    Median of Lucas-Kanade flow at corners all over the picture that trace back to where they began;
    (0, 0) when nothing can be traced.
    """
    points = cv2.goodFeaturesToTrack(before, 200, 0.01, 12)
    if points is None:
        return 0.0, 0.0
    starts, ends = traced(before, after, points)
    if len(starts) < 8:
        return 0.0, 0.0
    dx, dy = np.median(ends - starts, axis=0)
    return float(dx), float(dy)


def traced(
    before: np.ndarray, after: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The points (n, 1, 2) that flow can follow forth and back within a pixel: starts and ends."""
    size, levels = (15, 15), 3
    ends, ok, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, points.copy(), winSize=size, maxLevel=levels
    )
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(
        after, before, ends, points.copy(), winSize=size, maxLevel=levels
    )
    near = np.linalg.norm(back - points, axis=2).ravel() < 1.0
    good = (ok.ravel() == 1) & (ok_back.ravel() == 1) & near
    return points[good].reshape(-1, 2), ends[good].reshape(-1, 2)
