"""Images as data URLs, small enough for one page."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

from PIL import Image

STAGE_SIDE_PX = 2000
CROP_SIDE_PX = 900
JPEG_QUALITY = 88


class Shown(NamedTuple):
    """An image on the page: its data URL and its pixels there."""

    url: str
    width: int
    height: int


def shown(image: Image.Image, longest_px: int) -> Shown:
    """The image, shrunk so that no side is over `longest_px`; PNG when that is the smaller file."""
    image = image.convert("RGB")
    if max(image.size) > longest_px:
        image = image.copy()
        image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    jpeg = _encoded(image, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    png = _encoded(image, "PNG", optimize=True)
    kind, data = ("png", png) if len(png) <= len(jpeg) else ("jpeg", jpeg)
    url = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return Shown(url, *image.size)


def _encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
