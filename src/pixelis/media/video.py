"""Videos: frames by number, in order, without holding the file in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from PIL import Image

from pixelis.errors import MediaError
from pixelis.geometry import Size
from pixelis.media.isolated import IsolatedReader
from pixelis.media.limits import Limits
from pixelis.media.reader import Reader, Reads
from pixelis.media.sniff import VIDEOS, describe, sniff
from pixelis.media.source import Source, find_source, refusal

_CACHE_FRAMES = 16
_CACHE_PIXELS = 64_000_000


class Video:
    """An opened video. Frames are numbered from 0 in presentation order.

    Frames are upright (rotation metadata applied) RGB in the size of the first one. Safe to use
    from several threads; calls wait for one another.

    Attributes:
        name: file name or a word for where it came from.
        size: of every frame, in pixels.
    """

    def __init__(self, source: Source, reader: Reads) -> None:
        self.name = source.name
        self.size: Size = reader.size
        self._source = source
        self._reader = reader
        self._lock = threading.RLock()
        self._closed = False
        self._cache: OrderedDict[int, Image.Image] = OrderedDict()

    @cached_property
    def sha256(self) -> str:
        """Of the file's bytes; read at first use."""
        return self._source.sha256()

    @property
    def frames(self) -> int:
        """How many frames there are; the file's packets are indexed at first use."""
        with self._lock:
            self._check_open()
            return len(self._reader.timeline)

    @property
    def seconds(self) -> float:
        """From the start of the first frame to the end of the last."""
        with self._lock:
            self._check_open()
            return self._reader.timeline.seconds

    @property
    def fps(self) -> float:
        """Mean frames per second; 0 for a single frame without a duration."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def frame(self, number: int) -> Image.Image:
        """Frame `number` as RGB; MediaError when out of range or damaged. Do not change it."""
        with self._lock:
            self._check_number(number)
            if number in self._cache:
                self._cache.move_to_end(number)
                return self._cache[number]
            image = self._reader.frame(number)
            self._keep(number, image)
            return image

    def timestamp(self, number: int) -> float:
        """Presentation time of frame `number` in seconds from the first frame."""
        with self._lock:
            self._check_number(number)
            return float(self._reader.timeline.times[number])

    def between(self, start: int, end: int) -> Iterator[tuple[int, Image.Image]]:
        """Frames `start`..`end`, both included, one after another, each decoded once."""
        self._check_number(start)
        self._check_number(end)
        return self._between(start, end)

    def close(self) -> None:
        """Frees the decoder; frames already given stay usable. May be called again."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._cache.clear()
                self._reader.close()

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _between(self, start: int, end: int) -> Iterator[tuple[int, Image.Image]]:
        for number in range(start, end + 1):
            with self._lock:
                self._check_open()
                held = self._cache.get(number)
                image = held if held is not None else self._reader.frame(number)
            yield number, image

    def _keep(self, number: int, image: Image.Image) -> None:
        room = max(1, _CACHE_PIXELS // (self.size.width * self.size.height))
        self._cache[number] = image
        while len(self._cache) > min(room, _CACHE_FRAMES):
            self._cache.popitem(last=False)

    def _check_open(self) -> None:
        if self._closed:
            raise MediaError(f"{self.name}: the video was closed; open it again")

    def _check_number(self, number: int) -> None:
        last = self.frames - 1
        if not 0 <= number <= last:
            raise refusal(self.name, f"frame {number} does not exist", f"frames 0..{last}")


def open_video(
    source: Any,
    limits: Limits | None = None,
    *,
    name: str | None = None,
    isolated: bool = False,
) -> Video:
    """Opens a video; its first frame is decoded at once.

    Args:
        source: path, bytes, or `data:` URL.
        limits: caps on bytes, frame pixels, frames and seconds.
        name: what to call a source that has no file name.
        isolated: decode in a worker process that is killed when it hangs or crashes.

    Raises:
        MediaError: one line with the source's name, the reason and what is allowed.
    """
    limits = limits or Limits()
    found = find_source(source, limits, name)
    head = found.head()
    kind = sniff(head)
    if kind is None:
        raise refusal(found.label, f"its content is {describe(head)}", f"videos {VIDEOS}")
    if kind.media == "picture":
        raise refusal(found.label, f"is a {kind.format.lower()} picture", f"videos {VIDEOS}")
    reader = IsolatedReader if isolated else Reader
    return Video(found, reader(found, kind.format, limits))
