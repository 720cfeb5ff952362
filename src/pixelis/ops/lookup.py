"""Finding a label among read lines, and what belongs to it: the rest of its line, or its cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pixelis.answers.normalize import phrase
from pixelis.answers.score import similarity
from pixelis.geometry import Box
from pixelis.ops.lines import SAME_ROW
from pixelis.ops.ocr import Line

ALIKE = 0.7  # least similarity of a label and what was read


class Value(NamedTuple):
    """What belongs to a label, and where it stands in source px."""

    text: str
    box: Box


class Found(NamedTuple):
    """A label: its line, counted from 1, where it stands, and what belongs to it."""

    line: int
    text: str
    box: Box
    value: Value | None


def look_up(lines: Sequence[Line], label: str, column: str | None = None) -> Found | None:
    """The line that says `label` and what stands beside it; None when no line is alike.

    Args:
        lines: in reading order.
        label: letter case and punctuation do not count, and one slip in four letters is forgiven.
        column: a header; what belongs to the label is then the cell of its row below that.
    """
    place, words = _best(lines, label)
    if place < 0:
        return None
    line = lines[place]
    value = _rest(line, words) if column is None else None
    beside = [other for other in lines if other is not line and _right_of(other, line)]
    if value is None and beside:
        chosen = _below(lines, line, beside, column) if column else min(beside, key=_left)
        value = None if chosen is None else Value(chosen.text, chosen.box)
    return Found(place + 1, line.text, line.box, value)


def _best(lines: Sequence[Line], label: str) -> tuple[int, int]:
    """Index of the line that says the label, and how many of its words do; -1 without one.

    A line that is the label goes before one that begins with it, and that before one that holds it.
    """
    wanted = phrase(label)
    count = len(wanted.split())
    best = (ALIKE, -1, 0)
    for index, line in enumerate(lines):
        words = phrase(line.text).split()
        for start in range(max(1, len(words) - count + 1)):
            part = " ".join(words[start : start + count])
            worth = similarity(part, wanted) - 0.1 * (start > 0) - 0.05 * (len(words) > count)
            if worth > best[0]:
                best = (worth, index, count if start == 0 else len(words))
    return best[1], best[2]


def _rest(line: Line, count: int) -> Value | None:
    """What follows the label in its own line."""
    words = line.text.split()
    if len(words) <= count:
        return None
    return Value(" ".join(words[count:]), line.box)


def _left(line: Line) -> float:
    return line.box.x1


def _right_of(other: Line, line: Line) -> bool:
    """Whether it stands in the same row, farther right."""
    common = min(other.box.y2, line.box.y2) - max(other.box.y1, line.box.y1)
    lower = min(other.box.height, line.box.height)
    return common >= SAME_ROW * lower and other.box.x1 >= line.box.x2 - 0.5 * lower


def _below(
    lines: Sequence[Line], line: Line, beside: Sequence[Line], column: str | None
) -> Line | None:
    """The cell of the row that stands under the header."""
    place, _ = _best([other for other in lines if other is not line], column or "")
    if place < 0:
        return None
    head = [other for other in lines if other is not line][place].box

    def off(other: Line) -> float:
        edges = (
            abs(other.box.x1 - head.x1),
            abs(other.box.x2 - head.x2),
            abs(other.box.center.x - head.center.x),
        )
        return min(edges)

    return min(beside, key=off)
