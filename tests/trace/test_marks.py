from __future__ import annotations

import cv2
import numpy as np
import pytest

from pixelis.episode import Observation
from pixelis.geometry import Box
from pixelis.ops.workspace import Handle
from pixelis.trace.marks import MOST_FRAMES, as_box, marks_of, mask_outline, spread


def filled(outline: str, shape: tuple[int, int]) -> np.ndarray:
    """The pixels inside an outline, by the even-odd rule."""
    pieces = [piece.rstrip("Z") for piece in outline.split("M")[1:]]
    rings = [
        np.array([[float(v) for v in point.split()] for point in piece.split("L")]) - 0.5
        for piece in pieces
    ]
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [ring.round().astype(np.int32) for ring in rings], 1)
    return canvas.astype(bool)


def ring_mask() -> np.ndarray:
    y, x = np.mgrid[:240, :320]
    radius = np.hypot(x - 150, y - 110)
    return (radius < 80) & (radius > 30)


def test_a_mask_outline_encloses_the_mask_and_leaves_its_hole():
    mask = ring_mask()
    drawn = filled(mask_outline(mask), mask.shape)
    assert (drawn & mask).sum() / (drawn | mask).sum() > 0.97
    assert not drawn[110, 150]


def test_an_empty_mask_has_no_outline():
    assert mask_outline(np.zeros((5, 7), bool)) == ""


def test_a_mask_replaces_its_box():
    mask = ring_mask()
    seen = Observation("", box=Box(70, 30, 231, 191), handle="mask_1")
    marks = marks_of(seen, Handle("mask_1", mask=mask), still=True)
    assert [mark.kind for mark in marks] == ["mask"]
    assert marks[0].frame is None


def test_lines_come_after_their_text():
    lines = [{"text": "a", "box": [1, 2, 3, 4]}, {"text": "b", "box": "?"}, {"text": "c"}, "d"]
    seen = Observation("", box=Box(0, 0, 9, 9), handle="text_1", data={"lines": lines})
    marks = marks_of(seen, None, still=True)
    assert [(mark.kind, mark.part, mark.label) for mark in marks] == [
        ("box", "", "text_1"),
        ("line", "line_1", "a"),
    ]
    assert marks[1].outline == "M1 2H3V4H1Z"


def test_a_track_is_marked_in_its_frames():
    boxes = {str(n): None if n == 3 else [n, 0, n + 10, 10] for n in range(2, 6)}
    seen = Observation("", handle="track_1", data={"boxes": boxes})
    marks = marks_of(seen, None, still=False)
    assert [mark.frame for mark in marks if mark.kind == "track"] == [2, 4, 5]
    assert [mark.outline for mark in marks if mark.kind == "path"][-1] == "M7 5L9 5L10 5"


def test_a_long_track_is_thinned_but_keeps_its_ends():
    boxes = {str(n): [n, 0, n + 10, 10] for n in range(900)}
    marks = marks_of(Observation("", handle="track_1", data={"boxes": boxes}), None, still=False)
    frames = [mark.frame for mark in marks if mark.kind == "track"]
    assert len(frames) == MOST_FRAMES
    assert (frames[0], frames[-1]) == (0, 899)


def test_spread_keeps_few_as_they_are():
    assert spread([3, 5, 9], 3) == [3, 5, 9]
    assert spread([1, 2, 3, 4, 5], 2) == [1, 5]


@pytest.mark.parametrize(
    "value", [None, "1234", [1, 2, 3], [1, 2, 3, float("nan")], [1, 2, 3, "4"]]
)
def test_what_is_no_box(value):
    assert as_box(value) is None
