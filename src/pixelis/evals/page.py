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
SOURCES = {
    "command": "command",
    "commit": "commit",
    "weights": "model_hash",
    "questions": "data_hash",
    "exam": "exam",
    "judge": "judge",
}  # what the page says of where a figure comes from: name, key of the summary
STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.25rem .8rem .25rem 0;text-align:left}
.bar{width:16rem;min-width:5rem}.bar svg{display:block;width:100%;height:1.1rem}
.facts th{font-weight:normal;opacity:.7;white-space:nowrap;vertical-align:top}
.facts code{overflow-wrap:anywhere}
article{display:grid;grid-template-columns:minmax(12rem,22.5rem) 1fr;gap:1.2rem;
border-top:1px solid #8886;padding:1rem 0}
img{max-width:100%}ol{padding-left:1.3rem}code,pre{overflow-wrap:anywhere;white-space:pre-wrap}
.bad{color:#c2410c}.dim{opacity:.7}
@media(max-width:40rem){article{grid-template-columns:1fr}
table{font-size:.85rem;width:100%;table-layout:fixed}.bar{width:20%;min-width:0}
th{overflow-wrap:anywhere}th:first-child{width:34%}td,th{padding-right:.4rem}
.facts th{width:6rem;white-space:normal}}
"""


def page(
    summary: Mapping[str, Any],
    failures: Sequence[Result],
    picture: Callable[[Result], Any] | None = None,
    traces: Mapping[tuple[str, int], str] | None = None,
) -> str:
    """The report as HTML: figures, accuracy by group with intervals, failures with their steps.

    Args:
        picture: gives the PIL image of a failure's question, or None to leave it out.
        traces: addresses of whole traces by question and seed.
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
    places = traces or {}
    shown = "".join(
        _failure(
            result,
            picture(result) if picture else None,
            places.get((result.id, result.seed), ""),
        )
        for result in failures
    )
    notes = "".join(f"<p>{_text(note)}</p>" for note in summary.get("notes", ()))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}</style><h1>{_text(title)}</h1><p><b>{_text(head)}</b></p>"
        f"{notes}{_facts(summary)}{_figures(summary)}{groups}{_operations(summary)}"
        f"{_sureness(summary)}<h2>Worst failures</h2>"
        f"{_shown(summary, failures)}{shown}</html>\n"
    )


def _facts(summary: Mapping[str, Any]) -> str:
    """What the figure rests on, and the command that repeats it; unknown things are said to be."""
    rows = []
    if "official" in summary:
        told, (low, high) = summary["official"], summary["official"]["ci95"]
        figures = f"{100 * told['value']:.1f} ({100 * low:.1f} to {100 * high:.1f})"
        rows.append((f"as its authors report it: {told['metric']}", figures))
    if "circular" in summary:
        rows.append(("right in every rotation", f"{100 * summary['circular']:.1f} %"))
    for entry in summary.get("seeds", ()):
        rows.append((f"seed {entry['seed']}", f"{100 * entry['accuracy']:.1f} %"))
    rows.append(("cost of a question", cost(summary)))
    cells = "".join(f"<tr><th>{_text(name)}</th><td>{_text(told)}</td></tr>" for name, told in rows)
    for name, key in SOURCES.items():
        if key in summary:
            told = summary[key] or ("none" if key == "exam" else "not known")
            cells += f"<tr><th>{name}</th><td><code>{_text(told)}</code></td></tr>"
    return f"<table class=facts>{cells}</table>"


def cost(summary: Mapping[str, Any]) -> str:
    """Operations, seconds, tokens and pixels of a question, in words."""
    success = summary["op_success"]
    worked = "" if success is None else f", {100 * success:.1f} % of them worked"
    return (
        f"{summary['ops_per_question']:.2f} operations{worked}; "
        f"{summary['seconds_per_question']:.2f} s, {summary['tokens_per_question']:.0f} tokens, "
        f"{summary['pixels_per_question'] / 1000:.0f} thousand pixels"
    )


def _shown(summary: Mapping[str, Any], failures: Sequence[Result]) -> str:
    if not failures:
        return "<p>There are none.</p>"
    wrong = round(summary["n"] * (1 - summary["accuracy"]))
    return f"<p class=dim>{len(failures)} of {wrong} wrong answers, the surest first.</p>"


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
    if not rows:
        return ""
    key = "<p class=dim>Blue: accuracy. Orange: its 95 % interval.</p>" if name == "family" else ""
    return f"<h2>By {_text(name)}</h2>{key}<table>{''.join(rows)}</table>"


def _operations(summary: Mapping[str, Any]) -> str:
    """How often each operation was used and worked."""
    rows = [
        f"<tr><th>{_text(name)}</th><td>{entry['calls']}</td>"
        f"<td>{100 * entry['questions']:.1f} %</td><td>{100 * entry['success']:.1f} %</td></tr>"
        for name, entry in (summary.get("by_op") or {}).items()
    ]
    head = "<tr><th></th><th>calls</th><th>of questions</th><th>worked</th></tr>"
    return f"<h2>Operations</h2><table>{head}{''.join(rows)}</table>" if rows else ""


def _sureness(summary: Mapping[str, Any]) -> str:
    """Accuracy over confidence: on the line a confidence means what it says."""
    bins = summary.get("calibration") or []
    if not bins:
        return ""
    most = max(entry["n"] for entry in bins)
    dots = "".join(
        f'<circle cx="{20 + 200 * entry["confidence"]:.1f}" '
        f'cy="{210 - 200 * entry["accuracy"]:.1f}" '
        f'r="{3 + 7 * (entry["n"] / most) ** 0.5:.1f}" fill="#2f6fb7" fill-opacity=".7">'
        f"<title>{entry['n']} answers</title></circle>"
        for entry in bins
    )
    ece = summary.get("ece")
    return (
        "<h2>Confidence</h2>"
        '<svg viewBox="0 0 240 236" width="300" role="img" aria-label="accuracy over confidence">'
        '<rect x="20" y="10" width="200" height="200" fill="none" stroke="#8888"/>'
        '<line x1="20" y1="210" x2="220" y2="10" stroke="#e08a1e" stroke-dasharray="4"/>'
        f'{dots}<text x="120" y="228" font-size="10" text-anchor="middle" fill="currentColor">'
        "confidence, 0 to 1</text>"
        '<text x="12" y="110" font-size="10" text-anchor="middle" fill="currentColor" '
        'transform="rotate(-90 12 110)">accuracy, 0 to 1</text></svg>'
        f"<p class=dim>Expected calibration error {_figure(ece)}, "
        f"n = {sum(entry['n'] for entry in bins)}; areas show how many answers.</p>"
    )


def _failure(result: Result, image: Any, trace: str = "") -> str:
    gold = result.gold if isinstance(result.gold, str) else " / ".join(result.gold)
    sure = "" if result.confidence is None else f", {100 * result.confidence:.0f} % sure"
    reason = result.episode.get("meta", {}).get("error") or result.ended
    answer = result.answer or f"no answer ({reason})"
    link = f'<p><a href="{_text(trace)}">the whole trace</a></p>' if trace else ""
    return (
        f"<article><div>{_thumbnail(result, image)}</div><div><h3>{_text(result.question)}</h3>"
        f"<p>gold <b>{_text(gold)}</b>, answered <b class=bad>{_text(answer)}</b>"
        f"<span class=dim>{_text(sure)} · {_text(result.id)} · {_text(result.family)}</span></p>"
        f"<ol>{_steps(result)}</ol>{link}</div></article>"
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
        return "<p class=dim>no picture to show</p>"
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
