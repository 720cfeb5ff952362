"""Documents with their truth: receipts, tables, forms, bar and line charts.

A text item's `role` says what it is (`title`, `header`, `label`, `value`, `line`), `row` and
`column` where it stands in a table, and `link` of a bar's label the index of its bar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pixelis.data.worlds import lexicon, sprites
from pixelis.data.worlds.palette import COLORS, RGB, contrast, draw_color
from pixelis.data.worlds.scene import Canvas, Item
from pixelis.geometry import Box

LETTER_PX = (17, 27)
LINE = 1.75  # pitch of lines in letter heights
GAP = 2.2  # least gap between columns in letter heights


class Sheet(NamedTuple):
    """The paper of a document: its box, colour, index (`card`) among the items, font, size, ink."""

    box: Box
    ground: RGB
    card: int
    font: str
    bold: str
    size: int
    ink: RGB


def write(
    canvas: Canvas, text: str, font: str, size: int, x: float, y: float, ink: RGB, anchor: float = 0
) -> Box:
    """Writes one line whose top is `y`; `anchor` 0 begins at `x`, 0.5 is centred, 1 ends there."""
    face = sprites.load_font(font, size)
    left, top, right, _ = face.getbbox(text)
    mask = sprites.text_alpha(text, font, size)
    at = x - anchor * (right - left)
    box = sprites.paste(canvas.pixels, mask, ink, at, y + top)
    if box is None:
        raise RuntimeError(f"{text!r} was written outside the canvas")
    return Box(*box)


def width_of(text: str, font: str, size: int) -> float:
    """Width of a line in px."""
    left, _, right, _ = sprites.load_font(font, size).getbbox(text)
    return float(right - left)


def paper(canvas: Canvas, width: float, height: float) -> Sheet | None:
    """A sheet of that size in the middle of the canvas, a little off; None without room."""
    rng = canvas.rng
    if width > canvas.width - 12 or height > canvas.height - 12:
        return None
    spare_x, spare_y = canvas.width - width, canvas.height - height
    x1, y1 = round(spare_x * rng.uniform(0.15, 0.85)), round(spare_y * rng.uniform(0.15, 0.85))
    box = Box(x1, y1, x1 + round(width), y1 + round(height))
    name = str(rng.choice(["white", "white", "white", "yellow"]))
    ground = draw_color(rng, name)
    if name == "yellow":
        ground = RGB(*(int(0.35 * v + 0.65 * 250) for v in ground))
    cut = slice(int(box.y1), int(box.y2)), slice(int(box.x1), int(box.x2))
    canvas.pixels[cut] = ground
    edge = max(1, round(canvas.width / 400))
    canvas.pixels[cut][:edge] = canvas.pixels[cut][-edge:] = 120
    canvas.pixels[cut][:, :edge] = canvas.pixels[cut][:, -edge:] = 120
    canvas.items.append(Item("card", "white", "card", box))
    fonts = canvas.domain.fonts
    font = str(rng.choice(fonts))
    ink = RGB(*(int(v) for v in rng.integers(5, 60, 3)))
    return Sheet(box, ground, len(canvas.items) - 1, font, _bold(fonts, font), 0, ink)


def _bold(fonts: Sequence[str], font: str) -> str:
    return next((name for name in fonts if "Bold" in name and name.startswith(font[:9])), font)


def add_text(canvas: Canvas, sheet: Sheet, text: str, box: Box, role: str, **more: int) -> int:
    """Notes a written line; gives its index."""
    canvas.items.append(Item("text", "black", "text", box, text, sheet.card, role, **more))
    return len(canvas.items) - 1


# receipts and forms -------------------------------------------------------------------------------
def draw_receipt(canvas: Canvas) -> None:
    """Shop, goods with prices, total, and a last line."""
    rng = canvas.rng
    goods = lexicon.pick(rng, lexicon.GOODS, int(rng.integers(2, 7)))
    cents = [int(rng.integers(45, 1999)) for _ in goods]
    rows = [(name, f"{c / 100:.2f}") for name, c in zip(goods, cents, strict=True)]
    rows.append(("Total", f"{sum(cents) / 100:.2f}"))
    if rng.random() < 0.5:
        paid = -(-sum(cents) // 500) * 500
        rows += [("Cash", f"{paid / 100:.2f}"), ("Change", f"{(paid - sum(cents)) / 100:.2f}")]
    last = str(rng.choice(lexicon.THANKS))
    _listed(canvas, lexicon.shop(rng), rows, last, right=True)


def draw_form(canvas: Canvas) -> None:
    """A title and fields with what was filled in."""
    rng = canvas.rng
    labels = lexicon.pick(rng, tuple(lexicon.FIELDS), int(rng.integers(3, 7)))
    rows = [(label, lexicon.FIELDS[label](rng)) for label in labels]
    rows = [(f"{label}:", value) for label, value in rows]
    _listed(canvas, str(rng.choice(lexicon.FORMS)), rows, "", right=False)


def _listed(
    canvas: Canvas, title: str, rows: Sequence[tuple[str, str]], last: str, right: bool
) -> None:
    """A title, labels with values in two columns, and perhaps a last line."""
    rng = canvas.rng
    size = int(rng.integers(*LETTER_PX))
    font = str(rng.choice(canvas.domain.fonts))
    label_w = max(width_of(label, font, size) for label, _ in rows)
    value_w = max(width_of(value, font, size) for _, value in rows)
    inner = label_w + GAP * size * rng.uniform(1, 2.5) + value_w
    inner = max(inner, width_of(title, font, round(size * 1.5)), width_of(last or "x", font, size))
    lines = len(rows) + 3.2 + (1.6 if last else 0)
    sheet = paper(canvas, inner + 3 * size, lines * LINE * size)
    if sheet is None:
        return
    pitch, x1, x2 = LINE * size, sheet.box.x1 + 1.5 * size, sheet.box.x1 + 1.5 * size + inner
    y = sheet.box.y1 + 0.8 * pitch
    box = write(canvas, title, font, round(size * 1.4), (x1 + x2) / 2, y, sheet.ink, 0.5)
    add_text(canvas, sheet, title, box, "title")
    y += 1.7 * pitch
    for row, (label, value) in enumerate(rows):
        box = write(canvas, label, font, size, x1, y, sheet.ink)
        add_text(canvas, sheet, label, box, "label", row=row, column=0)
        place = (x2, 1.0) if right else (x1 + label_w + GAP * size, 0.0)
        box = write(canvas, value, font, size, place[0], y, sheet.ink, place[1])
        add_text(canvas, sheet, value, box, "value", row=row, column=1)
        y += pitch
    if last:
        y += 0.6 * pitch
        box = write(canvas, last, font, size, (x1 + x2) / 2, y, sheet.ink, 0.5)
        add_text(canvas, sheet, last, box, "line")


# tables -------------------------------------------------------------------------------------------
def draw_table(canvas: Canvas) -> None:
    """A title, a row of headers, and rows known by their first cell."""
    rng = canvas.rng
    table = lexicon.TABLES[int(rng.integers(len(lexicon.TABLES)))]
    names = lexicon.pick(rng, table.rows, int(rng.integers(3, 8)))
    count = int(rng.integers(1, len(table.columns) + 1))
    chosen = lexicon.pick(rng, tuple(table.columns), count)
    grid = [[table.first, *chosen]]
    columns = [lexicon.different(rng, table.columns[c], len(names)) for c in chosen]
    grid += [[name, *(column[k] for column in columns)] for k, name in enumerate(names)]
    size, font = int(rng.integers(*LETTER_PX)), str(rng.choice(canvas.domain.fonts))
    wide = [max(width_of(row[c], font, size) for row in grid) for c in range(len(grid[0]))]
    gap = GAP * size * rng.uniform(1, 1.5)
    inner = max(sum(wide) + gap * (len(wide) - 1), width_of(table.title, font, round(1.4 * size)))
    sheet = paper(canvas, inner + 3 * size, (len(grid) + 3.4) * LINE * size)
    if sheet is None:
        return
    x1, y = sheet.box.x1 + 1.5 * size, sheet.box.y1 + 0.7 * LINE * size
    box = write(canvas, table.title, font, round(size * 1.4), x1, y, sheet.ink)
    add_text(canvas, sheet, table.title, box, "title")
    y += 1.9 * LINE * size
    ruled = rng.random() < 0.5
    for number, row in enumerate(grid):
        x = x1
        for column, cell in enumerate(row):
            box = write(canvas, cell, font, size, x, y, sheet.ink)
            role = "header" if number == 0 else "value" if column else "label"
            add_text(canvas, sheet, cell, box, role, row=number - 1, column=column)
            x += wide[column] + gap
        y += LINE * size
        if number == 0 or ruled:
            line = round(y - 0.28 * LINE * size)
            canvas.pixels[line : line + 2, round(x1) : round(x1 + inner)] = 150


# charts -------------------------------------------------------------------------------------------
def _axes(canvas: Canvas, title: str) -> tuple[Sheet, Box, str, int] | None:
    """Paper, title and the plot area; what is drawn into it stands on its lower edge."""
    rng = canvas.rng
    size, font = int(rng.integers(*LETTER_PX)), str(rng.choice(canvas.domain.fonts))
    width = canvas.width * rng.uniform(0.75, 0.95)
    height = canvas.height * rng.uniform(0.7, 0.92)
    sheet = paper(canvas, width, height)
    if sheet is None:
        return None
    box = write(
        canvas, title, font, size, sheet.box.center.x, sheet.box.y1 + size * 0.6, sheet.ink, 0.5
    )
    add_text(canvas, sheet, title, box, "title")
    area = Box(sheet.box.x1 + 2 * size, sheet.box.y1 + 2.6 * size, sheet.box.x2 - 1.5 * size,
               sheet.box.y2 - 2.4 * size)  # fmt: skip
    y, x = round(area.y2), round(area.x1)
    canvas.pixels[y : y + 2, x : round(area.x2)] = sheet.ink
    canvas.pixels[round(area.y1) : y + 2, x - 2 : x] = sheet.ink
    return sheet, area, font, size


def _colors(canvas: Canvas, ground: RGB, count: int) -> list[tuple[str, RGB]]:
    """Colours that differ by name and show on the ground."""
    rng = canvas.rng
    found = []
    for name in rng.permutation(np.array(COLORS)):
        color = draw_color(rng, str(name))
        if contrast(color, ground) > 0.3:
            found.append((str(name), color))
    return found[:count]


def draw_bars(canvas: Canvas) -> None:
    """A bar chart: bars of different colours, each with a label below."""
    rng = canvas.rng
    kind = lexicon.CHARTS[int(rng.integers(len(lexicon.CHARTS)))]
    made = _axes(canvas, kind.title)
    if made is None:
        return
    sheet, area, font, size = made
    count = int(rng.integers(2, 7))
    labels = lexicon.pick(rng, kind.labels, count)
    pitch = area.width / count
    count = min(count, len(labels))
    for label in labels:
        if width_of(label, font, size) > pitch - 0.8 * size:
            return  # labels would run into each other
    heights = rng.permutation(np.linspace(0.2, 0.97, 8))[:count] * area.height
    bar_w = pitch * rng.uniform(0.45, 0.7)
    for place, (name, color) in enumerate(_colors(canvas, sheet.ground, count)):
        middle = area.x1 + (place + 0.5) * pitch
        top = area.y2 - heights[place]
        box = Box(round(middle - bar_w / 2), round(top), round(middle + bar_w / 2), round(area.y2))
        canvas.pixels[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)] = color
        canvas.items.append(Item("bar", name, "card", box, labels[place], role="bar"))
        bar = len(canvas.items) - 1
        y = area.y2 + 0.5 * size
        written = write(canvas, labels[place], font, size, middle, y, sheet.ink, 0.5)
        add_text(canvas, sheet, labels[place], written, "label", link=bar)


def draw_curves(canvas: Canvas) -> None:
    """A line chart: two to four coloured lines, each with a disc at its end."""
    rng = canvas.rng
    kind = lexicon.CHARTS[int(rng.integers(len(lexicon.CHARTS)))]
    made = _axes(canvas, kind.title)
    if made is None:
        return
    sheet, area, _, _ = made
    count = int(rng.integers(2, 5))
    side = float(rng.uniform(22, 34))
    ends = rng.permutation(np.linspace(0.06, 0.92, count + 1))[:count] * area.height + area.y1
    colors = _colors(canvas, sheet.ground, count)
    for end, (_, color) in zip(ends, colors, strict=True):
        steps = int(rng.integers(4, 8))
        xs = np.linspace(area.x1 + 6, area.x2 - side, steps)
        ys = np.append(area.y1 + rng.uniform(0.1, 0.9, steps - 1) * area.height, end)
        points = np.stack([xs, ys], 1).round().astype(np.int32)
        cv2.polylines(canvas.pixels, [points], False, tuple(color), 4, cv2.LINE_AA)
    for end, (name, color) in zip(ends, colors, strict=True):
        disc = sprites.shape_alpha("circle", side, side)
        box = canvas.ink(disc, color, (float(area.x2 - side), float(end)))
        if box is not None:
            canvas.items.append(Item("object", name, "circle", box, role="end"))


KINDS: dict[str, Callable[[Canvas], None]] = {
    "receipt": draw_receipt,
    "form": draw_form,
    "table": draw_table,
    "bars": draw_bars,
    "curves": draw_curves,
}
