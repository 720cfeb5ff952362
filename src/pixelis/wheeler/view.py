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


def frame_of(image: Image.Image, side: int) -> np.ndarray | None:
    """The frame (side, side) that `picture` drew, float32; None for any other image.

    Cells are exact to a hundredth, so a rounded frame comes back once it is rounded again.
    """
    scale, rest = divmod(image.width, side)
    if rest or scale < 1 or image.size != (side * scale, side * scale):
        return None
    middles = np.arange(side) * scale + scale // 2
    ink = np.asarray(image.convert("RGB"), np.float32)[np.ix_(middles, middles)]
    low, middle, high = (end[0] - end[2] for end in ENDS)
    lean = ink[..., 0] - ink[..., 2] - middle
    cells = np.where(lean < 0, lean / (middle - low), lean / (high - middle)).clip(-1, 1)
    own = np.asarray(picture(cells, side), np.float32)
    return cells.astype(np.float32) if float(np.abs(own - ink).max()) <= 2 else None


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
