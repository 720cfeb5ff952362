"""Pictures and videos of a store: files named by the SHA-256 of their content.

A file is written beside its place, flushed to the disk and renamed, and the folder is flushed;
so a file that is there is whole. What a picture says besides its pixels (place, time, camera) is
taken off, without changing a pixel.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from pixelis.errors import MediaError, StoreError
from pixelis.media import open_picture
from pixelis.media.sniff import HEAD_BYTES, sniff

SUFFIX = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "mov": ".mp4", "matroska": ".mkv"}
PART = ".part"
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT"}
_ORIENTATION = 0x0112


class Kept(NamedTuple):
    """A stored file: its content's SHA-256, its ending, its number of bytes."""

    sha256: str
    suffix: str
    bytes: int


class Shelf:
    """The folder of media."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, original: bool = False) -> Kept:
        """Keeps the bytes of a picture or video; the same content is kept once.

        Args:
            original: keep the file as it came, with all that it says besides its pixels.

        Raises:
            MediaError: it is neither a picture nor a video.
            StoreError: it cannot be written; nothing is left of it then.
        """
        kind = sniff(data[:HEAD_BYTES])
        if kind is None:
            raise MediaError("media: neither a picture nor a video; give one of those formats")
        if kind.media == "picture" and not original:
            data = stripped(data)
            kind = sniff(data[:HEAD_BYTES]) or kind
        kept = Kept(hashlib.sha256(data).hexdigest(), SUFFIX.get(kind.format, ".bin"), len(data))
        place = self.path(kept.sha256, kept.suffix)
        if not place.exists():
            write_whole(place, data)
        return kept

    def path(self, sha256: str, suffix: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}{suffix}"

    def read(self, sha256: str, suffix: str) -> bytes:
        """The bytes as they were put; StoreError when they are gone or damaged."""
        path = self.path(sha256, suffix)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path} cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(f"{path} is damaged; see: pixelis memory verify")
        return data

    def remove(self, sha256: str, suffix: str) -> None:
        path = self.path(sha256, suffix)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be removed ({error.strerror})") from error

    def files(self) -> Iterator[Path]:
        """Every file of the folder, unfinished ones included."""
        if self.folder.is_dir():
            yield from (path for path in sorted(self.folder.glob("*/*")) if path.is_file())


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that it is there whole or not at all, also after a power cut."""
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        flush_folder(path.parent)
        flush_folder(path.parent.parent)
    except OSError as error:
        with suppress(OSError):  # the first error is the one to tell; verify sweeps parts up
            part.unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written ({error.strerror or error})") from error


def flush_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stripped(data: bytes) -> bytes:
    """A picture without metadata, its pixels as they were.

    JPEG and PNG lose segments and chunks only; a picture turned by its metadata, and every other
    format, becomes a PNG of the upright pixels.
    """
    kind = sniff(data[:HEAD_BYTES])
    if kind is not None and kind.format in ("JPEG", "PNG") and not _turned(data):
        bare = _bare_jpeg(data) if kind.format == "JPEG" else _bare_png(data)
        if bare is not None:
            return bare
    return as_png(open_picture(data).image)


def as_png(image: Image.Image) -> bytes:
    """The file of an image, without metadata; equal pixels give equal bytes."""
    stream = io.BytesIO()
    bare = Image.fromarray(np.asarray(image.convert("RGB")))
    bare.save(stream, format="PNG")
    return stream.getvalue()


def fingerprint(image: Image.Image) -> int:
    """64-bit difference hash: neighbouring cells of a 9 x 8 grey thumbnail compared.

    Nearly the same picture (scaled, compressed again) differs in few bits.
    """
    grey = image.convert("L").resize((9, 8), Image.Resampling.BOX)
    cells = np.asarray(grey, np.int16)
    bits = (cells[:, 1:] > cells[:, :-1]).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def alike(first: int, second: int) -> float:
    """Share of equal bits of two fingerprints, in [0, 1]."""
    return 1.0 - (first ^ second).bit_count() / 64


def _turned(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.getexif().get(_ORIENTATION, 1) != 1
    except (OSError, SyntaxError, ValueError, LookupError, TypeError):
        return True  # what cannot be read safely is decoded and written anew


def _bare_jpeg(data: bytes) -> bytes | None:
    """Without application segments (but for those the decoder needs) and comments."""
    kept, place = [data[:2]], 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xDA:  # the scan: everything up to the end of the image
            end = data.rfind(b"\xff\xd9")
            return b"".join(kept) + data[place : end + 2] if end > place else None
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        # APP0 says the density, APP14 how colours are coded.
        droppable = 0xE1 <= marker <= 0xEF and marker != 0xEE
        if not (droppable or marker == 0xFE):
            kept.append(data[place : place + 2 + length])
        place += 2 + length
    return None


def _bare_png(data: bytes) -> bytes | None:
    """Without text, time and profile chunks, and without what follows the end."""
    kept, place = [data[:8]], 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        name = data[place + 4 : place + 8]
        if name in _PNG_KEPT:
            kept.append(data[place : place + 12 + length])
        place += 12 + length
        if name == b"IEND":
            return b"".join(kept)
    return None
