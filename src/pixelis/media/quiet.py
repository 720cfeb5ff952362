"""Keeps decoders from talking: Python warnings, and what libtiff writes to standard error."""

from __future__ import annotations

import ctypes
import threading
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

import PIL


class Quiet:
    """Silences warnings while any thread decodes.

    `warnings.catch_warnings` swaps process-wide state, so threads must not nest their own: the
    first one in swaps it, the last one out restores it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._swap: warnings.catch_warnings | None = None

    def __enter__(self) -> None:
        silence_libtiff()
        with self._lock:
            if self._inside == 0:
                self._swap = warnings.catch_warnings()
                self._swap.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._swap is not None:
                self._swap.__exit__(None, None, None)
                self._swap = None


@cache
def silence_libtiff() -> bool:
    """Takes the printing error handler out of the libtiff inside Pillow's wheel.

    Pillow learns of every error by return code; the handler only writes to standard error, which
    belongs to the program. Without a bundled library (another build of Pillow) nothing is done.
    """
    for folder in ("../pillow.libs", ".dylibs"):
        for path in sorted((Path(PIL.__file__).parent / folder).glob("libtiff*")):
            with suppress(OSError, AttributeError):
                ctypes.CDLL(str(path)).TIFFSetErrorHandler(None)
                return True
    return False


QUIET = Quiet()
