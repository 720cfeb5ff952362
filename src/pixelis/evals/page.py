"""The HTML report: one self-contained file, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw

from pixelis.episode import Episode
from pixelis.evals.results import Result

THUMBNAIL_PX = 360
STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.25rem .8rem .25rem 0;text-align:left}
.bar{width:16rem}.bar svg{display:block;width:100%;height:1.1rem}
article{display:grid;grid-template-columns:minmax(12rem,22.5rem) 1fr;gap:1.2rem;
border-top:1px solid #8886;padding:1rem 0}
img{max-width:100%}ol{padding-left:1.3rem}code,pre{overflow-wrap:anywhere;white-space:pre-wrap}
.bad{color:#c2410c}.dim{opacity:.7}
@media(max-width:40rem){article{grid-template-columns:1fr}}
"""


def page(
    summary: Mapping[str, Any],
    failures: Sequence[Result],
    picture: Callable[[Result], Any] | None = None,
) -> str:
    """The report as HTML: figures, accuracy by group with intervals, failures with their steps.

    Args:
        picture: gives the PIL image of a failure's question, or None to leave it out.
    """
    low, high = summary["ci95"]
    title = f"{summary.get('benchmark', 'Evaluation')}: {summary['model']}"
    head = (
        f"Accuracy {100 * summary['accuracy']:.1f} % (95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f}, n = {summary['n']}), control {summary['control']}"
    )
    groups = "".join(
        _bars(name, summary.get(f"by_{name}") or {}) for name in ("family", "difficulty", "domain")
    )
    shown = "".join(_failure(result, picture(result) if picture else None) for result in failures)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}</style><h1>{_text(title)}</h1><p><b>{_text(head)}</b></p>"
        f"{_figures(summary)}{groups}<h2>Worst failures</h2>"
        f"{shown or '<p>There are none.</p>'}</html>\n"
    )


def _figures(summary: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><th>{_text(name)}</th><td>{_text(_figure(value))}</td></tr>"
        for name, value in summary.items()
        if value is None or isinstance(value, str | int | float)
    ]
    return f"<details><summary>All figures</summary><table>{''.join(rows)}</table></details>"


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _bars(name: str, groups: Mapping[str, Mapping[str, Any]]) -> str:
    """One bar per group from 0 to 100 %, its 95 % interval as a line across its end."""
    rows = []
    for group, entry in groups.items():
        share, (low, high) = 100 * entry["accuracy"], (100 * edge for edge in entry["ci95"])
        rows.append(
            f"<tr><th>{_text(group)}</th><td class=bar>"
            '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect width="100" height="8" fill="#8883"/>'
            f'<rect width="{share:.2f}" height="8" fill="#2f6fb7"/>'
            f'<rect x="{low:.2f}" width="{max(high - low, 0.4):.2f}" y="3" height="2" '
            'fill="#e08a1e"/></svg></td>'
            f"<td>{share:.1f} %</td>"
            f"<td class=dim>{low:.1f} to {high:.1f}, n = {entry['n']}</td></tr>"
        )
    return f"<h2>By {_text(name)}</h2><table>{''.join(rows)}</table>" if rows else ""


def _failure(result: Result, image: Any) -> str:
    gold = result.gold if isinstance(result.gold, str) else " / ".join(result.gold)
    sure = "" if result.confidence is None else f", {100 * result.confidence:.0f} % sure"
    answer = result.answer or f"no answer ({result.ended})"
    return (
        f"<article><div>{_thumbnail(result, image)}</div><div><h3>{_text(result.question)}</h3>"
        f"<p>gold <b>{_text(gold)}</b>, answered <b class=bad>{_text(answer)}</b>"
        f"<span class=dim>{_text(sure)} · {_text(result.id)} · {_text(result.family)}</span></p>"
        f"<ol>{_steps(result)}</ol></div></article>"
    )


def _steps(result: Result) -> str:
    episode = Episode.from_dict(result.episode)
    lines = []
    for step in episode.steps:
        parts = [_text(step.thought)] if step.thought else []
        if step.call:
            arguments = ", ".join(f"{key}={value}" for key, value in step.call.arguments.items())
            parts.append(f"<code>{_text(step.call.op)}({_text(arguments)})</code>")
        if step.observation:
            kind = "bad" if step.observation.error else "dim"
            parts.append(f"<span class={kind}>{_text(step.observation.text[:400])}</span>")
        if step.answer:
            parts.append(f"<b>{_text(step.answer.raw or step.answer.text)}</b>")
        lines.append(f"<li>{'<br>'.join(parts)}</li>")
    return "".join(lines)


def _thumbnail(result: Result, image: Any) -> str:
    """The picture, small, with the places that were looked at; as a data URL."""
    if not isinstance(image, Image.Image):
        return ""
    small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    factor = small.width / image.width
    draw = ImageDraw.Draw(small)
    for seen in Episode.from_dict(result.episode).observations:
        if seen.box is not None and seen.box.area > 0:
            draw.rectangle([value * factor for value in seen.box], outline="#e11d48", width=2)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="the picture of {_text(result.id)}" src="data:image/jpeg;base64,{data}">'


def _text(value: Any) -> str:
    return html.escape(str(value))
