"""Mutated files either decode or raise MediaError: no other error, no hang, no noise.

`PIXELIS_FUZZ_FILES` sets the number of mutated pictures of the long run (marker slow).
"""

from __future__ import annotations

import io
import os
import random
import re
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import MediaError
from pixelis.media import Limits, Picture, open_media, open_video

LIMITS = Limits(max_pixels=4_000_000, timeout_s=5.0)
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")


def seeds() -> dict[str, list[bytes]]:
    """Small real files of every format: several modes, compressions, metadata, animations."""
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 4), np.uint8)
    rgba = Image.fromarray(noise)
    rgb, gray = rgba.convert("RGB"), rgba.convert("L")
    palette = rgb.quantize(16)
    deep = Image.fromarray(noise[:, :, 0].astype(np.uint16) * 200)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a camera"
    two = {"save_all": True, "append_images": [rgb.rotate(90)]}
    variants: dict[str, list[tuple[Image.Image, dict[str, Any]]]] = {
        "PNG": [(rgba, {"exif": exif}), (palette, {"transparency": 3}), (deep, {}), (rgb, two)],
        "JPEG": [(rgb, {"exif": exif}), (gray, {"progressive": True}), (rgb.convert("CMYK"), {})],
        "WEBP": [(rgba, {"lossless": True}), (rgb, {"exif": exif}), (rgb, two)],
        "BMP": [(rgb, {}), (palette, {}), (rgba, {}), (gray.convert("1"), {})],
        "GIF": [(palette, {}), (rgb, two), (gray, {"transparency": 1})],
        "TIFF": [
            (rgb, {"exif": exif}),
            (gray, {"compression": "tiff_lzw"}),
            (rgba, {"compression": "tiff_adobe_deflate"}),
            (rgb, {"compression": "jpeg"}),
            (gray.convert("1"), {"compression": "group4"}),
            (deep, {"compression": "packbits"}),
        ],
    }
    return {
        format: [encoded(image, format, options) for image, options in several]
        for format, several in variants.items()
    }


def encoded(image: Image.Image, format: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def mutated(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """One of: bit flips, truncation, header edit, splice, repeated or removed part."""
    raw = bytearray(data)
    kind = chance.randrange(6)
    if kind == 0:
        for _ in range(chance.choice((1, 3, 20))):
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del raw[chance.randrange(4, len(raw)) :]
    elif kind == 2:
        place = chance.randrange(4, min(len(raw) - 4, 120))
        value = chance.choice((0, 1, 0x7F, 0xFF, 0x80, chance.randrange(256)))
        raw[place : place + chance.choice((1, 2, 4))] = bytes([value]) * chance.choice((1, 2, 4))
    elif kind == 3:
        other = chance.choice(others)
        cut = chance.randrange(4, len(raw))
        raw[cut:] = other[min(cut, len(other) // 2) :]
    elif kind == 4:
        start = chance.randrange(4, len(raw))
        part = raw[start : start + chance.randrange(1, 200)]
        raw[start:start] = part * chance.choice((1, 50))
    else:
        start = chance.randrange(4, len(raw))
        del raw[start : start + chance.randrange(1, 60)]
    return bytes(raw)


def fuzz_pictures(count: int, seed: int) -> Counter[str]:
    """Opens `count` mutated files; the outcomes by format. Any other error ends the test."""
    files = seeds()
    every = [data for several in files.values() for data in several]
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    for number in range(count):
        format = FORMATS[number % len(FORMATS)]
        data = mutated(chance.choice(files[format]), chance, every)
        start = time.monotonic()
        outcome = attempt(data, f"{format} {number}")
        outcomes[f"{format} {outcome}"] += 1
        assert time.monotonic() - start < 5, f"{format} {number} took too long"
    return outcomes


def attempt(data: bytes, name: str) -> str:
    try:
        media = open_media(data, LIMITS, name=name)
    except MediaError as error:
        check_message(str(error), name)
        return "refused"
    assert isinstance(media, Picture)
    assert media.image.mode == "RGB"
    assert 0 < media.size.width * media.size.height <= LIMITS.max_pixels
    return "decoded"


def check_message(message: str, name: str) -> None:
    assert message.startswith(f"{name}: ")
    assert "allowed: " in message
    assert message.isprintable()
    assert re.search(r"0x[0-9a-f]{6}", message) is None
    assert "/" not in message


def check_outcomes(outcomes: Counter[str]) -> None:
    """The mutations must reach the decoders: for every format some decode, some are refused."""
    for format in FORMATS:
        assert outcomes[f"{format} decoded"] > 5, outcomes
        assert outcomes[f"{format} refused"] > 5, outcomes


def test_two_thousand_mutated_pictures(capfd: pytest.CaptureFixture[str]) -> None:
    check_outcomes(fuzz_pictures(2000, seed=0))
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_many_mutated_pictures() -> None:
    check_outcomes(fuzz_pictures(int(os.environ.get("PIXELIS_FUZZ_FILES", "10000")), seed=1))


def look_at(data: bytes, name: str, isolated: bool) -> str:
    """Opens a mutated clip, asks for its length and three frames."""
    try:
        with open_video(data, LIMITS, name=name, isolated=isolated) as video:
            for number in (0, video.frames // 2, video.frames - 1):
                assert video.frame(number).size == video.size
    except MediaError as error:
        check_message(str(error), name)
        return "refused"
    return "decoded"


def fuzz_videos(clips: Any, count: int, isolated: bool) -> Counter[str]:
    files = [
        clips.make("mp4", frames=20),
        clips.make("matroska", frames=20),
        clips.make("avi", "mpeg4", frames=20),
        clips.make("mpegts", "mpeg2video", frames=20),
        clips.make("webm", "libvpx", frames=20),
        clips.make("mov", "mjpeg", frames=20),
    ]
    chance = random.Random(3)
    outcomes: Counter[str] = Counter()
    for number in range(count):
        data = mutated(files[number % len(files)], chance, files)
        outcomes[look_at(data, f"clip {number}", isolated)] += 1
    return outcomes


def test_mutated_videos_in_a_worker(clips: Any) -> None:
    outcomes = fuzz_videos(clips, 6, isolated=True)
    assert outcomes["decoded"] > 0, outcomes
    assert outcomes["refused"] > 0, outcomes


@pytest.mark.slow
def test_many_mutated_videos_in_a_worker(clips: Any) -> None:
    outcomes = fuzz_videos(clips, 50, isolated=True)
    assert min(outcomes["decoded"], outcomes["refused"]) > 5, outcomes
