"""Pages to look at training data: figures as bars, episodes as a contact sheet.

One self-contained HTML file each: no script, nothing loaded from elsewhere.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from PIL import Image, ImageDraw

from pixelis.data.episodes import CORRECTION, TRAP, Sample
from pixelis.data.exports.talk import images_of
from pixelis.data.statistics import GROUPS, MEASURES
from pixelis.episode import Episode, Step
from pixelis.errors import DataError, MediaError
from pixelis.media import Video

THUMBNAIL_PX = 420
CROP_PX = 150
MOST_BARS = 14
BADGE_PX = 14
HUES = ("#0072b2", "#b8500a", "#00795a", "#a8447e", "#5b4fc0", "#8a6a00")
STYLE = """
:root{--paper:#f7f5f1;--card:#fffefb;--ink:#201d18;--soft:#6d665b;--line:#e2dcd1;
--accent:#0b6e63;--warn:#a3480a;--mat:#d9d4ca;--bar:#2f7d73}
@media(prefers-color-scheme:dark){:root{--paper:#14161a;--card:#1c1f25;--ink:#ece8e1;
--soft:#9d978c;--line:#30343c;--accent:#59c9b9;--warn:#f0a35e;--mat:#0c0d10;--bar:#4aa598}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1480px;padding:28px 32px 48px;background:var(--paper);
color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
overflow-wrap:anywhere}
h1{margin:0 0 4px;font-size:26px;letter-spacing:-.01em}h2{margin:0 0 10px;font-size:15px}
.lead{margin:0 0 24px;color:var(--soft)}
.grid{columns:340px;column-gap:18px}
.card{break-inside:avoid;margin:0 0 18px;background:var(--card);
border:1px solid var(--line);border-radius:12px;overflow:hidden}
.pad{padding:14px 16px 16px}
.film{background:var(--mat);text-align:center;line-height:0}
.film img{max-width:100%;max-height:330px}
.asked{margin:0 0 2px;color:var(--soft)}
.answer{margin:0 0 8px;font-size:20px;font-weight:650;line-height:1.3;
display:-webkit-box;-webkit-line-clamp:4;-webkit-box-orient:vertical;overflow:hidden}
.bad{color:var(--warn)}.dim{color:var(--soft)}
.tags{display:flex;flex-wrap:wrap;gap:5px;margin:0 0 10px;padding:0;list-style:none;font-size:12px}
.tags li{padding:1px 8px;border:1px solid var(--line);border-radius:999px;color:var(--soft)}
.tags .kind{border-color:var(--accent);color:var(--accent)}
.tags .trap{border-color:var(--warn);color:var(--warn)}
ol{margin:0;padding:0;list-style:none;font-size:13px}
ol li{padding:7px 0;border-top:1px solid var(--line)}
code{font:12px/1.5 ui-monospace,Menlo,Consolas,monospace}
.seen{color:var(--soft);display:-webkit-box;-webkit-line-clamp:3;-webkit-box-orient:vertical;
overflow:hidden}
.thought{font-style:italic;color:var(--soft)}
.crops{display:flex;flex-wrap:wrap;gap:6px;margin-top:5px}
.crops img{border-radius:6px;box-shadow:0 0 0 1px var(--line);max-width:100%}
.n{display:inline-block;min-width:18px;padding:0 5px;margin-right:6px;border-radius:9px;
color:#fff;font-size:11px;font-weight:700;line-height:18px;text-align:center}
table{border-collapse:collapse;width:100%;font-size:13px}
td{padding:2px 0;vertical-align:middle}td.name{width:38%;padding-right:10px}
td.count{width:15%;text-align:right;color:var(--soft);font-variant-numeric:tabular-nums;
white-space:nowrap;padding-left:8px}
.bar{display:block;height:12px;border-radius:0 3px 3px 0;background:var(--bar);min-width:1px}
svg{display:block;width:100%;height:auto}svg rect{fill:var(--bar)}
svg text{fill:var(--soft);font:11px system-ui,sans-serif}svg line{stroke:var(--line)}
.note{margin:6px 0 0;color:var(--soft);font-size:13px}
@media(max-width:600px){body{padding:18px 14px 40px}.grid{columns:1}}
"""


def sheet(samples: Iterable[Sample], title: str, about: str = "") -> str:
    """A contact sheet: each episode with its picture, what it looked at, and its answer.

    `about` is said below the title.
    """
    cards = [card(sample) for sample in samples]
    lead = f"{len(cards)} episodes. Numbers on a picture are the places its steps looked at."
    lead = f"{lead} {about}".strip()
    return _page(title, lead, f'<main class="grid">{"".join(cards)}</main>')


def card(sample: Sample) -> str:
    """One episode; a source that cannot be opened is said instead of shown."""
    episode, answer = sample.episode, sample.episode.answer
    try:
        images = _shown(sample)
        film = f'<div class="film">{_img(_marked(images[0], episode), sample.id)}</div>'
    except (MediaError, DataError, OSError) as error:
        images, film = [], f'<p class="pad bad">{_text(error)}</p>'
    said = _text(answer.text) if answer else "no answer"
    style = "answer bad" if sample.kind == TRAP else "answer"
    wanted = " or ".join(sample.gold) or "cannot be known"
    gold = "" if answer and answer.text in sample.gold else f" (gold: {_text(wanted)})"
    return (
        f'<article class="card">{film}<div class="pad"><p class="asked">{_text(episode.question)}'
        f'</p><p class="{style}">{said}<span class="dim">{gold}</span></p>{_tags(sample)}'
        f"<ol>{''.join(_steps(episode, images))}</ol></div></article>"
    )


def _shown(sample: Sample) -> list[Image.Image]:
    """The source as it is, then what its steps were shown: as the record holds it, else by running
    the calls again."""
    stored = sample.stored_images()
    if not stored or not sample.has_source():
        return images_of(sample)
    with sample.open_source() as media:
        first = media.frame(0) if isinstance(media, Video) else media.image
    return [first.convert("RGB"), *stored[1:]]


def figures_page(figures: Mapping[str, Any], title: str) -> str:
    """The figures of `statistics.gather`: counts as bars, measures as histograms."""
    named = (*GROUPS, "ops", "op_errors")
    cards = [_bars(name, figures[name]) for name in named if figures.get(name)]
    cards += [_histogram(name, figures[name]) for name in MEASURES if figures[name]["counts"]]
    lead = f"{figures['samples']} episodes about {figures['media']} pictures and videos."
    return _page(title, lead, f'<main class="grid">{"".join(cards)}</main>')


# parts --------------------------------------------------------------------------------------------
def _page(title: str, lead: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>"
        f'<h1>{_text(title)}</h1><p class="lead">{_text(lead)}</p>{body}</body></html>\n'
    )


def _tags(sample: Sample) -> str:
    style = "trap" if sample.kind == TRAP else "kind" if sample.kind == CORRECTION else ""
    hard = sample.row.value.get("difficulty")
    tags = [
        (style, sample.kind.replace("_", " ")),
        ("", sample.family),
        ("", sample.split),
        ("", f"difficulty {hard:.2f}" if isinstance(hard, int | float) else ""),
        ("", sample.id),
    ]
    items = "".join(f'<li class="{name}">{_text(tag)}</li>' for name, tag in tags if tag)
    return f'<ul class="tags">{items}</ul>'


def _steps(episode: Episode, images: list[Image.Image]) -> Iterator[str]:
    for number, step in enumerate(episode.steps):
        slip = '<b class="bad">wrong on purpose</b> ' if number in episode.slips else ""
        yield f"<li>{_badge(number)}{slip}{_step(step, images)}</li>"


def _step(step: Step, images: list[Image.Image]) -> str:
    parts = [f'<span class="thought">{_text(step.thought)}</span>'] if step.thought else []
    if step.call is not None:
        told = ", ".join(f"{name}={value}" for name, value in step.call.arguments.items())
        parts.append(f"<code>{_text(step.call.op)}({_text(told)})</code>")
    seen = step.observation
    if seen is not None:
        style = "bad" if seen.error else "seen"
        parts.append(f'<span class="{style}">{_text(seen.text[:300])}</span>')
    if step.answer is not None:
        parts.append(f"<b>{_text((step.answer.raw or step.answer.text)[:200])}</b>")
    body = "<br>".join(parts)
    if seen is not None and seen.image is not None and seen.image < len(images):
        small = images[seen.image].copy()
        small.thumbnail((CROP_PX, CROP_PX))
        body += f'<div class="crops">{_img(small, f"image {seen.image}")}</div>'
    return body


def _badge(number: int) -> str:
    return f'<span class="n" style="background:{HUES[number % len(HUES)]}">{number + 1}</span>'


def _marked(image: Image.Image, episode: Episode) -> Image.Image:
    """The picture, small, with a numbered box for each place a step looked at."""
    small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
    factor = small.width / max(episode.media.size.width, 1)
    pen = ImageDraw.Draw(small)
    for number, step in enumerate(episode.steps):
        box = step.observation.box if step.observation else None
        if box is None or box.area <= 0:
            continue
        hue = HUES[number % len(HUES)]
        x1, y1, x2, y2 = (value * factor for value in box)
        pen.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=hue, width=2)
        top = y1 if y2 - y1 > BADGE_PX * 3 else max(0.0, y1 - BADGE_PX)  # hides nothing small
        pen.rectangle((x1, top, x1 + 13, top + BADGE_PX), fill=hue)
        pen.text((x1 + 4, top + 1), str(number + 1), fill="white")
    return small


def _img(image: Image.Image, alt: str) -> str:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=84)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    size = f'width="{image.width}" height="{image.height}"'
    return f'<img alt="{_text(alt)}" {size} src="data:image/jpeg;base64,{data}">'


def _bars(name: str, counts: Mapping[str, int]) -> str:
    total, most = sum(counts.values()), max(counts.values())
    rows = "".join(
        f'<tr><td class="name">{_text(key).replace("_", "_<wbr>")}</td>'
        f'<td><span class="bar" style="width:{100 * count / most:.1f}%"></span></td>'
        f'<td class="count">{count} · {100 * count / total:.0f} %</td></tr>'
        for key, count in list(counts.items())[:MOST_BARS]
    )
    more = len(counts) - MOST_BARS
    rest = f'<p class="note">and {more} more</p>' if more > 0 else ""
    return _section(name, f"<table>{rows}</table>{rest}")


def _histogram(name: str, summary: Mapping[str, Any]) -> str:
    counts, edges = summary["counts"], summary["edges"]
    if len(counts) == 1:
        return _section(name, f'<p class="note">all {summary["least"]:g}</p>')
    width, height, most = 320.0, 110.0, max(summary["counts"])
    step = width / len(counts)
    rects = "".join(
        f'<rect x="{step * k + 0.5:.2f}" y="{height - height * count / most:.2f}" '
        f'width="{max(step - 1, 0.8):.2f}" height="{height * count / most:.2f}"/>'
        for k, count in enumerate(counts)
    )
    whole = len(edges) > 1 and abs(edges[1] - edges[0] - 1) < 1e-6 and (edges[0] * 2) % 2 == 1
    low, high = (edges[0] + 0.5, edges[-1] - 0.5) if whole else (edges[0], edges[-1])
    note = f"mean {summary['mean']:g}, median {summary['median']:g}, most {most} in a bar"
    drawing = (
        f'<svg viewBox="0 0 {width:g} {height + 18:g}" role="img" aria-label="{_text(name)}">'
        f'{rects}<line x1="0" x2="{width:g}" y1="{height:g}" y2="{height:g}"/>'
        f'<text x="0" y="{height + 13:g}">{low:g}</text>'
        f'<text x="{width:g}" y="{height + 13:g}" text-anchor="end">{high:g}</text></svg>'
    )
    return _section(name, f'{drawing}<p class="note">{_text(note)}</p>')


def _section(name: str, body: str) -> str:
    return f'<section class="card pad"><h2>{_text(name.replace("_", " "))}</h2>{body}</section>'


def _text(value: Any) -> str:
    return html.escape(str(value))
