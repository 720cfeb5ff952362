"""Where lines of text are: slanted boxes, joining pieces of one line, and reading order.

A quad is a float array of shape (4, 2): top-left, top-right, bottom-right and bottom-left corner
of a line in its own upright frame, in pixels (x right, y down) of whatever picture it was found in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import cv2
import numpy as np

from pixelis.geometry import Box

Item = TypeVar("Item")

JOIN_GAP = 0.9  # pieces of a line nearer than this many line heights are one line
SAME_ROW = 0.5  # share of the smaller height that two pieces of a row have in common
SAME_HEIGHT = 1.7  # largest ratio of heights of two pieces of one line
GUTTER = 1.0  # narrowest gap between columns, in line heights
COLUMN_ASPECT = 4.0  # lines of a text column are at least this much wider than high


class Span(NamedTuple):
    """A line in the frame turned upright: left, right, top, bottom."""

    x1: float
    x2: float
    y1: float
    y2: float

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def width(self) -> float:
        return self.x2 - self.x1


def box_of(quad: np.ndarray) -> Box:
    """The axis-aligned box around a quad."""
    (x1, y1), (x2, y2) = quad.min(axis=0), quad.max(axis=0)
    return Box(float(x1), float(y1), float(x2), float(y2))


def width_of(quad: np.ndarray) -> float:
    """Length along the line, in px."""
    return float(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3])))


def height_of(quad: np.ndarray) -> float:
    """Height of the line's box, in px."""
    return float(max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1])))


def tilt(quads: Sequence[np.ndarray]) -> float:
    """Median slope angle of the lines in radians, weighted by their widths; 0 without lines."""
    wide = [quad for quad in quads if width_of(quad) > 2 * height_of(quad)]
    if not wide:
        return 0.0
    runs = np.array([quad[1] - quad[0] + quad[2] - quad[3] for quad in wide])
    angles, weights = np.arctan2(runs[:, 1], runs[:, 0]), np.hypot(runs[:, 0], runs[:, 1])
    order = np.argsort(angles)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(angles[order][middle])


def spans_of(quads: Sequence[np.ndarray], angle: float) -> list[Span]:
    """Each quad's extent after turning the picture by `-angle` about the origin."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = [quad @ turn for quad in quads]
    return [
        Span(*(float(v) for v in (q[:, 0].min(), q[:, 0].max(), q[:, 1].min(), q[:, 1].max())))
        for q in turned
    ]


def same_row(a: Span, b: Span) -> bool:
    """Whether two spans share at least half of the smaller height."""
    common = min(a.y2, b.y2) - max(a.y1, b.y1)
    return common >= SAME_ROW * min(a.height, b.height)


# joining ------------------------------------------------------------------------------------------
def join(quads: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Pieces of one line made whole: word boxes of a line, and halves from two tiles."""
    angle = tilt(quads)
    spans = spans_of(quads, angle)
    parents = list(range(len(quads)))

    def root(index: int) -> int:
        while parents[index] != index:
            index = parents[index]
        return index

    for i, a in enumerate(spans):
        for j in range(i):
            if _one_line(a, spans[j]):
                parents[root(i)] = root(j)
    groups: dict[int, list[np.ndarray]] = {}
    for index, quad in enumerate(quads):
        groups.setdefault(root(index), []).append(quad)
    return [_around(group, angle) for group in groups.values()]


def _one_line(a: Span, b: Span) -> bool:
    small, large = sorted((a.height, b.height))
    if large > SAME_HEIGHT * small or a.width < a.height / 2 or b.width < b.height / 2:
        return _inside(a, b) or _inside(b, a)
    return same_row(a, b) and max(a.x1, b.x1) - min(a.x2, b.x2) <= JOIN_GAP * small - 0.45 * large


def _inside(a: Span, b: Span) -> bool:
    wide = min(a.x2, b.x2) - max(a.x1, b.x1)
    high = min(a.y2, b.y2) - max(a.y1, b.y1)
    return wide > 0 and high > 0 and wide * high > 0.8 * a.width * a.height


def _around(group: list[np.ndarray], angle: float) -> np.ndarray:
    if len(group) == 1:
        return group[0]
    x1, y1 = np.inf, np.inf
    x2, y2 = -np.inf, -np.inf
    for span in spans_of(group, angle):
        x1, x2, y1, y2 = min(x1, span.x1), max(x2, span.x2), min(y1, span.y1), max(y2, span.y2)
    back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) @ back


# order --------------------------------------------------------------------------------------------
def reading_order(quads: Sequence[np.ndarray]) -> list[int]:
    """Indices of the quads top to bottom and left to right, column after column.

    Two blocks are columns when a straight gap at least a line high runs between them and each has
    three lines or more that are much wider than high; a table of short cells is read by rows.
    """
    spans = spans_of(quads, tilt(quads))
    return _ordered(list(range(len(quads))), spans)


def _ordered(indices: list[int], spans: list[Span]) -> list[int]:
    sides = _columns(indices, spans)
    if sides:
        return _ordered(sides[0], spans) + _ordered(sides[1], spans)
    rows = _rows(indices, spans)
    result: list[int] = []
    start = 0
    while start < len(rows):
        end = _column_rows(rows, start, spans)
        chunk = [index for row in rows[start:end] for index in row]
        result += _ordered(chunk, spans) if end > start + 1 else chunk
        start = end
    return result


def _column_rows(rows: list[list[int]], start: int, spans: list[Span]) -> int:
    """The end of the run of rows from `start` that forms columns, else `start + 1`."""
    best = start + 1
    for end in range(start + 3, len(rows) + 1):
        if end - start == len(rows):
            break  # the whole block was tried before
        chunk = [index for row in rows[start:end] for index in row]
        if _columns(chunk, spans):
            best = end
        elif best > start + 1 or end > start + 6:
            break
    return best


def _rows(indices: list[int], spans: list[Span]) -> list[list[int]]:
    rows: list[list[int]] = []
    for index in sorted(indices, key=lambda i: spans[i].y1 + spans[i].y2):
        if rows and same_row(spans[rows[-1][0]], spans[index]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [sorted(row, key=lambda i: spans[i].x1) for row in rows]


def _columns(indices: list[int], spans: list[Span]) -> tuple[list[int], list[int]] | None:
    """The two sides of the widest gutter, or None when there is no clear one."""
    if len(indices) < 6:
        return None
    ordered = sorted(indices, key=lambda i: spans[i].x1)
    high = float(np.median([spans[i].height for i in indices]))
    reach, best, cut = -np.inf, GUTTER * high, 0
    for place, index in enumerate(ordered):
        gap = spans[index].x1 - reach
        if (
            place
            and gap >= best
            and _is_column(ordered[:place], spans)
            and _is_column(ordered[place:], spans)
        ):
            best, cut = gap, place
        reach = max(reach, spans[index].x2)
    return (ordered[:cut], ordered[cut:]) if cut else None


def _is_column(indices: list[int], spans: list[Span]) -> bool:
    if len(indices) < 3:
        return False
    shapes = [spans[i].width / max(spans[i].height, 1.0) for i in indices]
    return float(np.median(shapes)) >= COLUMN_ASPECT


# pixels -------------------------------------------------------------------------------------------
def straighten(pixels: np.ndarray, quad: np.ndarray, height: int) -> np.ndarray:
    """The line cut out of `pixels` (H, W, 3 uint8), upright and `height` px high.

    Small letters are enlarged by cubic interpolation straight from `pixels`; large ones are cut at
    their own size and shrunk by area, because sampling alone would alias their strokes.
    """
    high, wide = height_of(quad), width_of(quad)
    rows = max(height, round(high))
    columns = max(8, round(wide * rows / max(high, 1.0)))
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    # pixel centres lie half a pixel inside the corners on both sides of the mapping
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32) - 0.5, corners - 0.5)
    line = cv2.warpPerspective(
        pixels, matrix, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    if rows == height:
        return line
    size = (max(8, round(columns * height / rows)), height)
    return cv2.resize(line, size, interpolation=cv2.INTER_AREA)


def ink_margins(line: np.ndarray) -> tuple[float, float, float, float]:
    """How much of an upright line (H, W, 3) is empty left, top, right and below, each in 0..0.4.

    The paper is the commoner side of Otsu's threshold on the distance from the median colour.
    """
    distance = np.abs(line.astype(np.int16) - np.median(line, axis=(0, 1)).astype(np.int16))
    strength = distance.max(axis=2).astype(np.uint8)
    _, ink = cv2.threshold(strength, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    margins = []
    for counts, across in ((ink.sum(axis=0), ink.shape[0]), (ink.sum(axis=1), ink.shape[1])):
        there = np.flatnonzero(counts >= max(1, 0.012 * across))
        if not len(there):
            return 0.0, 0.0, 0.0, 0.0
        # at most 0.4 line heights may go, so that a misjudged ink cannot empty the box
        cap = 0.4 * line.shape[0]
        margins.append((min(there[0], cap), min(len(counts) - 1 - there[-1], cap)))
    (left, right), (top, bottom) = margins
    return tuple(float(v) / line.shape[0] for v in (left, top, right, bottom))  # type: ignore[return-value]


def tightened(quad: np.ndarray, margins: tuple[float, float, float, float]) -> np.ndarray:
    """The quad less its margins, each given in line heights."""
    left, top, right, bottom = margins
    high = height_of(quad)
    along = (quad[1] - quad[0]) / max(width_of(quad), 1e-6)
    down = (quad[3] - quad[0]) / max(high, 1e-6)
    moves = np.array(
        [
            along * left + down * top,
            -along * right + down * top,
            -along * right - down * bottom,
            along * left - down * bottom,
        ]
    )
    return quad + moves * high
