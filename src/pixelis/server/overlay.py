"""What an observation points at, drawn on its picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from pixelis.episode import Observation
from pixelis.geometry import Box
from pixelis.ops.workspace import Handle, Workspace
from pixelis.trace.marks import as_box, spread, track_boxes

SIDE_PX = 1200
MOST_FRAMES = 4
INK = (0, 114, 178)
TINT = 0.35  # of the ink over a mask


def drawn(workspace: Workspace, seen: Observation) -> list[Image.Image]:
    """The source picture, or up to MOST_FRAMES frames of a clip, with masks and boxes drawn.

    The longer side is at most SIDE_PX; nothing in the workspace is changed.
    """
    tracked = track_boxes(seen.data)
    if tracked:
        frames = spread(list(tracked), MOST_FRAMES)
        return [_draw(workspace.frame(frame), [tracked[frame]], None) for frame in frames]
    handle = workspace.handles.get(seen.handle or "")
    frame = handle.frame if handle is not None and handle.frame is not None else None
    frame = workspace.views[0].frame if frame is None else frame
    return [_draw(workspace.frame(frame), list(_boxes(seen)), handle)]


def _boxes(seen: Observation) -> Iterator[Box]:
    if seen.box is not None:
        yield seen.box
    lines = seen.data.get("lines")
    for line in lines if isinstance(lines, list | tuple) else ():
        box = as_box(line.get("box")) if isinstance(line, dict) else None
        if box is not None:
            yield box


def _draw(source: Image.Image, boxes: list[Box], handle: Handle | None) -> Image.Image:
    image = source.convert("RGB")
    if handle is not None and handle.mask is not None:
        pixels = np.array(image, dtype=np.float32)
        mask = handle.mask
        pixels[mask] = (1 - TINT) * pixels[mask] + TINT * np.array(INK, np.float32)
        image = Image.fromarray(pixels.round().astype(np.uint8))
    factor = min(1.0, SIDE_PX / max(image.size))
    if factor < 1:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    elif image is source:
        image = image.copy()
    pen = ImageDraw.Draw(image)
    for box in boxes:
        x1, y1, x2, y2 = (value * factor for value in box)
        right, below = max(x1, x2 - 1), max(y1, y2 - 1)
        pen.rectangle((x1 - 1, y1 - 1, right + 1, below + 1), outline="white")
        pen.rectangle((x1, y1, right, below), outline=INK, width=2)
    return image
