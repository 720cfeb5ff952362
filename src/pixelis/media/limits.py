"""How much a picture or video may ask of the machine; checked before decoding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Caps on hostile or oversized media.

    Attributes:
        max_bytes: size of a file or data URL before decoding.
        max_pixels: width times height of a picture or of one video frame.
        max_frames: frames of a video.
        max_seconds: duration of a video.
    """

    max_bytes: int = 512 * 2**20
    max_pixels: int = 64_000_000
    max_frames: int = 100_000
    max_seconds: float = 3600.0
