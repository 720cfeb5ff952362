"""Contact sheets: a page of what a data set holds, and a picture of some tasks."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pixelis.data.episodes import KINDS, Sample, read_samples
from pixelis.data.page import sheet
from pixelis.data.tasks import Task
from pixelis.data.worlds.sprites import load_font
from pixelis.media import Picture, Video, open_media

PER_GROUP = 8
THUMBNAIL_PX = 220
STRIP = 4  # frames shown of a clip


def write_sheet(folder: Path, report: Mapping[str, Any]) -> Path:
    """Writes `sheet.html` into a folder of `pixelis data make`: the first episodes of every family
    and kind, and what the report counts."""
    groups: Counter[tuple[str, str]] = Counter()
    chosen: list[Sample] = []
    for sample in read_samples(folder):
        groups[sample.family, sample.kind] += 1
        if groups[sample.family, sample.kind] <= PER_GROUP:
            chosen.append(sample)
    chosen.sort(key=lambda one: (one.family, KINDS.index(one.kind)))
    out = folder / "sheet.html"
    out.write_text(sheet(chosen, folder.name, _about(report)), encoding="utf-8")
    return out


def _about(report: Mapping[str, Any]) -> str:
    """What was made and what was thrown away, in words."""
    made = ", ".join(f"{count} {name}" for name, count in report["written"].items())
    lost = ", ".join(f"{count} {why}" for why, count in report["rejected"].items())
    told = f"{sum(report['written'].values())} were made: {made}."
    share = f"{100 * report['rejection']:.1f} % of the attempts were rejected"
    return f"{told} {share}{f': {lost}' if lost else ''}."


def picture_of(media: Picture | Video) -> Image.Image:
    """A picture at thumbnail size, or frames of a clip two by two."""
    if isinstance(media, Picture):
        shown = media.image.copy()
        shown.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        return shown
    numbers = np.linspace(0, media.frames - 1, STRIP).round().astype(int)
    width = THUMBNAIL_PX // 2
    height = round(width * media.size.height / media.size.width)
    strip = Image.new("RGB", (2 * width + 2, 2 * height + 2), "white")
    for place, number in enumerate(numbers):
        frame = media.frame(int(number)).resize((width, height))
        strip.paste(frame, ((place % 2) * (width + 2), (place // 2) * (height + 2)))
    return strip


def draw_tasks(rows: Sequence[Sequence[Task]]) -> Image.Image:
    """Tasks as one picture, a row each, with question and answer below every picture."""
    cell, words = THUMBNAIL_PX, 62
    columns = max(len(row) for row in rows)
    canvas = Image.new("RGB", (columns * (cell + 8), len(rows) * (cell + words)), "white")
    pen = ImageDraw.Draw(canvas)
    face = load_font("DejaVuSans", 11)
    for y, row in enumerate(rows):
        for x, task in enumerate(row):
            shown = picture_of(open_media(task.source))
            left, top = x * (cell + 8) + 4, y * (cell + words)
            canvas.paste(shown, (left, top + cell - shown.height))
            said = [*textwrap.wrap(task.question, 36)[:3], f"-> {task.answer}"[:38]]
            pen.multiline_text((left, top + cell + 2), "\n".join(said), "black", face, spacing=2)
    return canvas
