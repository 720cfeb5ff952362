"""Things that stand in a relation: side by side, tied together, one on top of another.

The second of a pair has the `role` (`touch`, `tied`, `top`) and links to the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from pixelis.data.worlds import scene
from pixelis.data.worlds.palette import ANCHORS, COLORS, RGB, contrast, draw_color
from pixelis.data.worlds.scene import Canvas, Item
from pixelis.data.worlds.sprites import SHAPES
from pixelis.geometry import Box

# They fill their box to the edges, so that two of them side by side do touch.
FULL = ("square", "circle", "cross")
STANDING = ("square", "circle", "triangle", "star", "heart", "diamond", "cross")
SUNK = 0.08  # of a thing's side behind the upper edge of its shelf: shapes end above their box


class Stock:
    """Colours and shapes that have not been used yet, so that every thing has its own."""

    def __init__(self, canvas: Canvas) -> None:
        rng = canvas.rng
        self.colors = [str(name) for name in rng.permutation(np.array(COLORS))]
        self.shapes = [str(name) for name in rng.permutation(np.array(SHAPES))]

    def color(self, beside: str = "") -> str:
        """The next colour; one that is easily told from `beside`."""
        for name in self.colors:
            if not beside or _apart(name, beside):
                self.colors.remove(name)
                return name
        return self.colors.pop()

    def shape(self, among: Sequence[str] = SHAPES) -> str:
        """The next shape, one of these."""
        name = next((name for name in self.shapes if name in among), self.shapes[0])
        self.shapes.remove(name)
        return name


def _apart(one: str, other: str) -> bool:
    return contrast(ANCHORS[one][0], ANCHORS[other][0]) > 0.3


def draw_pairs(canvas: Canvas) -> None:
    """One to three pairs that touch, and some things alone."""
    rng, stock = canvas.rng, Stock(canvas)
    least = min(canvas.width, canvas.height)
    for _ in range(int(rng.integers(1, 4))):
        side = least * float(rng.uniform(0.1, 0.17))
        center = canvas.free_place(2.2 * side, 2.2 * side, gap=0.03 * least)
        if center is None:
            continue
        across = rng.random() < 0.5
        shift = np.array([0.5, 0.0] if across else [0.0, 0.5]) * side * 0.88
        color = stock.color()
        two = (color, stock.color(color))
        first = _put(canvas, str(rng.choice(FULL)), two[0], side, np.array(center) - shift)
        if first < 0:
            continue
        if _put(canvas, str(rng.choice(FULL)), two[1], side, np.array(center) + shift) >= 0:
            canvas.note(role="touch", link=first)
    _alone(canvas, stock, int(rng.integers(1, 4)))


def _put(canvas: Canvas, shape: str, color: str, side: float, center: np.ndarray) -> int:
    place = (float(center[0]), float(center[1]))
    drawn = scene.stamp(canvas, "object", shape, color, side, place)
    return len(canvas.items) - 1 if drawn else -1


def _alone(canvas: Canvas, stock: Stock, count: int) -> None:
    rng = canvas.rng
    least = min(canvas.width, canvas.height)
    for _ in range(min(count, len(stock.colors), len(stock.shapes))):
        side = least * float(rng.uniform(0.08, 0.16))
        center = canvas.free_place(side * 1.1, side * 1.1, gap=0.05 * least)
        if center is not None:
            _put(canvas, stock.shape(), stock.color(), side, np.array(center))


def draw_ties(canvas: Canvas) -> None:
    """Two or three pairs held together by a string, and some things alone."""
    rng, stock = canvas.rng, Stock(canvas)
    least = min(canvas.width, canvas.height)
    columns = int(rng.integers(2, 4))
    upright = rng.random() < 0.7
    for column in rng.permutation(columns):
        place = (column + 0.5) / columns
        sides = least * rng.uniform(0.09, 0.15, 2)
        ends = np.array([[place, rng.uniform(0.14, 0.3)], [place, rng.uniform(0.68, 0.86)]])
        ends[:, 0] += rng.uniform(-0.3, 0.3, 2) / columns / 2
        if not upright:
            ends = ends[:, ::-1]
        ends = ends * [canvas.width, canvas.height]
        _tie(canvas, stock, ends, sides)


def _tie(canvas: Canvas, stock: Stock, ends: np.ndarray, sides: np.ndarray) -> None:
    color = stock.color()
    two = (color, stock.color(color))
    a, b = ((round(float(x)), round(float(y))) for x, y in ends)
    under = RGB(*(int(v) for v in canvas.pixels[a[1], a[0]]))
    ink = (40, 36, 34) if contrast(under, RGB(40, 36, 34)) > 0.35 else (235, 232, 228)
    before = canvas.pixels.copy()
    cv2.line(canvas.pixels, a, b, ink, int(canvas.rng.integers(3, 6)), cv2.LINE_AA)
    first = _put(canvas, stock.shape(), two[0], float(sides[0]), ends[0])
    second = _put(canvas, stock.shape(), two[1], float(sides[1]), ends[1]) if first >= 0 else -1
    if second < 0:  # one of them would not show: neither is there
        canvas.pixels[:] = before
        del canvas.items[first if first >= 0 else len(canvas.items) :]
        return
    canvas.note(role="tied", link=first)


def draw_shelves(canvas: Canvas) -> None:
    """Flat shelves with one thing standing on each."""
    rng, stock = canvas.rng, Stock(canvas)
    least = min(canvas.width, canvas.height)
    for _ in range(int(rng.integers(2, 4))):
        side = least * float(rng.uniform(0.11, 0.18))
        width, height = side * float(rng.uniform(1.8, 2.8)), max(18.0, 0.35 * side)
        total = side + height
        center = canvas.free_place(width, total * 1.05, gap=0.03 * least)
        if center is None or width >= canvas.width:
            continue
        _shelf(canvas, stock, center, (width, height), side)


def _shelf(
    canvas: Canvas,
    stock: Stock,
    center: tuple[float, float],
    size: tuple[float, float],
    side: float,
) -> None:
    """A thing of that side and below it a shelf of that size, together around `center`."""
    rng, (width, height) = canvas.rng, size
    color = stock.color()
    top = center[1] + (side - height) / 2
    ground = draw_color(rng, color)
    under = RGB(*(int(v) for v in canvas.pixels[int(top + height / 2), int(center[0])]))
    if contrast(ground, under) < 0.2:
        return
    x = center[0] + float(rng.uniform(-0.25, 0.25)) * (width - side)
    at = np.array([x, top - side * (0.5 - SUNK)])
    thing = _put(canvas, stock.shape(STANDING), stock.color(color), side, at)
    alpha = np.full((round(height), round(width)), 255, np.uint8)
    box = canvas.ink(alpha, ground, (center[0], top + height / 2))
    if box is None:
        raise RuntimeError("a shelf was drawn outside the canvas")
    canvas.items.append(Item("card", color, "card", box, role="shelf"))
    if thing >= 0:
        item = canvas.items[thing]
        seen = Box(item.box.x1, item.box.y1, item.box.x2, min(item.box.y2, box.y1))
        canvas.items[thing] = replace(item, box=seen, role="top", link=len(canvas.items) - 1)


KINDS: dict[str, Callable[[Canvas], None]] = {
    "pairs": draw_pairs,
    "ties": draw_ties,
    "shelves": draw_shelves,
}
