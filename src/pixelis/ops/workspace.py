"""What an episode's operations share: the media, the images shown so far, handles, engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
from PIL import Image

from pixelis.errors import OpError
from pixelis.geometry import RELATIVE_SIDE, Box, Point, Size, View, whole
from pixelis.media import Picture, Video
from pixelis.ops.budget import PixelBudget
from pixelis.ops.convention import Convention, Units

__all__ = ["Convention", "Handle", "Mark", "PixelBudget", "Units", "Workspace"]

Engine = TypeVar("Engine")


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


class Mark(NamedTuple):
    """How far a workspace had grown; see `Workspace.rollback`."""

    images: int
    handles: frozenset[str]
    counts: dict[str, int]


class Workspace:
    """State of one episode's operations; created with the media, closed with the episode.

    Args:
        media: the opened picture or video (not changed, not closed here).
        budget: pixel range of images made for the model.
        convention: how calls give boxes and how observation texts print them and name images.
        text_limit: most characters of read text quoted in an observation (the rest stays in data).
        time_limit_s: wall time one operation may take.
        engines: stand-ins for built-in engines, by what they do (`segment`: a `Segmenter`).
    """

    def __init__(
        self,
        media: Picture | Video,
        budget: PixelBudget | None = None,
        convention: Convention | None = None,
        text_limit: int = 4000,
        time_limit_s: float = 60.0,
        engines: Mapping[str, Any] | None = None,
    ) -> None:
        self.media = media
        self.budget = budget or PixelBudget()
        self.convention = convention or Convention()
        self.text_limit = text_limit
        self.time_limit_s = time_limit_s
        self.engines: dict[str, Any] = dict(engines or {})
        self.deadline = float("inf")
        self.handles: dict[str, Handle] = {}
        self.images: list[Image.Image] = []
        self.views: list[View] = []
        self._counts: dict[str, int] = {}
        self._engines: dict[str, Any] = {}
        first = media.frame(0) if isinstance(media, Video) else media.image
        frame = 0 if isinstance(media, Video) else None
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
            first = self.convention.first_image
            raise OpError(
                f"{self.image_name(index)} does not exist; images are {first}..{last + first}"
            )
        return self.views[index]

    def image_name(self, index: int) -> str:
        """What the model calls image `index`."""
        return self.convention.image(index)

    def frame_name(self, number: int) -> int:
        """What the model calls video frame `number`."""
        return number + self.convention.first_frame

    def source(self, index: int = 0) -> Image.Image:
        """The full-resolution picture (or video frame) that image `index` was cut from, RGB."""
        return self.frame(self.view(index).frame)

    def frame(self, number: int | None) -> Image.Image:
        """The picture itself (None), or video frame `number`, RGB at full resolution.

        Not to be changed: the same image is given to every operation. OpError when there is no
        such frame. A video keeps its last frames decoded, so asking again is cheap.
        """
        if number == self.views[0].frame:
            return self.images[0]
        if number is None or not isinstance(self.media, Video):
            told = "" if number is None else f" {self.frame_name(number)}"
            raise OpError(f"frame{told} does not exist; this is a still picture")
        if not 0 <= number < self.media.frames:
            raise self.no_frame(number, self.media.frames)
        return self.media.frame(number)

    def no_frame(self, number: int, total: int) -> OpError:
        """The error for a frame that a video of `total` frames does not have."""
        first, last = self.frame_name(0), self.frame_name(total - 1)
        return OpError(
            f"frame {self.frame_name(number)} does not exist; frames are {first}..{last}"
        )

    # coordinates ------------------------------------------------------------------------------
    def resolve_box(self, values: Sequence[float], image: int = 0) -> Box:
        """A box argument in this workspace's units, as source pixels, clipped to the source.

        Raises OpError for an empty box or one outside the image.
        """
        view = self.view(image)
        x1, y1, x2, y2 = values
        width, height = self.extent(values, image)
        allowed = f"need x1 < x2 within 0..{width:g} and y1 < y2 within 0..{height:g}"
        if not (x1 < x2 and y1 < y2):
            raise OpError(f"box {_show(values)} is empty; {allowed}")
        if min(x1, y1) < 0 or x2 > width or y2 > height:
            raise OpError(f"box {_show(values)} is outside; {allowed}")
        if self.convention.units == "px":
            return Box(x1, y1, x2, y2).clip(self.media.size)
        right, down = RELATIVE_SIDE / width, RELATIVE_SIDE / height
        box = view.to_source((x1 * right, y1 * down, x2 * right, y2 * down))
        return box.clip(self.media.size)

    def resolve_point(self, values: Sequence[float], image: int = 0) -> Point:
        """A point argument as source pixels, inside the source; OpError when outside."""
        view = self.view(image)
        width, height = self.extent(values, image)
        x, y = values
        if not (0 <= x <= width and 0 <= y <= height):
            raise OpError(
                f"point {_show(values)} is outside; need x within 0..{width:g}, "
                f"y within 0..{height:g}"
            )
        point = Point(x, y)
        if self.convention.units != "px":
            point = view.point_to_source((x * RELATIVE_SIDE / width, y * RELATIVE_SIDE / height))
        size = self.media.size
        return Point(min(point.x, size.width - 1), min(point.y, size.height - 1))

    def extent(self, values: Sequence[float], image: int = 0) -> tuple[float, float]:
        """The largest x and y that these values of a call on the image may have."""
        return self.convention.extent(values, self.media.size, self.shown_size(image))

    def shown_size(self, image: int = 0) -> Size:
        """Width and height of the image as the model is given it; OpError when there is none."""
        self.view(image)
        return self.budget.shown(Size(*self.images[image].size))

    def show(self, box: Box, image: int = 0) -> str:
        """A source box as `[x1, y1, x2, y2]` in this workspace's units, for observation texts."""
        return _show(self.convention.numbers(box, self.view(image), self.shown_size(image)))

    def show_point(self, point: Point, image: int = 0) -> str:
        """A source point as `[x, y]` in this workspace's units, for observation texts."""
        spot = Box(point.x, point.y, point.x, point.y)
        return _show(self.convention.numbers(spot, self.view(image), self.shown_size(image))[:2])

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

    def take_handle(self, handle: Handle) -> None:
        """Takes over a handle that was made, or changed, in a workspace just like this one."""
        if handle.name not in self.handles:
            kind = handle.name.rpartition("_")[0]
            self._counts[kind] = self._counts.get(kind, 0) + 1
        self.handles[handle.name] = handle

    def handle(self, name: str) -> Handle:
        """The handle called `name`; OpError that lists the ones there are."""
        if name not in self.handles:
            there = ", ".join(self.handles) or "none yet"
            raise OpError(f"no handle {name!r}; handles so far: {there}")
        return self.handles[name]

    # engines ----------------------------------------------------------------------------------
    def engine(self, name: str, make: Callable[[], Engine]) -> Engine:
        """What `make` built at the first call under this name; closed with the workspace."""
        if name not in self._engines:
            self._engines[name] = make()
        return self._engines[name]

    def close(self) -> None:
        """Closes the engines that can be closed and drops images and masks; not the media."""
        engines, self._engines = self._engines, {}
        self.images.clear()
        self.views.clear()
        self.handles.clear()
        for engine in engines.values():
            if hasattr(engine, "close"):
                engine.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # limits -----------------------------------------------------------------------------------
    def start_clock(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.deadline = clock() + self.time_limit_s

    def check_time(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises OpError once the current operation has used up its time; call it in loops."""
        if clock() > self.deadline:
            raise self.too_late()

    def too_late(self) -> OpError:
        return OpError(f"took longer than {self.time_limit_s:g} s; ask for a smaller part")

    def mark(self) -> Mark:
        """Where the workspace stands, for `rollback`."""
        return Mark(len(self.images), frozenset(self.handles), dict(self._counts))

    def rollback(self, mark: Mark) -> None:
        """Forgets the images and handles added since, so a failed call leaves no gap."""
        del self.images[mark.images :]
        del self.views[mark.images :]
        self.handles = {k: v for k, v in self.handles.items() if k in mark.handles}
        self._counts = dict(mark.counts)


def _show(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:g}" for value in values) + "]"
