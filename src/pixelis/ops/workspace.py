"""What an episode's operations share: the media, the images shown so far, handles, engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from PIL import Image

from pixelis.errors import OpError
from pixelis.geometry import RELATIVE_SIDE, Box, Point, Size, View, fit_size, whole
from pixelis.media import Picture, Video

Units = Literal["rel", "px"]


@dataclass(frozen=True)
class PixelBudget:
    """How large an image given to the model may be; sides are multiples of `multiple`."""

    min_pixels: int = 224 * 224
    max_pixels: int = 224 * 224
    multiple: int = 32

    def fit(self, size: Size) -> Size:
        return fit_size(size, self.max_pixels, self.min_pixels, self.multiple)


@dataclass
class Handle:
    """Something an operation found, under the name later calls use.

    Attributes:
        name: `mask_1`, `text_1`, `crop_1`, `track_1`.
        data: plain JSON fields (`color`, `lines`, ...), reachable as `{mask_1.color}`.
        box: in source pixels.
        mask: boolean array of the source's height and width, for masks only.
    """

    name: str
    data: dict[str, Any] = field(default_factory=dict)
    box: Box | None = None
    frame: int | None = None
    mask: np.ndarray | None = None


class Workspace:
    """State of one episode's operations; created with the media, closed with the episode.

    Args:
        media: the opened picture or video (not changed, not closed here).
        budget: pixel range of images made for the model.
        units: how calls give boxes and how observation texts print them: `rel` (0..1000 of the
            named image) or `px` (source pixels).
        text_limit: most characters of read text quoted in an observation (the rest stays in data).
        time_limit_s: wall time one operation may take.
        engines: stand-ins for built-in engines, by what they do (`segment`: a `Segmenter`).
    """

    def __init__(
        self,
        media: Picture | Video,
        budget: PixelBudget | None = None,
        units: Units = "rel",
        text_limit: int = 4000,
        time_limit_s: float = 60.0,
        engines: Mapping[str, Any] | None = None,
    ) -> None:
        self.media = media
        self.budget = budget or PixelBudget()
        self.units: Units = units
        self.text_limit = text_limit
        self.time_limit_s = time_limit_s
        self.engines: dict[str, Any] = dict(engines or {})
        self.deadline = float("inf")
        self.handles: dict[str, Handle] = {}
        self.images: list[Image.Image] = []
        self.views: list[View] = []
        self._counts: dict[str, int] = {}
        first = media.frame(0) if isinstance(media, Video) else media.image
        frame = 0 if isinstance(media, Video) else None
        self._frame: tuple[int | None, Image.Image] = (frame, first)
        self.add_image(first, View(whole(media.size), media.size, frame))

    # images -----------------------------------------------------------------------------------
    def add_image(self, image: Image.Image, view: View) -> int:
        """Makes `image` the next image of the episode and gives its index."""
        self.images.append(image)
        self.views.append(view)
        return len(self.images) - 1

    def view(self, index: int) -> View:
        """What image `index` shows; OpError when there is no such image."""
        if not 0 <= index < len(self.views):
            last = len(self.views) - 1
            raise OpError(f"image {index} does not exist; images are 0..{last}")
        return self.views[index]

    def source(self, index: int = 0) -> Image.Image:
        """The full-resolution picture (or video frame) that image `index` was cut from, RGB."""
        return self.frame(self.view(index).frame)

    def frame(self, number: int | None) -> Image.Image:
        """The picture itself, or video frame `number`, RGB at full resolution."""
        if self._frame[0] != number:
            assert isinstance(self.media, Video) and number is not None
            self._frame = (number, self.media.frame(number))
        return self._frame[1]

    # coordinates ------------------------------------------------------------------------------
    def resolve_box(self, values: Sequence[float], image: int = 0) -> Box:
        """A box argument in this workspace's units, as source pixels, clipped to the source.

        Raises OpError for an empty box or one outside the image.
        """
        view = self.view(image)
        x1, y1, x2, y2 = values
        width, height = self._limits(view)
        allowed = f"need x1 < x2 within 0..{width} and y1 < y2 within 0..{height}"
        if not (x1 < x2 and y1 < y2):
            raise OpError(f"box {_show(values)} is empty; {allowed}")
        if min(x1, y1) < 0 or x2 > width or y2 > height:
            raise OpError(f"box {_show(values)} is outside; {allowed}")
        return Box(x1, y1, x2, y2) if self.units == "px" else view.to_source(values)

    def resolve_point(self, values: Sequence[float], image: int = 0) -> Point:
        """A point argument as source pixels, inside the source; OpError when outside."""
        view = self.view(image)
        width, height = self._limits(view)
        x, y = values
        if not (0 <= x <= width and 0 <= y <= height):
            raise OpError(
                f"point {_show(values)} is outside; need x within 0..{width}, y within 0..{height}"
            )
        point = Point(x, y) if self.units == "px" else view.point_to_source(values)
        size = self.media.size
        return Point(min(point.x, size.width - 1), min(point.y, size.height - 1))

    def _limits(self, view: View) -> tuple[int, int]:
        if self.units == "rel":
            return RELATIVE_SIDE, RELATIVE_SIDE
        return self.media.size.width, self.media.size.height

    def show(self, box: Box, image: int = 0) -> str:
        """A source box as `[x1, y1, x2, y2]` in this workspace's units, for observation texts."""
        if self.units == "px":
            return _show(tuple(round(value) for value in box))
        return _show(self.view(image).to_relative(box))

    # handles ----------------------------------------------------------------------------------
    def add_handle(
        self,
        kind: str,
        data: Mapping[str, Any] | None = None,
        box: Box | None = None,
        frame: int | None = None,
        mask: np.ndarray | None = None,
    ) -> Handle:
        """A new handle `{kind}_{n}`, numbered from 1 within its kind."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        handle = Handle(f"{kind}_{self._counts[kind]}", dict(data or {}), box, frame, mask)
        self.handles[handle.name] = handle
        return handle

    def handle(self, name: str) -> Handle:
        """The handle called `name`; OpError that lists the ones there are."""
        if name not in self.handles:
            there = ", ".join(self.handles) or "none yet"
            raise OpError(f"no handle {name!r}; handles so far: {there}")
        return self.handles[name]

    # limits -----------------------------------------------------------------------------------
    def start_clock(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.deadline = clock() + self.time_limit_s

    def check_time(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises OpError once the current operation has used up its time; call it in loops."""
        if clock() > self.deadline:
            raise OpError(f"took longer than {self.time_limit_s:g} s; ask for a smaller part")


def _show(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:g}" for value in values) + "]"
