"""Videos through PyAV: frames by number, in order, without holding the file in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PIL import Image

from pixelis.geometry import Size
from pixelis.media.limits import Limits


class Video:
    """An opened video. Frame numbers count decoded frames from 0 in presentation order."""

    name: str
    sha256: str
    size: Size
    frames: int
    fps: float
    seconds: float

    def frame(self, number: int) -> Image.Image:
        """Frame `number` as RGB; raises MediaError when out of range."""
        raise NotImplementedError

    def timestamp(self, number: int) -> float:
        """Presentation time of frame `number` in seconds from the start."""
        raise NotImplementedError

    def between(self, start: int, end: int) -> Iterator[tuple[int, Image.Image]]:
        """Frames `start`..`end`, both included, one after another."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def open_video(source: Any, limits: Limits | None = None) -> Video:
    """Opens a video; raises MediaError naming it and the reason."""
    raise NotImplementedError
