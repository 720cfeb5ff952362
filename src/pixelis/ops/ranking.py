"""Which candidate mask is the object: measures of a mask in its window, and a score from them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import cv2
import numpy as np

from pixelis.ops.candidates import Candidate, Window, frame_contact
from pixelis.ops.clusters import clustered

MEASURES = (
    "edge_mean", "edge_low", "edge_median", "slope_mean", "slope_inside", "shared_ring",
    "shared_far", "ring_far", "spread_inside", "spread_ring", "contact", "border", "solidity",
    "roundness", "extent", "depth", "offset", "share_window", "share_picture", "side_log",
    "agree", "agree_windows",
)  # fmt: skip
COLORS = 24


class Palette:
    """The colours of a window reduced to a few, and its slope: shared by its candidates."""

    def __init__(self, window: Window) -> None:
        pixels = window.smooth.reshape(-1, 3)
        samples = pixels[:: max(len(pixels) // 1500, 1)]
        count = min(COLORS, len(samples))
        centres = clustered(samples, count, 6)[1]
        nearest = [((pixels - centre) ** 2).sum(1) for centre in centres]
        self.index = np.argmin(nearest, axis=0).reshape(window.smooth.shape[:2])
        self.count = count
        dx = cv2.Scharr(window.smooth, cv2.CV_32F, 1, 0) / 16
        dy = cv2.Scharr(window.smooth, cv2.CV_32F, 0, 1) / 16
        self.slope = np.sqrt((dx**2 + dy**2).sum(-1))

    def histogram(self, mask: np.ndarray) -> np.ndarray:
        counts = np.bincount(self.index[mask], minlength=self.count).astype(np.float64)
        return counts / max(counts.sum(), 1)


def measure(candidates: Sequence[Candidate], picture_px: int) -> np.ndarray:
    """One row of `MEASURES` per candidate, float64."""
    palettes: dict[int, Palette] = {}
    rows = []
    for candidate in candidates:
        key = id(candidate.window)
        if key not in palettes:
            palettes[key] = Palette(candidate.window)
        rows.append(_row(candidate, palettes[key], picture_px))
    table = np.array(rows, np.float64).reshape(len(rows), len(MEASURES) - 2)
    return np.hstack([table, _agreement(candidates)])


def _row(candidate: Candidate, palette: Palette, picture_px: int) -> list[float]:
    window, mask = candidate.window, candidate.mask
    area = float(np.count_nonzero(mask))
    near = _band(mask, max(2.0, 0.35 * math.sqrt(area)))
    far = ~mask & ~near
    inside, ring = palette.histogram(mask), palette.histogram(near)
    rest = palette.histogram(far) if far.any() else ring
    height, width = mask.shape
    return [
        *_edge(window.lab, mask),
        *_slopes(palette.slope, mask),
        float(np.minimum(inside, ring).sum()),
        float(np.minimum(inside, rest).sum()),
        float(np.minimum(ring, rest).sum()),
        _spread(window.smooth[mask]),
        _spread(window.smooth[near]),
        frame_contact(mask, window),
        _border(mask, window),
        *_form(mask),
        *_place(mask, window.seed),
        area / (height * width),
        math.log(area / window.scale**2 / picture_px),
        math.log(area) / 2 - math.log(window.scale),
    ]


def _band(mask: np.ndarray, radius: float) -> np.ndarray:
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return (outside > 0) & (outside <= radius + 0.5)


def _edge(lab: np.ndarray, mask: np.ndarray) -> tuple[float, float, float]:
    """Colour difference across the outline, each side averaged over a few pixels."""
    ys, xs = np.nonzero(mask)
    y1, x1 = max(ys.min() - 4, 0), max(xs.min() - 4, 0)
    part = (slice(y1, ys.max() + 5), slice(x1, xs.max() + 5))
    inside = mask[part].astype(np.float32)
    image = lab[part]
    kernel = (5, 5)
    weight_in = cv2.boxFilter(inside, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    mean_in = cv2.boxFilter(image * inside[..., None], -1, kernel, borderType=cv2.BORDER_REPLICATE)
    mean_all = cv2.boxFilter(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    line = (cv2.erode(mask[part].astype(np.uint8), np.ones((3, 3))) == 0) & mask[part]
    line &= (weight_in < 0.999) & (weight_in > 0.001)
    if not line.any():
        return 0.0, 0.0, 0.0
    w = weight_in[line][:, None]
    difference = mean_in[line] / w - (mean_all[line] - mean_in[line]) / (1 - w)
    steps = np.sqrt((difference**2).sum(1))
    low, median = np.percentile(steps, (15, 50))
    return float(steps.mean()) / 30, float(low) / 30, float(median) / 30


def _slopes(slope: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    small = mask.astype(np.uint8)
    core = cv2.erode(small, np.ones((5, 5)), borderValue=0) > 0
    line = (cv2.dilate(small, np.ones((3, 3))) > 0) & (cv2.erode(small, np.ones((3, 3))) == 0)
    scale = float(slope.mean()) + 1.0
    inner = float(slope[core].mean()) if core.any() else 0.0
    return float(slope[line].mean()) / scale, inner / scale


def _spread(colors: np.ndarray) -> float:
    return float(np.sqrt(colors.var(0).sum())) / 30 if len(colors) else 0.0


def _border(mask: np.ndarray, window: Window) -> float:
    """Share of the picture's own border lines in this window that the mask covers."""
    left, top, right, bottom = window.open_sides
    lines = [(left, mask[:, 0]), (top, mask[0]), (right, mask[:, -1]), (bottom, mask[-1])]
    touched = sum(int(np.count_nonzero(line)) for is_open, line in lines if not is_open)
    return touched / (2 * sum(mask.shape))


def _form(mask: np.ndarray) -> tuple[float, float, float]:
    small = np.pad(mask, 1).astype(np.uint8)
    contours = cv2.findContours(small, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    contour = max(contours, key=len)
    area = max(float(np.count_nonzero(mask)), 1.0)
    hull = cv2.convexHull(contour)
    hull_area = cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1
    length = max(cv2.arcLength(contour, True), 1.0)
    _, _, width, height = cv2.boundingRect(contour)
    return area / hull_area, min(4 * math.pi * area / length**2, 1.5), area / (width * height)


def _place(mask: np.ndarray, seed: tuple[int, int]) -> tuple[float, float]:
    inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    ys, xs = np.nonzero(mask)
    away = math.hypot(xs.mean() - seed[0], ys.mean() - seed[1])
    return float(inner[seed[1], seed[0]] / inner.max()), away / math.sqrt(len(xs))


def _agreement(candidates: Sequence[Candidate]) -> np.ndarray:
    """For each: the share of the others, and of the windows, that found nearly the same mask."""
    boxes = np.array([_extent(candidate) for candidate in candidates]).reshape(-1, 5)
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:4], boxes[None, :, 2:4])
    common = np.clip(high - low, 0, None).prod(-1)
    sizes = (boxes[:, 2:4] - boxes[:, :2]).prod(-1)
    overlap = common / (sizes[:, None] + sizes[None] - common)
    areas = boxes[:, 4]
    ratio = np.minimum(areas[:, None], areas[None]) / np.maximum(areas[:, None], areas[None])
    same = (overlap > 0.8) & (ratio > 0.8)
    names = [id(candidate.window) for candidate in candidates]
    groups = np.unique(names, return_inverse=True)[1]
    spread = [len(np.unique(groups[row])) for row in same]
    return np.stack([np.log(same.sum(1)), np.array(spread, float)], 1)


def _extent(candidate: Candidate) -> tuple[float, float, float, float, float]:
    ys, xs = np.nonzero(candidate.mask)
    scale, (x, y) = candidate.window.scale, candidate.window.box[:2]
    return (
        x + xs.min() / scale, y + ys.min() / scale,
        x + (xs.max() + 1) / scale, y + (ys.max() + 1) / scale, len(xs) / scale**2,
    )  # fmt: skip


# score ----------------------------------------------------------------------------------------
def score(candidates: Sequence[Candidate], picture_px: int) -> np.ndarray:
    """The IoU each candidate is expected to have with the object, in [0, 1].

    A two-layer perceptron on `MEASURES`, fitted to the true IoU on generated scenes by
    `benchmarks/ranking.py`, which writes `ranking.json`.
    """
    fitted = _fitted()
    values = (measure(candidates, picture_px) - fitted.mean) / fitted.deviation
    values = np.clip(values, -4, 4)
    for weight, bias in fitted.layers[:-1]:
        values = np.tanh(values @ weight + bias)
    weight, bias = fitted.layers[-1]
    return 1 / (1 + np.exp(-(values @ weight + bias)[:, 0]))


class _Fitted(NamedTuple):
    mean: np.ndarray
    deviation: np.ndarray
    layers: list[tuple[np.ndarray, np.ndarray]]


@cache
def _fitted() -> _Fitted:
    text = files("pixelis.ops").joinpath("ranking.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert tuple(record["measures"]) == MEASURES, "ranking.json is stale: run benchmarks/ranking.py"
    layers = [(np.array(weight), np.array(bias)) for weight, bias in record["layers"]]
    return _Fitted(np.array(record["mean"]), np.array(record["deviation"]), layers)
