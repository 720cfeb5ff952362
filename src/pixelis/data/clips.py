"""Clips cut from videos or from folders of frames, written as MP4."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from pixelis.data.readers.record import Record
from pixelis.errors import DataError
from pixelis.media import Video, open_picture, open_video

MOST_FRAMES = 512
FRAME_RATE = 8.0  # where the source does not say
# Without the last, x264 gives other bytes on another processor.
ALIKE = "threads=1:lookahead-threads=1:cpu-independent=1"
QUALITY = {"crf": "18", "preset": "veryfast", "x264-params": ALIKE}


def clip_of(record: Record, out: Path, frames: tuple[int, int] | None = None) -> int:
    """Writes the part of a record's video that a question is about; gives how many frames.

    Args:
        frames: first and last frame, both included; without it the record's `span`, or all.
    """
    if record.kind == "frames":
        first, last = frames or (0, len(record.media) - 1)
        chosen = record.media[first : last + 1]
        pictures = (open_picture(one).image for one in chosen)
        return write_clip(pictures, out, record.fps or FRAME_RATE)
    source = record.media[0]
    with open_video(source) as video:
        first, last = frames or _spanned(video, record.span)
        between = (image for _, image in video.between(first, last))
        return write_clip(between, out, video.fps or FRAME_RATE)


def write_clip(pictures: Iterable[Image.Image], out: Path, fps: float) -> int:
    """Encodes RGB pictures of one size; an odd last row or column is left out (H.264 needs it)."""
    part = out.with_suffix(".part")
    count = 0
    with av.open(str(part), "w", format="mp4") as container:
        stream = None
        for picture in itertools.islice(pictures, MOST_FRAMES):
            pixels = np.asarray(picture.convert("RGB"))
            pixels = pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]
            if stream is None:
                rate = Fraction(fps).limit_denominator(1000)
                stream = container.add_stream("libx264", rate=rate, options=QUALITY)
                stream.codec_context.thread_count = 1  # the same bytes on every machine
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
            if pixels.shape[:2] != (stream.height, stream.width):
                raise DataError(f"{out.name}: frame {count} has another size than the first")
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            container.mux(list(_encoded(stream, frame)))
            count += 1
        if stream is None:
            raise DataError(f"{out.name}: there are no frames to write")
        container.mux(list(_encoded(stream, None)))
    part.replace(out)
    return count


def _encoded(stream: av.VideoStream, frame: av.VideoFrame | None) -> Iterator[av.Packet]:
    yield from stream.encode(frame)


def _spanned(video: Video, span: tuple[float, float] | None) -> tuple[int, int]:
    """The frames between two seconds; all when there is no span or nothing lies in it."""
    if span is None:
        return 0, video.frames - 1
    inside = [n for n in range(video.frames) if span[0] <= video.timestamp(n) <= span[1]]
    return (inside[0], inside[-1]) if inside else (0, video.frames - 1)
