"""Alpha masks of shapes and texts, and pasting them: the only way worlds put ink on a canvas."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

BASE_SIDE = 256
SHAPES = (
    "circle",
    "square",
    "triangle",
    "star",
    "cross",
    "heart",
    "diamond",
    "hexagon",
    "ring",
    "crescent",
)

Points = list[tuple[float, float]]


def _regular(sides: int, turn: float = -90.0) -> Points:
    angles = [math.radians(turn + 360 * k / sides) for k in range(sides)]
    return [(0.5 + 0.5 * math.cos(a), 0.5 + 0.5 * math.sin(a)) for a in angles]


def _star() -> Points:
    outer, inner = _regular(5), _regular(5, -54.0)
    points: Points = []
    for (ox, oy), (ix, iy) in zip(outer, inner, strict=True):
        points += [(ox, oy), (0.5 + (ix - 0.5) * 0.42, 0.5 + (iy - 0.5) * 0.42)]
    return points


def _heart() -> Points:
    points: Points = []
    for k in range(80):
        t = 2 * math.pi * k / 80
        x = 16 * math.sin(t) ** 3
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((0.5 + x / 34, 0.46 - y / 34))
    return points


def _cross() -> Points:
    low, high = 0.34, 0.66
    return [
        (low, 0), (high, 0), (high, low), (1, low), (1, high), (high, high),
        (high, 1), (low, 1), (low, high), (0, high), (0, low), (low, low),
    ]  # fmt: skip


_POLYGONS: dict[str, Callable[[], Points]] = {
    "square": lambda: [(0.06, 0.06), (0.94, 0.06), (0.94, 0.94), (0.06, 0.94)],
    "triangle": lambda: [(0.5, 0.06), (1.0, 0.93), (0.0, 0.93)],
    "star": _star,
    "cross": _cross,
    "heart": _heart,
    "diamond": lambda: [(0.5, 0.0), (0.86, 0.5), (0.5, 1.0), (0.14, 0.5)],
    "hexagon": lambda: _regular(6, 0.0),
}


@functools.cache
def shape_mask(shape: str, side: int = BASE_SIDE) -> np.ndarray:
    """uint8 alpha of shape (side, side), the shape filling it; power-of-two sides are cached."""
    if side < BASE_SIDE:
        return cv2.resize(shape_mask(shape), (side, side), interpolation=cv2.INTER_AREA)
    fine = side * 2
    image = Image.new("L", (fine, fine), 0)
    draw = ImageDraw.Draw(image)
    if shape in _POLYGONS:
        draw.polygon([(x * (fine - 1), y * (fine - 1)) for x, y in _POLYGONS[shape]()], fill=255)
    else:
        draw.ellipse((0, 0, fine - 1, fine - 1), fill=255)
    if shape == "ring":
        draw.ellipse((fine * 0.26, fine * 0.26, fine * 0.74, fine * 0.74), fill=0)
    if shape == "crescent":
        draw.ellipse((fine * 0.28, -fine * 0.02, fine * 1.12, fine * 0.82), fill=0)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def turned(mask: np.ndarray, width: float, height: float, angle: float) -> np.ndarray:
    """The mask scaled to width x height px and turned by `angle` degrees; uint8, tight canvas."""
    cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    out_w = max(2, math.ceil(width * cos + height * sin) + 2)
    out_h = max(2, math.ceil(width * sin + height * cos) + 2)
    rows, columns = mask.shape
    matrix = cv2.getRotationMatrix2D((0, 0), angle, 1.0) @ np.diag(
        [width / columns, height / rows, 1.0]
    )
    middle = matrix @ np.array([columns / 2, rows / 2, 1.0])
    matrix[:, 2] += np.array([out_w / 2, out_h / 2]) - middle
    return cv2.warpAffine(mask, matrix, (out_w, out_h), flags=cv2.INTER_LINEAR)


def shape_alpha(shape: str, width: float, height: float, angle: float = 0.0) -> np.ndarray:
    """uint8 alpha of a shape of that size in px, turned by `angle` degrees."""
    need = max(width, height)
    side = BASE_SIDE
    while side // 2 >= need and side > 16:
        side //= 2
    return turned(shape_mask(shape, side), width, height, angle)


FONT_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@functools.lru_cache(maxsize=256)
def load_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """One of matplotlib's bundled fonts (same bytes everywhere), `size` in px."""
    return ImageFont.truetype(str(FONT_FOLDER / f"{name}.ttf"), size)


def text_alpha(text: str, font: str, size: int) -> np.ndarray:
    """uint8 alpha of one line of text with `size` px font height; the canvas fits the ink."""
    face = load_font(font, size)
    left, top, right, bottom = face.getbbox(text)
    image = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)), 0)
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, font=face, fill=255)
    return np.asarray(image)


def paste(
    canvas: np.ndarray,
    alpha: np.ndarray,
    fill: np.ndarray | tuple[int, int, int],
    x: float,
    y: float,
) -> tuple[int, int, int, int] | None:
    """Blends `fill` onto `canvas` (uint8, height x width x 3, changed in place) through `alpha`.

    `x`, `y` is the top-left corner of the alpha on the canvas; `fill` is a colour or an array of
    the alpha's size. Gives the box of the ink (alpha above half) or None when nothing is visible.
    """
    left, top = round(x), round(y)
    x1, y1 = max(left, 0), max(top, 0)
    x2 = min(left + alpha.shape[1], canvas.shape[1])
    y2 = min(top + alpha.shape[0], canvas.shape[0])
    if x1 >= x2 or y1 >= y2:
        return None
    part = alpha[y1 - top : y2 - top, x1 - left : x2 - left]
    region = canvas[y1:y2, x1:x2]
    color = np.asarray(fill, dtype=np.float32)
    if color.ndim == 3:
        color = color[y1 - top : y2 - top, x1 - left : x2 - left]
    weight = part[..., None].astype(np.float32) / 255
    region[:] = (region * (1 - weight) + color * weight + 0.5).astype(np.uint8)
    ys, xs = np.nonzero(part > 127)
    if not len(xs):
        return None
    return (
        x1 + int(xs.min()),
        y1 + int(ys.min()),
        x1 + int(xs.max()) + 1,
        y1 + int(ys.max()) + 1,
    )
