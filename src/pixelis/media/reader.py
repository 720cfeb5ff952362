"""PyAV behind a small door: one video file, decoded frame by frame in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Protocol, cast

import av
import numpy as np
from av.buffer import Buffer
from PIL import Image

from pixelis.errors import MediaError
from pixelis.geometry import Size
from pixelis.media.limits import Limits
from pixelis.media.sniff import VIDEOS
from pixelis.media.source import Source, refusal
from pixelis.media.timeline import Timeline, read_timeline

# What PyAV raises on damaged files; av.FFmpegError is not an OSError for every code.
_BROKEN = (av.FFmpegError, OSError, ValueError, LookupError, MemoryError, RuntimeError, TypeError)
# fmt: off
_CODECS = frozenset([
    "av1", "dvvideo", "ffv1", "flv1", "h263", "h264", "hevc", "mjpeg", "mpeg1video", "mpeg2video",
    "mpeg4", "msmpeg4v2", "msmpeg4v3", "prores", "rawvideo", "theora", "vp8", "vp9", "wmv1", "wmv2",
])
# fmt: on
_IO_BYTES = 1 << 18
# A frame that decodes to nothing shows the one before it; a longer gap is damage.
_GAP_FRAMES = 2
_TURNS = {
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


class Reads(Protocol):
    """What a Video needs of whatever decodes it: in this process, or in a worker."""

    size: Size

    @property
    def timeline(self) -> Timeline: ...

    def frame(self, number: int) -> Image.Image:
        """Frame `number`, RGB and upright; MediaError when it is damaged."""

    def close(self) -> None: ...


class Reader:
    """Decodes one video; frames asked in order are decoded once, others are sought by stamp.

    Raises MediaError for files that cannot be opened or are over the limits; the first frame is
    decoded at once, so a file that opens has at least one picture.
    """

    def __init__(self, source: Source, format: str, limits: Limits) -> None:
        self._source, self._format, self._limits = source, format, limits
        self._label = source.label
        self._current: tuple[int, av.VideoFrame] | None = None
        self._start_clock()
        self._open()
        try:
            self._check_header()
            first = self._first()
            self._turn = display_turn(first)
            self._coded = Size(first.width, first.height)
            self.size = Size(*self._picture(first).size)
        except BaseException:
            self.close()
            raise
        self._current = (0, first)
        self._label = source.name

    @cached_property
    def timeline(self) -> Timeline:
        """Built at first use from a second pass over the packets; nothing is decoded."""
        self._start_clock()
        with self._source.stream() as file:
            try:
                with _container(file, self._format) as container:
                    return self._read_timeline(container)
            except _BROKEN as error:
                raise self._told(error, "is damaged or truncated") from error

    def frame(self, number: int) -> Image.Image:
        self._start_clock()
        whole = False
        try:
            image = self._picture(self._reach(number))
            whole = True
            return image
        except _BROKEN as error:
            raise self._told(error, f"frame {number} cannot be decoded") from error
        finally:
            if not whole:  # also when interrupted: the place in the stream is not known
                self._current = None

    def close(self) -> None:
        with suppress(*_BROKEN):
            self._container.close()
        self._file.close()

    # opening ----------------------------------------------------------------------------------
    def _open(self) -> None:
        self._file = self._source.stream()
        try:
            self._container = _container(self._file, self._format)
            self._stream = _stream(self._container)
        except _BROKEN as error:
            self._file.close()
            raise self._told(error, "is a damaged or truncated video") from error
        self._stream.codec_context.options = {"max_pixels": str(self._limits.max_pixels)}
        self._begin()

    def _begin(self, sought: bool = False) -> None:
        """Forgets the place in the stream; the next decoded frame starts a new run."""
        self._frames = self._decoded(sought)
        self._current = None
        self._began: int | None = None

    def _check_header(self) -> None:
        limits, stream, context = self._limits, self._stream, self._stream.codec_context
        if context.codec.canonical_name not in _CODECS:
            raise self._refusal(f"has codec {context.codec.canonical_name}")
        if context.width * context.height > limits.max_pixels:
            raise self._refusal(f"has frames of {context.width}x{context.height} pixels")
        if stream.frames > limits.max_frames:
            raise self._refusal(f"has {stream.frames} frames")
        seconds = (self._container.duration or 0) / av.time_base
        if seconds > limits.max_seconds:
            raise self._refusal(f"lasts {seconds:.0f} s")

    def _first(self) -> av.VideoFrame:
        try:
            return next(self._frames)
        except StopIteration as error:
            raise self._refusal("has no frame that can be decoded") from error

    def _read_timeline(self, container: av.container.InputContainer) -> Timeline:
        stream = container.streams[self._stream.index]
        codec = stream.codec_context.codec.canonical_name
        timeline = read_timeline(
            self._watched(container.demux(stream)),
            float(stream.time_base or 0) or 1.0,
            float(stream.average_rate or 0),
            self._limits,
            codec,
            # AVI stores no presentation stamps; with reordered frames FFmpeg's guesses are wrong.
            stampless=self._format == "avi" and codec in ("h264", "hevc"),
        )
        # MPEG program streams stamp few frames; after a seek FFmpeg's guesses are one off.
        return replace(timeline, counted=True) if self._format == "mpeg" else timeline

    # errors and time --------------------------------------------------------------------------
    def _start_clock(self) -> None:
        self._deadline = time.monotonic() + self._limits.timeout_s

    def _told(self, error: BaseException, reason: str) -> MediaError:
        """A complete MediaError as it is, a bare one completed, anything else as `reason`."""
        if isinstance(error, MediaError):
            text = str(error)
            return error if "; allowed: " in text else self._refusal(text)
        return self._refusal(reason)

    def _refusal(self, reason: str) -> MediaError:
        limits = self._limits
        return refusal(
            self._label,
            reason,
            f"{VIDEOS} up to {limits.max_seconds:g} s, {limits.max_frames} frames, {limits.pixels}",
        )

    # decoding ---------------------------------------------------------------------------------
    def _watched(self, packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
        """The packets while there is time for this request; a broken tail is an end."""
        while True:
            if time.monotonic() > self._deadline:
                raise self._refusal(f"took longer than {self._limits.timeout_s:g} s to decode")
            try:
                yield next(packets)
            except (StopIteration, av.FFmpegError):
                return

    def _decoded(self, sought: bool) -> Iterator[av.VideoFrame]:
        """Every decodable frame from the current place; damaged packets are passed over."""
        whole = not sought
        for packet in self._watched(self._container.demux(self._stream)):
            # A demuxer may land inside a group, whose frames would miss what they refer to.
            whole = whole or packet.is_keyframe
            if not whole:
                continue
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            yield from frames

    def _next(self) -> tuple[int, av.VideoFrame] | None:
        frame = next(self._frames, None)
        if frame is None:
            return None
        if self.timeline.counted or frame.pts is None:
            number = self._current[0] + 1 if self._current else 0
        else:
            number = self.timeline.number_at(frame.pts)
        self._current = (number, frame)
        self._began = number if self._began is None else self._began
        return self._current

    def _reach(self, number: int) -> av.VideoFrame:
        frame = self._run_to(number) if self._ahead(number) else self._sought(number)
        if frame is None:
            raise self._refusal(f"frame {number} is damaged")
        return frame

    def _sought(self, number: int) -> av.VideoFrame | None:
        """Frame `number` from the nearest key frame the demuxer can really find."""
        starts = () if self.timeline.counted else self.timeline.starts(number)
        for start in starts:
            if self._seek(start):
                frame = self._run_to(number)
                if self._began is not None and self._began <= number:
                    return frame
        self.close()
        self._open()
        return self._run_to(number)

    def _run_to(self, number: int) -> av.VideoFrame | None:
        """Frame `number`, or the one shown in its place; None when there is neither."""
        found = held = self._current
        while found is None or found[0] < number:
            held = found
            found = self._next()
            if found is None:
                break
        if found is not None and found[0] == number:
            return found[1]
        return held[1] if held is not None and number - held[0] <= _GAP_FRAMES else None

    def _ahead(self, number: int) -> bool:
        """Whether decoding on is the shortest way to `number`."""
        if self._current is None or self._current[0] > number:
            return False
        return self.timeline.counted or self.timeline.starts(number)[0] <= self._current[0] + 1

    def _seek(self, start: int) -> bool:
        try:
            stamp = int(self.timeline.stamps[start])
            self._container.seek(stamp, stream=self._stream, backward=True)
        except av.FFmpegError:
            return False
        self._begin(sought=True)
        return True

    def _picture(self, frame: av.VideoFrame) -> Image.Image:
        """RGB and upright; a frame coded in another size than the first is scaled to it."""
        width, height = self._coded
        rgb = frame.to_ndarray(format="rgb24", width=width, height=height)
        image = Image.fromarray(rgb)
        return image if self._turn is None else image.transpose(self._turn)


def display_turn(frame: av.VideoFrame) -> Image.Transpose | None:
    """How to turn a frame upright, from its display matrix; None when it lies right.

    The matrix is nine 16.16 fixed-point numbers a, b, u, c, d, v, x, y, w with
    x' = ax + cy, y' = bx + dy; only quarter turns and mirrors are followed.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return None
    signs = np.sign(np.frombuffer(memoryview(cast(Buffer, matrix)), dtype=np.int32))
    return _TURNS.get((int(signs[0]), int(signs[1]), int(signs[3]), int(signs[4])))


def _container(file: object, format: str) -> av.container.InputContainer:
    # An open file and a named format: no path reaches FFmpeg, so no protocol, playlist or
    # image-sequence pattern can be smuggled in through a name.
    return av.open(file, "r", format=format, buffer_size=_IO_BYTES, metadata_errors="replace")


def _stream(container: av.container.InputContainer) -> av.VideoStream:
    """The first video stream that is not a cover picture; MediaError when there is none."""
    for stream in container.streams.video:
        if stream.codec_context is None:
            raise MediaError("has an unknown codec")
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise MediaError("has no video track")
