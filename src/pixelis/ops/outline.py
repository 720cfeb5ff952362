"""The name of a mask's shape: matched to templates of every shape at every rotation.

The mask is read on a polar grid about its centre, its area normalised; there a rotation is a shift,
so one Fourier product compares it with a template at all rotations (Tanimoto overlap, which is IoU
for crisp masks). The best template names the shape; a poor best means `irregular`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

SHAPES = (
    "circle", "ellipse", "square", "rectangle", "triangle", "pentagon", "hexagon", "star", "cross",
    "heart", "diamond", "crescent", "arrow", "ring", "irregular",
)  # fmt: skip
ANGLES = 120
RADII = 36
FINE = 3  # readings averaged into one ring, so that thin rings do not fall between them
REACH = 2.7  # of the radius of a disc of equal area
RASTER_PX = 192
PIXEL_BLUR = 0.35
SHARPEST = 12  # templates for masks of 64 x 64 px serve larger ones too
LEAST_MATCH = 0.93  # for compact shapes; the others vary more, so less is asked of them
LEAST_MATCH_OF = {
    "heart": 0.945, "star": 0.9, "cross": 0.9, "crescent": 0.9, "arrow": 0.885, "ring": 0.89,
}  # fmt: skip
LOSS_PX = 0.15  # a mask whose area is s x s px may match worse by LOSS_PX / s


class Shape(NamedTuple):
    """A named shape; `match` is the overlap with its template in [0, 1], `angle_deg` its turn."""

    name: str
    match: float
    angle_deg: float
    second: str


def shape_of(mask: np.ndarray) -> Shape:
    """Names the shape of a boolean mask (height, width) with at least one pixel."""
    grid = polar(mask)
    side = float(np.sqrt(np.count_nonzero(mask)))
    names, spectra, powers = _library(min(round(2 * np.log2(side)), SHARPEST))
    spectrum = np.fft.rfft(grid, axis=0)
    cross = np.fft.irfft(np.einsum("kar,ar->ka", spectra.conj(), spectrum), ANGLES, axis=1)
    power = float((grid**2).sum())
    overlap = cross / np.maximum(power + powers[:, None] - cross, 1e-9)
    scores = overlap.max(1)
    best = int(scores.argmax())
    name = names[best]
    others = [(float(scores[i]), other) for i, other in enumerate(names) if other != name]
    turn = float(overlap[best].argmax()) * 360 / ANGLES
    match = float(scores[best])
    if match < LEAST_MATCH_OF.get(name, LEAST_MATCH) - LOSS_PX / side:
        return Shape("irregular", match, turn, name)
    return Shape(name, match, turn, max(others)[1])


def polar(mask: np.ndarray) -> np.ndarray:
    """Coverage on rings about the centroid, weighted by ring area: float32 (ANGLES, RADII).

    Any real mask in [0, 1] will do; the result is of unit scale whatever its size.
    """
    weight = np.asarray(mask, np.float32)
    total = float(weight.sum())
    ys, xs = np.mgrid[: weight.shape[0], : weight.shape[1]]
    centre = float((xs * weight).sum()) / total, float((ys * weight).sum()) / total
    unit = np.sqrt(total / np.pi)
    radii = (np.arange(RADII * FINE) + 0.5) * REACH / (RADII * FINE)
    angles = np.arange(ANGLES) * 2 * np.pi / ANGLES
    away = (radii * unit)[None, :]
    map_x = (centre[0] + np.cos(angles)[:, None] * away).astype(np.float32)
    map_y = (centre[1] + np.sin(angles)[:, None] * away).astype(np.float32)
    grid = cv2.remap(weight, map_x, map_y, cv2.INTER_LINEAR, borderValue=0)
    grid = grid.reshape(ANGLES, RADII, FINE).mean(2)
    return grid * np.sqrt(radii.reshape(RADII, FINE).mean(1))


@cache
def _library(step: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Template names, their spectra (templates, frequencies, RADII), their powers (templates,).

    They are blurred as much as the pixels of a mask of area 2**step blur its outline.
    """
    names, grids = [], []
    for name, outlines in templates():
        names.append(name)
        large = raster(outlines)
        pixel = np.sqrt(float(large.sum()) / 2.0**step)
        grids.append(polar(cv2.GaussianBlur(large, (0, 0), PIXEL_BLUR * pixel)))
    stack = np.stack(grids)
    return names, np.fft.rfft(stack, axis=1), (stack**2).sum((1, 2))


def raster(outlines: list[np.ndarray]) -> np.ndarray:
    """float32 coverage of a unit outline (later ones are holes), drawn large."""
    canvas = np.zeros((RASTER_PX, RASTER_PX), np.uint8)
    reach = max(float(np.abs(outline).max()) for outline in outlines)
    for index, outline in enumerate(outlines):
        points = (outline / reach * (RASTER_PX / 2 - 2) + RASTER_PX / 2) * 256
        cv2.fillPoly(canvas, [np.round(points).astype(np.int32)], 0 if index else 255, 16, 8)
    return canvas.astype(np.float32) / 255


# templates ------------------------------------------------------------------------------------
def templates() -> Iterator[tuple[str, list[np.ndarray]]]:
    """Every template as a name and its outlines (corner arrays in any scale)."""
    yield from _round()
    yield from _cornered()
    yield from _emblems()


def _round() -> Iterator[tuple[str, list[np.ndarray]]]:
    disc = _polygon(72)
    yield "circle", [disc]
    for aspect in (1.28, 1.45, 1.65, 1.9, 2.2, 2.6, 3.1, 3.8):
        yield "ellipse", [disc * [aspect, 1]]
    for shift in (0.35, 0.5, 0.65, 0.8):
        for radius in (0.8, 0.95):
            yield "crescent", [_crescent(shift, radius)]
    for hole in (0.28, 0.35, 0.42, 0.48, 0.54, 0.59, 0.64, 0.68, 0.72, 0.76, 0.8, 0.84, 0.88):
        yield "ring", [disc, disc * hole]


def _cornered() -> Iterator[tuple[str, list[np.ndarray]]]:
    square = _polygon(4) @ _turn(45)
    yield "square", [square]
    for aspect in (1.28, 1.45, 1.65, 1.9, 2.2, 2.6, 3.1, 3.8, 5.0):
        yield "rectangle", [square * [aspect, 1]]
    for aspect in (0.7, 0.85, 1.0, 1.2, 1.5):
        yield "triangle", [_polygon(3) * [1, aspect]]
    yield "triangle", [np.array([(0, 0), (1, 0), (0, 1)], float) - 1 / 3]
    yield "pentagon", [_polygon(5)]
    yield "hexagon", [_polygon(6)]
    for aspect in (1.35, 1.6, 1.9, 2.3):
        yield "diamond", [_polygon(4) * [1, aspect]]


def _emblems() -> Iterator[tuple[str, list[np.ndarray]]]:
    for points, inner in ((5, 0.38), (5, 0.45), (5, 0.54), (4, 0.4), (6, 0.5), (8, 0.6)):
        yield "star", [_star(points, inner)]
    for arm in (0.2, 0.28, 0.36, 0.44):
        yield "cross", [_cross(arm)]
    for depth in (0.75, 0.9, 1.05):
        yield "heart", [_heart(depth)]
    heads = ((0.2, 0.8, 0.6), (0.3, 0.9, 0.75), (0.25, 1.0, 0.9), (0.4, 0.8, 0.9))
    for shaft, head, width in heads:
        yield "arrow", [_arrow(shaft, head, width)]


def _polygon(corners: int) -> np.ndarray:
    angles = np.arange(corners) * 2 * np.pi / corners - np.pi / 2
    return np.stack([np.cos(angles), np.sin(angles)], 1)


def _turn(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _star(points: int, inner: float) -> np.ndarray:
    outline = _polygon(2 * points)
    outline[1::2] *= inner
    return outline


def _cross(arm: float) -> np.ndarray:
    quarter = np.array([(arm, -1), (arm, -arm), (1, -arm)])
    return np.concatenate([quarter @ _turn(90 * k) for k in range(4)])


def _heart(depth: float) -> np.ndarray:
    """Two round lobes over a point (a cardioid-like curve stretched by `depth`)."""
    t = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    x = np.sin(t) ** 3
    y = (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    return np.stack([x, -depth * y], 1)


def _crescent(shift: float, radius: float) -> np.ndarray:
    """A disc less a disc of `radius` whose centre is `shift` to the right."""
    crossing = (1 - radius**2 + shift**2) / (2 * shift)
    start = np.arccos(np.clip(crossing, -1, 1))
    outer = np.linspace(start, 2 * np.pi - start, 60)
    tip = np.arctan2(np.sin(start), np.cos(start) - shift)
    inner = np.linspace(2 * np.pi - tip, tip, 60)
    bite = np.stack([shift + radius * np.cos(inner), radius * np.sin(inner)], 1)
    return np.concatenate([np.stack([np.cos(outer), np.sin(outer)], 1), bite])


def _arrow(shaft: float, head: float, width: float) -> np.ndarray:
    """Length 2, pointing right: half-width of the shaft, length of the head, its half-width."""
    neck = 1 - head
    half = np.array([(-1, -shaft), (neck, -shaft), (neck, -width), (1, 0)])
    return np.concatenate([half, (half * [1, -1])[-2::-1]])
