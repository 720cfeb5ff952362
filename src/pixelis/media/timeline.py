"""Where every frame of a video lies in time, read from packets without decoding one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import av
import numpy as np

from pixelis.errors import MediaError
from pixelis.media.limits import Limits


@dataclass(frozen=True)
class Timeline:
    """The frames of a video in presentation order.

    Attributes:
        stamps: int64 presentation stamps, ascending, one per frame, in units of `unit` seconds.
        keys: int64 frame numbers at which decoding can start, ascending.
        unit: seconds per stamp.
        last_s: how long the last frame is shown, in seconds.
        counted: True when decoded frames cannot be told by their stamps: a frame is found by
            counting from the beginning (and without any stamps, they are 0, 1, 2, ...).
    """

    stamps: np.ndarray
    keys: np.ndarray
    unit: float
    last_s: float
    counted: bool = False

    def __len__(self) -> int:
        return len(self.stamps)

    @property
    def times(self) -> np.ndarray:
        """Seconds of every frame from the first one, float64."""
        return (self.stamps - self.stamps[0]) * self.unit

    @property
    def seconds(self) -> float:
        return float(self.times[-1] + self.last_s)

    def number_at(self, stamp: int) -> int:
        """The frame on screen at a stamp; the last of several frames that share it; -1 before."""
        return int(np.searchsorted(self.stamps, stamp, side="right")) - 1

    def starts(self, number: int) -> tuple[int, ...]:
        """Frames to start decoding at in order to reach `number`, the best first, at most three."""
        place = int(np.searchsorted(self.keys, number, side="right"))
        return tuple(int(key) for key in self.keys[max(0, place - 3) : place][::-1]) or (0,)


def read_timeline(
    packets: Iterable[av.Packet],
    unit: float,
    rate: float,
    limits: Limits,
    codec: str = "",
    stampless: bool = False,
) -> Timeline:
    """The timeline of one video stream.

    Args:
        packets: the stream's packets, from the beginning of the file.
        unit: seconds per stamp.
        rate: frames per second the file states, for files without usable stamps.
        codec: name of the codec.
        stampless: do not believe the packets' stamps.

    Raises:
        MediaError: more frames or seconds than allowed, or no frame at all.
    """
    stamps: list[int | None] = []
    keys: list[bool] = []
    duration = 0
    for packet in packets:
        if packet.size == 0 or packet.is_discard or _hidden(packet, codec):
            continue
        stamps.append(packet.pts)
        keys.append(packet.is_keyframe)
        duration = packet.duration or duration
        if len(stamps) > limits.max_frames:
            raise MediaError(f"has more than {limits.max_frames} frames")
    if not stamps:
        raise MediaError("has no frames")
    timeline = _arrange([] if stampless else stamps, keys, unit, rate, duration)
    if timeline.seconds > limits.max_seconds:
        raise MediaError(f"lasts {timeline.seconds:.0f} s")
    return timeline


def _arrange(
    stamps: list[int | None], keys: list[bool], unit: float, rate: float, duration: int
) -> Timeline:
    shown = 1 / rate if rate > 0 else 0.04
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < len(keys):
        order = np.arange(len(keys), dtype=np.int64)
        return Timeline(order, np.zeros(1, np.int64), shown, shown, counted=True)
    values = np.array(known, dtype=np.int64)
    order = np.argsort(values, kind="stable")
    values = values[order]
    last_s = duration * unit or (float(np.median(np.diff(values))) * unit if len(values) > 1 else 0)
    return Timeline(values, np.flatnonzero(np.array(keys)[order]), unit, last_s or shown)


def _hidden(packet: av.Packet, codec: str) -> bool:
    """VP8 keeps reference frames that are never shown in packets of their own."""
    return codec == "vp8" and not memoryview(packet)[0] & 0x10
