"""Candidate masks for the object under a point, proposed at several scales.

Around the point lie square windows, each twice as wide as the last, each looked at with a similar
number of pixels. In every window several classical methods propose masks that contain the point;
which of them is the object is decided elsewhere (`ranking`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from pixelis.ops.clusters import clustered

SMALLEST_WINDOW_PX = 48
LEAST_WINDOW_PX = 25
WORKING_SIDE_PX = 112
GRABCUT_SIDE_PX = 72
FRAME_SHARE = 0.07
FRAME_COLORS = 4
COLOR_STEPS = (6.0, 9.0, 13.0, 18.0, 25.0, 34.0)
LOCAL_STEPS = (1.5, 2.5, 4.0, 6.0)
LIGHTNESS_WEIGHT = 0.6


@dataclass(frozen=True)
class Window:
    """A part of the picture at working resolution.

    Attributes:
        box: x1, y1, x2, y2 in picture pixels.
        scale: working pixels per picture pixel.
        rgb: uint8 (height, width, 3).
        lab: float32 CIE Lab of `rgb`.
        smooth: `lab` with fine texture removed, edges kept.
        seed: x, y of the point in working pixels.
        open_sides: left, top, right, bottom: True where the picture goes on outside.
    """

    box: tuple[int, int, int, int]
    scale: float
    rgb: np.ndarray
    lab: np.ndarray
    smooth: np.ndarray
    seed: tuple[int, int]
    open_sides: tuple[bool, bool, bool, bool]

    @property
    def side(self) -> int:
        return max(self.rgb.shape[:2])


class Candidate(NamedTuple):
    """A proposed mask: boolean, in the working pixels of `window`; `method` is who proposed it."""

    window: Window
    mask: np.ndarray
    method: str


def windows(rgb: np.ndarray, x: int, y: int) -> Iterator[Window]:
    """Windows around a point, small to large, the last one covering the whole picture."""
    height, width = rgb.shape[:2]
    side = SMALLEST_WINDOW_PX
    while True:
        box = (
            max(x - side // 2, 0), max(y - side // 2, 0),
            min(x + side // 2, width), min(y + side // 2, height),
        )  # fmt: skip
        whole = box == (0, 0, width, height)
        if whole or side * 2 < 3 * max(width, height):
            yield cut_window(rgb, box, (x, y))
        if whole:
            return
        side *= 2
        if side >= 1.5 * max(width, height):
            side = 4 * max(width, height)


def cut_window(
    rgb: np.ndarray, box: tuple[int, int, int, int], point: tuple[int, int],
    side_px: int = WORKING_SIDE_PX,
) -> Window:  # fmt: skip
    """The part of a uint8 RGB picture in `box`, shrunk until its longer side is `side_px`."""
    x1, y1, x2, y2 = box
    part = rgb[y1:y2, x1:x2]
    scale = min(1.0, side_px / max(part.shape[:2]))
    if scale < 1:
        size = (max(round((x2 - x1) * scale), 1), max(round((y2 - y1) * scale), 1))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    part = np.ascontiguousarray(part)
    lab = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    smooth = cv2.bilateralFilter(cv2.medianBlur(part, 3), 5, 24, 3)
    smooth = cv2.cvtColor(smooth.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    seed = (
        min(int((point[0] - x1 + 0.5) * part.shape[1] / (x2 - x1)), part.shape[1] - 1),
        min(int((point[1] - y1 + 0.5) * part.shape[0] / (y2 - y1)), part.shape[0] - 1),
    )
    sides = (x1 > 0, y1 > 0, x2 < rgb.shape[1], y2 < rgb.shape[0])
    return Window(box, scale, part, lab, smooth, seed, sides)


def propose(window: Window) -> list[Candidate]:
    """Every distinct plausible mask in a window, holes filled."""
    found: list[Candidate] = []
    if window.rgb.size < 3 * LEAST_WINDOW_PX:
        return found
    parts: list[np.ndarray] = []
    for method, mask in _raw(window):
        part = around(mask, window.seed)
        if part is None or _known(part, parts):
            continue
        parts.append(part)
        part = filled(part)
        for name, variant in ((method, part), *_variants(method, part, window)):
            if _plausible(variant, window) and not _known(variant, [c.mask for c in found]):
                found.append(Candidate(window, variant, name))
    return found


def _raw(window: Window) -> Iterator[tuple[str, np.ndarray]]:
    for sigma in (0.0, 0.02, 0.05):
        image = window.smooth
        if sigma:
            image = cv2.GaussianBlur(window.lab, (0, 0), max(sigma * window.side, 0.8))
        distance = color_distance(image, _seed_color(image, window.seed))
        for step in COLOR_STEPS:
            yield "color", distance < step
    for step in LOCAL_STEPS:
        yield "local", _flood(window.smooth, window.seed, step)
    yield from _against_frame(window)
    mask = _grabcut_window(window)
    if mask is not None:
        yield "grabcut", mask


def color_distance(image: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Distance of every Lab pixel to one Lab color, lightness counted less than hue."""
    difference = image - color
    difference[..., 0] *= LIGHTNESS_WEIGHT
    return np.sqrt((difference**2).sum(-1))


def _seed_color(image: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
    x, y = seed
    patch = image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
    return np.median(patch.reshape(-1, 3), axis=0).astype(np.float32)


def _flood(image: np.ndarray, seed: tuple[int, int], step: float) -> np.ndarray:
    """Pixels reached from the seed without a jump of more than `step` in any Lab channel."""
    mask = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
    jump = (step / LIGHTNESS_WEIGHT, step, step)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (255 << 8)
    cv2.floodFill(image.copy(), mask, seed, 0, jump, jump, flags)
    return mask[1:-1, 1:-1] > 0


def frame_mask(window: Window) -> np.ndarray:
    """The band along the window's sides that stands for the background."""
    height, width = window.rgb.shape[:2]
    band = max(2, round(FRAME_SHARE * window.side))
    frame = np.ones((height, width), bool)
    frame[band : height - band, band : width - band] = False
    return frame


def _against_frame(window: Window) -> Iterator[tuple[str, np.ndarray]]:
    """Pixels unlike the colours along the window's frame, at several strictnesses."""
    frame = window.smooth[frame_mask(window)]
    weight = np.array([LIGHTNESS_WEIGHT, 1, 1], np.float32)
    samples = frame[:: max(len(frame) // 500, 1)] * weight
    labels, centres, _ = clustered(samples, min(FRAME_COLORS, len(samples)), 8)
    pixels = window.smooth * weight
    nearest = np.full(pixels.shape[:2], np.inf, np.float32)
    for index, centre in enumerate(centres):
        own = samples[labels == index]
        spread = np.sqrt(((own - centre) ** 2).sum(1).mean()) if len(own) else 0.0
        distance = np.sqrt(((pixels - centre) ** 2).sum(-1)) / max(float(spread), 4.0)
        nearest = np.minimum(nearest, distance)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    for step in (1.5, 2.2, 3.2, 4.6):
        mask = (nearest > step).astype(np.uint8)
        yield "frame", cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel) > 0


def _grabcut_window(window: Window) -> np.ndarray | None:
    height, width = window.rgb.shape[:2]
    if min(height, width) < 16:
        return None
    labels = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
    labels[frame_mask(window)] = cv2.GC_BGD
    away = np.hypot(*np.ogrid[-window.seed[1] : height - window.seed[1],
                              -window.seed[0] : width - window.seed[0]])  # fmt: skip
    labels[(away > 0.42 * window.side) & (labels != cv2.GC_BGD)] = cv2.GC_PR_BGD
    labels[away <= max(1.5, 0.02 * window.side)] = cv2.GC_FGD
    scale = min(1.0, GRABCUT_SIDE_PX / window.side)
    small = cv2.resize(window.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    size = small.shape[1::-1]
    mask = grabcut(small, cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), 2)
    if mask is None:
        return None
    return cv2.resize(mask.astype(np.float32), (width, height)) > 0.5


def grabcut(rgb: np.ndarray, labels: np.ndarray, rounds: int) -> np.ndarray | None:
    """GrabCut from a label map (left unchanged); None when one of the two sides is empty."""
    labels = labels.copy()
    front = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if front.all() or not front.any():
        return None
    models = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    cv2.setRNGSeed(0)
    cv2.grabCut(rgb, labels, (0, 0, 1, 1), *models, rounds, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


# masks ----------------------------------------------------------------------------------------
def around(mask: np.ndarray, seed: tuple[int, int]) -> np.ndarray | None:
    """The connected part at the seed (or within 2 px of it); None when there is none."""
    x, y = seed
    near = mask[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
    if not near.any():
        return None
    labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[1]
    if labels[y, x]:
        return labels == labels[y, x]
    nearby = labels[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
    return labels == np.bincount(nearby[nearby > 0]).argmax()


def filled(mask: np.ndarray, largest_share: float = 0.12) -> np.ndarray:
    """The mask with its small holes filled (highlights, dots); a ring keeps its large hole."""
    outside = cv2.connectedComponentsWithStats((~np.pad(mask, 1)).astype(np.uint8), connectivity=4)
    count, labels, stats, _ = outside
    limit = largest_share * max(int(np.count_nonzero(mask)), 1)
    small = np.zeros(count, bool)
    small[1:] = stats[1:, cv2.CC_STAT_AREA] <= limit
    small[labels[0, 0]] = False
    return mask | small[labels[1:-1, 1:-1]]


def _variants(method: str, mask: np.ndarray, window: Window) -> Iterator[tuple[str, np.ndarray]]:
    """The mask without what hangs on by a neck, with dents closed, with all holes filled."""
    inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    reach = float(inner.max())
    for share in (0.25, 0.5):
        radius = share * reach
        if radius >= 1.0:
            core = around(inner > radius, window.seed)
            if core is not None:
                yield f"{method}-cut", _grown(core, radius + 0.5) & mask
    closed = _closed(mask, max(round(0.35 * reach), 1))
    yield f"{method}-closed", filled(closed, 1.0)
    full = filled(mask, 10.0)
    if np.count_nonzero(full) > 1.02 * np.count_nonzero(mask):
        yield f"{method}-full", full


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return outside <= radius


def _closed(mask: np.ndarray, radius: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    wide = np.pad(mask, radius).astype(np.uint8)
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, kernel) > 0
    return closed[radius:-radius, radius:-radius]


def _plausible(mask: np.ndarray, window: Window) -> bool:
    area = np.count_nonzero(mask)
    if area < 9 or area > 0.8 * mask.size:
        return False
    if area < 0.004 * mask.size and window.scale < 1:
        return False
    return frame_contact(mask, window) < 0.3


def frame_contact(mask: np.ndarray, window: Window) -> float:
    """Share of the window's open sides (where the picture goes on) that the mask covers."""
    left, top, right, bottom = window.open_sides
    sides = [(left, mask[:, 0]), (top, mask[0]), (right, mask[:, -1]), (bottom, mask[-1])]
    touched = sum(int(np.count_nonzero(line)) for is_open, line in sides if is_open)
    total = sum(len(line) for is_open, line in sides if is_open)
    return touched / total if total else 0.0


def _known(mask: np.ndarray, others: list[np.ndarray]) -> bool:
    area = np.count_nonzero(mask)
    for other in others:
        size = np.count_nonzero(other)
        if min(area, size) < 0.96 * max(area, size):
            continue
        common = np.count_nonzero(mask & other)
        if common > 0.96 * (area + size - common):
            return True
    return False
