"""How much a picture or video may ask of the machine; checked before decoding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Caps on hostile or oversized media.

    Attributes:
        max_bytes: size of a file, of bytes, or of a data URL before decoding.
        max_pixels: width times height of a picture or of one video frame. Pillow itself refuses
            pictures above about 179 million pixels.
        max_frames: frames of a video.
        max_seconds: duration of a video.
        timeout_s: wall time to open a video, to index it, or to reach one of its frames.
        max_memory: bytes of address space a decoding worker may use (`isolated=True`).
    """

    max_bytes: int = 512 * 2**20
    max_pixels: int = 64_000_000
    max_frames: int = 100_000
    max_seconds: float = 3600.0
    timeout_s: float = 30.0
    max_memory: int = 4 * 2**30

    @property
    def pixels(self) -> str:
        """`max_pixels` for people: `64 Mpx`, or the plain number when it is small."""
        if self.max_pixels < 10**6:
            return f"{self.max_pixels} px"
        return f"{self.max_pixels / 1e6:g} Mpx"

    @property
    def bytes(self) -> str:
        """`max_bytes` for people: `512 MiB`, or the plain number when it is small."""
        if self.max_bytes < 2**20:
            return f"{self.max_bytes} bytes"
        return f"{self.max_bytes / 2**20:g} MiB"
