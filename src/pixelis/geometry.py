"""Boxes, points, views and the two coordinate systems.

Source pixels: x grows right, y grows down, (0, 0) is the top-left corner of the original picture
(after EXIF orientation); a box is x1, y1, x2, y2 with x2 and y2 exclusive.

Relative units: 0..1000 along each side of the *named* image (Qwen3-VL's convention). A `View` ties
the two together: it says which part of the source an image of the episode shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

RELATIVE_SIDE = 1000


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


class Point(NamedTuple):
    """A position in source pixels."""

    x: float
    y: float


class Box(NamedTuple):
    """An axis-aligned box in source pixels; x2 and y2 are exclusive."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Area in square pixels; 0 for an empty or inverted box."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def center(self) -> Point:
        return Point((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    def intersect(self, other: Box) -> Box:
        """The common part; it has area 0 when the boxes do not overlap."""
        x1, y1 = max(self.x1, other.x1), max(self.y1, other.y1)
        return Box(x1, y1, max(x1, min(self.x2, other.x2)), max(y1, min(self.y2, other.y2)))

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.x1, other.x1),
            min(self.y1, other.y1),
            max(self.x2, other.x2),
            max(self.y2, other.y2),
        )

    def iou(self, other: Box) -> float:
        """Intersection over union in [0, 1]; 0 when either box is empty."""
        common = self.intersect(other).area
        total = self.area + other.area - common
        return common / total if total > 0 else 0.0

    def contains(self, point: Point) -> bool:
        return self.x1 <= point.x < self.x2 and self.y1 <= point.y < self.y2

    def clip(self, size: Size) -> Box:
        """The part inside a picture of this size."""
        return self.intersect(Box(0, 0, size.width, size.height))

    def shift(self, dx: float, dy: float) -> Box:
        return Box(self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy)

    def scale(self, factor: float) -> Box:
        """Every coordinate times `factor` (about the origin, not the centre)."""
        return Box(*(value * factor for value in self))

    def pad(self, pixels: float) -> Box:
        """Grown by `pixels` on every side (shrunk when negative)."""
        return Box(self.x1 - pixels, self.y1 - pixels, self.x2 + pixels, self.y2 + pixels)

    def grow_to(self, side: float, size: Size) -> Box:
        """Grown about its centre until both sides are at least `side` px, kept inside `size`."""
        x1, x2 = _grow(self.x1, self.x2, side, size.width)
        y1, y2 = _grow(self.y1, self.y2, side, size.height)
        return Box(x1, y1, x2, y2)

    def rounded(self) -> tuple[int, int, int, int]:
        """The smallest whole-pixel box that covers this one (for slicing arrays)."""
        eps = 1e-6
        return (
            math.floor(self.x1 + eps),
            math.floor(self.y1 + eps),
            math.ceil(self.x2 - eps),
            math.ceil(self.y2 - eps),
        )


def _grow(low: float, high: float, side: float, limit: float) -> tuple[float, float]:
    side = min(side, limit)
    if high - low >= side:
        return low, high
    start = min(max((low + high - side) / 2, 0.0), limit - side)
    return start, start + side


@dataclass(frozen=True)
class View:
    """What an image of the episode shows: a part of the source (or of one video frame).

    Attributes:
        box: the shown part, in source pixels.
        size: the pixels of the image as given to the model.
        frame: the video frame it was cut from; None for a picture.
    """

    box: Box
    size: Size
    frame: int | None = None

    def to_source(self, relative: Sequence[float]) -> Box:
        """A box in 0..1000 of this view, mapped to source pixels."""
        x1, y1, x2, y2 = relative
        a, b = self.point_to_source((x1, y1)), self.point_to_source((x2, y2))
        return Box(a.x, a.y, b.x, b.y)

    def point_to_source(self, relative: Sequence[float]) -> Point:
        """A point in 0..1000 of this view, mapped to source pixels."""
        x, y = relative
        return Point(
            self.box.x1 + x * self.box.width / RELATIVE_SIDE,
            self.box.y1 + y * self.box.height / RELATIVE_SIDE,
        )

    def to_relative(self, box: Box) -> tuple[int, int, int, int]:
        """A box in source pixels as whole numbers in 0..1000 of this view (clipped to it)."""
        x1, y1 = self.point_to_relative(Point(box.x1, box.y1))
        x2, y2 = self.point_to_relative(Point(box.x2, box.y2))
        return x1, y1, x2, y2

    def point_to_relative(self, point: Point) -> tuple[int, int]:
        """A point in source pixels as whole numbers in 0..1000 of this view (clipped to it)."""
        x = (point.x - self.box.x1) * RELATIVE_SIDE / max(self.box.width, 1e-9)
        y = (point.y - self.box.y1) * RELATIVE_SIDE / max(self.box.height, 1e-9)
        return _clamp(x), _clamp(y)


def _clamp(value: float) -> int:
    return int(min(max(round(value), 0), RELATIVE_SIDE))


def whole(size: Size) -> Box:
    """The box that covers a picture of this size."""
    return Box(0, 0, size.width, size.height)
