"""Still pictures: safe decoding from path, bytes, data URL, PIL image or numpy array."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixelis.errors import MediaError
from pixelis.geometry import Size
from pixelis.media.convert import from_array, to_rgb, upright
from pixelis.media.limits import Limits
from pixelis.media.quiet import QUIET
from pixelis.media.sniff import PICTURES, Kind, describe, sniff
from pixelis.media.source import find_source, printable, refusal

_ORIENTATION = 0x0112
# What Pillow's decoders raise on damaged files (seen over mutated files of every format).
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        image: RGB, upright (EXIF applied), alpha flattened on white.
        name: file name or a word for where it came from.
        sha256: of the file's bytes (of the pixels when there was no file).
    """

    image: Image.Image
    name: str
    sha256: str

    @property
    def size(self) -> Size:
        return Size(*self.image.size)

    def close(self) -> None:
        """Does nothing; a picture and a video close alike."""

    def __enter__(self) -> Picture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_picture(source: Any, limits: Limits | None = None, *, name: str | None = None) -> Picture:
    """Decodes a picture into RGB.

    Args:
        source: path, bytes, `data:` URL, PIL image, or array of shape (height, width[, 1, 3, 4])
            with uint8, uint16, bool, or float values in 0..1. Not changed.
        limits: caps on bytes and pixels, checked before decoding.
        name: what to call a source that has no file name.

    Raises:
        MediaError: one line with the source's name, the reason and what is allowed.
    """
    limits = limits or Limits()
    if isinstance(source, Image.Image):
        return _from_image(source, limits, name)
    if isinstance(source, np.ndarray):
        _check_pixels(name or "array", source.shape[1::-1], limits)
        return _from_pixels(from_array(source), printable(name or "array"))
    found = find_source(source, limits, name)
    head = found.head()
    kind = sniff(head)
    if kind is None:
        raise refusal(found.label, f"its content is {describe(head)}", f"pictures {PICTURES}")
    if kind.media == "video":
        raise refusal(found.label, "is a video", f"pictures {PICTURES}")
    data = found.read(limits)
    image = _decode(data, kind, found.label, limits)
    return Picture(image, found.name, hashlib.sha256(data).hexdigest())


def _from_image(image: Image.Image, limits: Limits, name: str | None) -> Picture:
    file_name = getattr(image, "filename", "")
    name = printable(
        name or (Path(file_name).name if isinstance(file_name, str) else "") or "image"
    )
    _check_pixels(name, image.size, limits)
    with QUIET:
        try:
            return _from_pixels(upright(to_rgb(image), _orientation(image)), name)
        except _BROKEN as error:
            raise refusal(name, f"pixels of mode {image.mode} cannot be read", "RGB") from error


def _from_pixels(image: Image.Image, name: str) -> Picture:
    digest = hashlib.sha256(f"{image.width}x{image.height}:".encode() + image.tobytes())
    return Picture(image, name, digest.hexdigest())


def _decode(data: bytes, kind: Kind, label: str, limits: Limits) -> Image.Image:
    with QUIET:
        try:
            if kind.format == "WEBP":
                _check_pixels(label, _webp_canvas(data), limits)
            with Image.open(io.BytesIO(data), formats=(kind.format,)) as image:
                _check_pixels(label, image.size, limits)
                image.load()
                # After load(): a TIFF has turned itself by then and says so.
                return upright(to_rgb(image), _orientation(image))
        except MediaError:
            raise
        except Image.DecompressionBombError as error:
            count = re.search(r"\d+(?= pixels)", str(error))
            reason = f"has {count[0] if count else 'too many'} pixels"
            raise refusal(label, reason, f"up to {limits.pixels}") from error
        except _BROKEN as error:
            reason = f"is a damaged or truncated {kind.format.lower()} file"
            raise refusal(label, reason, f"whole pictures {PICTURES}") from error


def _check_pixels(label: str, size: tuple[int, ...], limits: Limits) -> None:
    if len(size) == 2 and size[0] * size[1] > limits.max_pixels:
        raise refusal(label, f"has {size[0]}x{size[1]} pixels", f"up to {limits.pixels}")


def _orientation(image: Image.Image) -> object:
    """The EXIF orientation; a picture with damaged EXIF is shown as it lies."""
    try:
        return image.getexif().get(_ORIENTATION)
    except _BROKEN:
        return None


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """Declared width and height; Pillow allocates the canvas before anyone can ask."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        return _le(data[24:27]) + 1, _le(data[27:30]) + 1
    if chunk == b"VP8L":
        bits = _le(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _le(data[26:28]) & 0x3FFF, _le(data[28:30]) & 0x3FFF


def _le(data: bytes) -> int:
    return int.from_bytes(data, "little")
