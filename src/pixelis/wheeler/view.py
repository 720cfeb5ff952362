"""Frames as pictures people can see: PNG of one, GIF of a frame settling."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pixelis.errors import ConfigError

SIDE_PX = 384
FRAME_MS, LAST_MS = 220, 1400
# Dark blue for -1, white for 0, dark red-brown for 1: told apart also without red or green.
ENDS = np.array([[33, 78, 130], [250, 249, 246], [150, 62, 20]], np.float32)


def picture(frame: np.ndarray, side_px: int = SIDE_PX) -> Image.Image:
    """A frame (height, width) in [-1, 1] with square cells, about `side_px` high."""
    cells = np.clip(np.asarray(frame, np.float32), -1, 1)[..., None]
    low, middle, high = ENDS
    ink = np.where(cells < 0, middle + (middle - low) * cells, middle + (high - middle) * cells)
    scale = max(1, side_px // frame.shape[0])
    small = Image.fromarray(np.rint(ink).astype(np.uint8))
    return small.resize((frame.shape[1] * scale, frame.shape[0] * scale), Image.Resampling.NEAREST)


def save_picture(frame: np.ndarray, path: Path) -> Path:
    """Writes a PNG; ConfigError when it cannot be written."""
    return _saved(path, lambda: picture(frame).save(path))


def save_film(frames: Sequence[np.ndarray], path: Path) -> Path:
    """Writes a GIF that shows the frames one after the other and rests on the last."""
    pictures = [picture(frame) for frame in frames]
    times = [FRAME_MS] * (len(pictures) - 1) + [LAST_MS]
    first, rest = pictures[0], pictures[1:]
    return _saved(
        path, lambda: first.save(path, save_all=True, append_images=rest, duration=times, loop=0)
    )


def _saved(path: Path, write) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be written: {error}; name a .png or .gif") from error
    return path
