"""Where the bytes of a picture or video come from: a path, bytes, or a data URL."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from pixelis.errors import MediaError
from pixelis.media.limits import Limits
from pixelis.media.sniff import HEAD_BYTES, PICTURES, VIDEOS

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LABEL_LIMIT = 160
_ACCEPTED = "a path, bytes, a data URL, a PIL image or a numpy array"


def refusal(label: str, reason: str, allowed: str) -> MediaError:
    """The error for media that cannot be used: what it is, why, and what would be allowed."""
    return MediaError(f"{label}: {reason}; allowed: {allowed}")


def printable(text: str) -> str:
    """`text` on one line without control characters, shortened in the middle when very long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(shown) <= _LABEL_LIMIT:
        return shown
    half = _LABEL_LIMIT // 2 - 2
    return f"{shown[:half]}...{shown[-half:]}"


@dataclass(frozen=True)
class Source:
    """Bytes that were checked for their number only; exactly one of `path` and `data` is set.

    Attributes:
        name: file name, or a word for where the bytes came from.
        label: how errors name it: the path as it was given, else `name`.
    """

    name: str
    label: str
    path: Path | None = None
    data: bytes | None = None

    def stream(self) -> BinaryIO:
        """The bytes from the beginning; the caller closes it. MediaError when unreadable."""
        if self.data is not None:
            return io.BytesIO(self.data)
        assert self.path is not None
        try:
            return self.path.open("rb")
        except OSError as error:
            raise unreadable(self.label, error) from error

    def head(self) -> bytes:
        return self._read(HEAD_BYTES)

    def read(self, limits: Limits) -> bytes:
        """Every byte; MediaError when the file grew beyond the cap or cannot be read."""
        data = self.data if self.data is not None else self._read(limits.max_bytes + 1)
        check_bytes(self.label, len(data), limits)
        return data

    def sha256(self) -> str:
        with self.stream() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]

    def _read(self, count: int) -> bytes:
        with self.stream() as stream:
            try:
                return stream.read(count)
            except OSError as error:
                raise unreadable(self.label, error) from error


def find_source(given: Any, limits: Limits, name: str | None = None) -> Source:
    """The checked source behind a path, bytes or data URL.

    Args:
        given: str or PathLike path, bytes-like object, or `data:` URL; a Source passes.
        name: what to call bytes or a data URL in errors and records.

    Raises:
        MediaError: missing, a folder, empty, too many bytes, a remote URL, or another type.
    """
    if isinstance(given, Source):
        return given
    if isinstance(given, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(given), printable(name or "bytes"), limits)
    if isinstance(given, str) and given[:5].lower() == "data:":
        return _from_data_url(given, printable(name or "data URL"), limits)
    if isinstance(given, (str, os.PathLike)):
        return _from_path(os.fspath(given), limits, name)
    raise refusal(type(given).__name__, "is not media", _ACCEPTED)


def check_bytes(label: str, count: int, limits: Limits) -> None:
    """MediaError for nothing at all or for more bytes than allowed."""
    if count == 0:
        raise refusal(label, "is empty (0 bytes)", f"pictures {PICTURES}; videos {VIDEOS}")
    if count > limits.max_bytes:
        raise refusal(label, f"has {count} bytes", f"up to {limits.bytes}")


def unreadable(label: str, error: OSError) -> MediaError:
    reason = error.strerror or "input/output error"
    return refusal(label, f"cannot be read ({reason.lower()})", "a readable file")


def _from_bytes(data: bytes, name: str, limits: Limits) -> Source:
    check_bytes(name, len(data), limits)
    return Source(name, name, data=data)


def _from_data_url(url: str, name: str, limits: Limits) -> Source:
    head, comma, payload = url[: limits.max_bytes * 4].partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise refusal(name, "is not base64", "data:image/png;base64,...")
    # Counted before decoding; white space makes this an over-estimate, never an under-estimate.
    if len(url) - len(head) > limits.max_bytes * 4 // 3 + 8:
        raise refusal(name, f"holds {len(url)} characters", f"up to {limits.bytes} decoded")
    try:
        raw = unquote_to_bytes(payload) if "%" in payload else payload.encode("ascii")
        data = base64.b64decode(b"".join(raw.split()), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise refusal(name, "holds broken base64", "data:image/png;base64,...") from error
    return _from_bytes(data, name, limits)


def _from_path(given: str | bytes, limits: Limits, name: str | None) -> Source:
    text = os.fsdecode(given)
    label = printable(text)
    if not text:
        raise refusal("''", "names no file", _ACCEPTED)
    scheme = _SCHEME.match(text)
    if scheme:
        raise refusal(label, f"{scheme[0]} is refused, remote media is off", "a local file")
    path = Path(text)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise refusal(label, "no such file", "an existing picture or video") from error
    except ValueError as error:
        raise refusal(label, "is not a usable path", "an existing picture or video") from error
    except OSError as error:
        raise unreadable(label, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise refusal(label, "is a folder", "one picture or video")
    if not stat.S_ISREG(found.st_mode):
        raise refusal(label, "is not a regular file", "an existing picture or video")
    check_bytes(label, found.st_size, limits)
    return Source(printable(name or path.name), label, path=path)
