"""Small clips whose frames carry their own number as eight black or white bars."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT = 160, 96
BAR = WIDTH // 8
FAST = {
    "libx264": {"preset": "veryfast"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}


def numbered(number: int) -> np.ndarray:
    """Grey, a red block in the top-left corner, bars of the number's bits in the lower half."""
    pixels = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    for bit in range(8):
        pixels[HEIGHT // 2 :, bit * BAR : (bit + 1) * BAR] = 255 * ((number >> bit) & 1)
    pixels[: HEIGHT // 4, :BAR] = (255, 0, 0)
    return pixels


def number_of(image: Image.Image) -> int:
    """The number read back from the bars."""
    grey = np.asarray(image.convert("L"))
    row = grey[HEIGHT * 3 // 4]
    return sum(int(row[bit * BAR + BAR // 2] > 128) << bit for bit in range(8))


@cache
def clip(
    format: str = "mp4",
    codec: str = "libx264",
    frames: int = 60,
    varying: bool = False,
    turn: int = 0,
) -> bytes:
    """An encoded clip; with `varying`, every third frame lasts 130 ms and the others 40."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=format) as container:
        stream = container.add_stream(codec, rate=25, options=FAST.get(codec, {}))
        stream.codec_context.thread_count = 1
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = 12
        if turn:
            stream.set_display_rotation(turn)
        unit = Fraction(1, 1000) if varying else Fraction(1, 25)
        stream.codec_context.time_base = unit
        stamp = 0
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            frame.pts, frame.time_base = stamp, unit
            stamp += (40 if number % 3 else 130) if varying else 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


class Clips:
    """The builders above, for tests."""

    make = staticmethod(clip)
    number_of = staticmethod(number_of)


@pytest.fixture(scope="session")
def clips() -> type[Clips]:
    return Clips


@pytest.fixture(scope="session")
def plain_clip() -> bytes:
    return clip()
