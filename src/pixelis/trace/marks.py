"""What an observation points at, as SVG shapes in source pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pixelis.episode import Observation
from pixelis.geometry import Box, Size
from pixelis.ops.workspace import Handle

# A contour simpler than this share of the picture's longer side looks the same on a page.
SIMPLIFY = 1 / 1600
MOST_CONTOURS = 400
MOST_FRAMES = 16


class Mark(NamedTuple):
    """One shape on the picture.

    Attributes:
        kind: `box`, `mask`, `line` (of text), `track` (its box in one frame) or `path`.
        outline: SVG path data in source pixels.
        label: what it is, in words.
        handle: whose it is, `text_1`; empty when the observation has none.
        part: which part of the handle, `line_3`; empty for the whole.
        frame: of the video; None on a picture.
    """

    kind: str
    outline: str
    label: str
    handle: str = ""
    part: str = ""
    frame: int | None = None


def marks_of(observation: Observation, handle: Handle | None, still: bool) -> list[Mark]:
    """The shapes of one observation, the largest first.

    Args:
        handle: the workspace's entry for the observation's handle, which holds the mask.
        still: True for a picture, whose marks carry no frame.
    """
    frame = None if still else _frame_of(observation, handle)
    name = observation.handle or ""
    tracked = list(_track(observation.data, name))
    if tracked:
        return tracked
    marks = []
    if handle is not None and handle.mask is not None:
        marks.append(Mark("mask", mask_outline(handle.mask), name or "mask", name, "", frame))
    elif observation.box is not None:
        marks.append(Mark("box", box_outline(observation.box), name or "box", name, "", frame))
    for number, line in enumerate(_items(observation.data.get("lines")), 1):
        box = as_box(line.get("box"))
        if box is not None:
            text = str(line.get("text", ""))
            marks.append(Mark("line", box_outline(box), text, name, f"line_{number}", frame))
    return marks


def box_outline(box: Box) -> str:
    """A rectangle as SVG path data."""
    x1, y1, x2, y2 = (f"{value:g}" for value in box)
    return f"M{x1} {y1}H{x2}V{y2}H{x1}Z"


def mask_outline(mask: np.ndarray) -> str:
    """The outlines of a boolean (height, width) mask, holes included, as SVG path data."""
    import cv2

    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(0, 0)
    )
    tolerance = max(0.7, max(mask.shape) * SIMPLIFY)
    pieces = []
    for contour in sorted(contours, key=len, reverse=True)[:MOST_CONTOURS]:
        points = cv2.approxPolyDP(contour, tolerance, closed=True)[:, 0] + 0.5
        pieces.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z")
    return "".join(pieces)


def whole_outline(size: Size) -> str:
    return box_outline(Box(0, 0, size.width, size.height))


def as_box(value: Any) -> Box | None:
    """A box from plain JSON values; None when it is not four numbers."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 4:
        return None
    if not all(isinstance(side, int | float) and np.isfinite(side) for side in value):
        return None
    return Box(*value)


def track_boxes(data: Mapping[str, Any]) -> dict[int, Box]:
    """Frame number -> box of a track's data (frames where it was lost are absent)."""
    boxes = data.get("boxes")
    if not isinstance(boxes, Mapping):
        return {}
    found = {int(frame): as_box(box) for frame, box in boxes.items()}
    return {frame: box for frame, box in sorted(found.items()) if box is not None}


def _track(data: Mapping[str, Any], name: str) -> Iterator[Mark]:
    """The box in up to MOST_FRAMES frames, and the way its centre took up to there."""
    boxes = track_boxes(data)
    shown = set(spread(list(boxes), MOST_FRAMES))
    way: list[str] = []
    for frame, box in boxes.items():
        way.append(f"{box.center.x:g} {box.center.y:g}")
        if frame not in shown:
            continue
        label = f"{name or 'track'}, frame {frame}"
        yield Mark("track", box_outline(box), label, name, f"frame_{frame}", frame)
        if len(way) > 1:
            yield Mark("path", "M" + "L".join(way), f"{label}: its way", name, "", frame)


def spread(numbers: Sequence[int], most: int) -> list[int]:
    """At most `most` of the numbers, evenly spread, the first and last among them."""
    if len(numbers) <= most:
        return list(numbers)
    picked = np.linspace(0, len(numbers) - 1, most).round().astype(int)
    return [numbers[index] for index in picked]


def _frame_of(observation: Observation, handle: Handle | None) -> int | None:
    if observation.view is not None and observation.view.frame is not None:
        return observation.view.frame
    return handle.frame if handle is not None and handle.frame is not None else 0


def _items(value: Any) -> list[Mapping[str, Any]]:
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else []
    return [item for item in listed if isinstance(item, Mapping)]
