"""How a model speaks of places, images and frames; a workspace listens and answers in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pixelis.geometry import RELATIVE_SIDE, Box, Size, View

Units = Literal["rel", "px", "shown", "unit", "either"]
MOST_MARGIN_PX = 600
DIGITS = 3  # of a coordinate in 0..1


@dataclass(frozen=True)
class Convention:
    """How calls give boxes and points, and how observation texts name things.

    Attributes:
        units: `rel` is 0..1000 of the named image; `px` source pixels; `shown` pixels of the named
            image at the size the model is given it in; `unit` 0..1 of the named image; `either` is
            `unit`, or `shown` when a value is above 1 (exactly 1.0 is the edge, not a pixel).
        margin: zooming adds this share of the named image on every side of the box, at most 600
            source pixels.
        enlarge: zooming enlarges the box this many times about its centre.
        aspect: the longest box that may be zoomed into, long side by short side.
        original: the name of image 0.
        later: the name of every other image; `{}` is its number.
        first_image: what the model calls image 0 when it counts.
        first_frame: likewise for frame 0 of a video.
    """

    units: Units = "rel"
    margin: float = 0.0
    enlarge: float = 1.0
    aspect: float = math.inf
    original: str = "image 0"
    later: str = "image {}"
    first_image: int = 0
    first_frame: int = 0

    def image(self, index: int) -> str:
        """What image `index` (0 is the original) is called in texts."""
        return self.later.format(index + self.first_image) if index else self.original

    def extent(self, values: Sequence[float], source: Size, shown: Size) -> tuple[float, float]:
        """The largest x and y that these values of a call may have."""
        if self.units == "px":
            return source
        if self.units == "shown" or (self.units == "either" and max(values, default=0) > 1):
            return shown
        side = RELATIVE_SIDE if self.units == "rel" else 1
        return side, side

    def numbers(self, box: Box, view: View, shown: Size) -> tuple[float, ...]:
        """A box in source pixels as it is printed; clipped to the view except in `px`."""
        if self.units == "px":
            return tuple(round(value) for value in box)
        if self.units == "rel":
            return view.to_relative(box)
        width, height = shown if self.units == "shown" else (1, 1)
        digits = None if self.units == "shown" else DIGITS
        x1, x2 = (_share(x, view.box.x1, view.box.width) for x in (box.x1, box.x2))
        y1, y2 = (_share(y, view.box.y1, view.box.height) for y in (box.y1, box.y2))
        shares = (x1 * width, y1 * height, x2 * width, y2 * height)
        return tuple(round(value, digits) for value in shares)

    def widened(self, box: Box, view: View) -> Box:
        """What a zoom into `box` shows of the source; may reach out of the picture."""
        if self.margin:
            dx = min(self.margin * view.box.width, MOST_MARGIN_PX)
            dy = min(self.margin * view.box.height, MOST_MARGIN_PX)
            box = Box(box.x1 - dx, box.y1 - dy, box.x2 + dx, box.y2 + dy)
        if self.enlarge == 1:
            return box
        more = (self.enlarge - 1) / 2
        dx, dy = more * box.width, more * box.height
        return Box(box.x1 - dx, box.y1 - dy, box.x2 + dx, box.y2 + dy)


def _share(value: float, start: float, length: float) -> float:
    return min(max((value - start) / max(length, 1e-9), 0.0), 1.0)
