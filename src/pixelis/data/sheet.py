"""Contact sheets: a page of what a data set holds, and a picture of some tasks."""

from __future__ import annotations

import base64
import html
import io
import json
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pixelis.data.tasks import Task
from pixelis.data.worlds.sprites import load_font
from pixelis.errors import MediaError
from pixelis.media import Picture, Video, open_media

PER_GROUP = 12
THUMBNAIL_PX = 220
STRIP = 4  # frames shown of a clip
STYLE = """
:root{color-scheme:light dark}body{font:14px/1.45 system-ui,sans-serif;margin:1.5rem auto;
max-width:84rem;padding:0 1rem}main{display:grid;gap:1rem;
grid-template-columns:repeat(auto-fill,minmax(15rem,1fr))}article{border:1px solid #8886;
border-radius:6px;padding:.6rem;overflow-wrap:anywhere}img{width:100%;border-radius:3px}
h3{font-size:1rem;margin:.4rem 0}ol{margin:.3rem 0;padding-left:1.2rem}.dim{opacity:.7}
.bad{color:#c2410c}
"""


def write_sheet(folder: Path, report: dict[str, Any]) -> Path:
    """Writes `sheet.html` into a folder of `pixelis data make`: examples by family and kind."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(folder.glob("episodes-?????.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            group = groups[f"{record['family']}, {record['kind']}"]
            if len(group) < PER_GROUP:
                group.append(record)
    parts = [f"<h1>{_text(folder.name)}</h1><pre>{_text(json.dumps(report, indent=1))}</pre>"]
    for name in sorted(groups):
        cards = "".join(_card(folder, record) for record in groups[name])
        parts.append(f"<h2>{_text(name)}</h2><main>{cards}</main>")
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Contact sheet</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"{''.join(parts)}</html>\n"
    )
    out = folder / "sheet.html"
    out.write_text(page, encoding="utf-8")
    return out


def _card(folder: Path, record: dict[str, Any]) -> str:
    episode = record["episode"]
    steps = []
    for step in episode["steps"]:
        thought = f"<span class=dim>{_text(step['thought'])}</span> " if step["thought"] else ""
        if step["call"]:
            call = f"{step['call']['op']} {json.dumps(step['call']['arguments'])}"
            told = (step["observation"] or {}).get("text", "")
            steps.append(f"<li>{thought}<code>{_text(call)}</code><br>{_text(told)}</li>")
    answer = episode["answer"] or {}
    style = ' class="bad"' if record["kind"] == "trap" else ""
    shown = _inline(thumbnail(folder / record["media"]))
    return (
        f"<article>{shown}<h3>{_text(episode['question'])}</h3><ol>{''.join(steps)}</ol>"
        f"<p{style}>{_text(answer.get('raw', ''))} → <b>{_text(answer.get('text', ''))}</b> "
        f"<span class=dim>gold {_text(record['gold'])}, {_text(record['band'])}, "
        f"{_text(record['provenance']['domain'])}</span></p></article>"
    )


def thumbnail(path: Path) -> Image.Image | None:
    """A small picture of a media file: a strip of frames for a clip; None when it is broken."""
    try:
        media = open_media(path)
    except MediaError:
        return None
    return picture_of(media)


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


def _inline(image: Image.Image | None) -> str:
    if image is None:
        return "<p class=bad>no picture</p>"
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="" src="data:image/jpeg;base64,{data}">'


def _text(value: Any) -> str:
    return html.escape(str(value))


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
