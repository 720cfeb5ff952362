from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from pixelis.trace.pixels import shown


def decoded(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2])))


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_a_large_image_shrinks_and_keeps_its_aspect():
    image = noise(900, 300)
    small = shown(image, 450)
    assert (small.width, small.height) == (450, 150)
    assert decoded(small.url).size == (450, 150)
    assert image.size == (900, 300)


def test_flat_drawings_are_png_and_exact():
    image = Image.new("RGB", (64, 64), (12, 34, 56))
    small = shown(image, 100)
    assert small.url.startswith("data:image/png;base64,")
    assert decoded(small.url).getpixel((5, 5)) == (12, 34, 56)


def test_photographs_are_jpeg():
    assert shown(noise(64, 64), 100).url.startswith("data:image/jpeg;base64,")
