"""Two episodes side by side on one page: what they share, where they part, both whole traces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from markupsafe import Markup

from pixelis.episode import Episode, Step
from pixelis.ops.workspace import Workspace
from pixelis.trace.page import asset, environment, policy, render
from pixelis.trace.scene import ENDINGS, call_text


class Side(NamedTuple):
    """One of the two: its name on the page, the episode, and its workspace, still open.

    Attributes:
        note: something the reader must know about this side, such as a replay that differs.
    """

    name: str
    episode: Episode
    workspace: Workspace
    note: str = ""


class Row(NamedTuple):
    """A line of the table above the traces."""

    label: str
    left: str
    right: str
    same: bool


def render_pair(left: Side, right: Side) -> str:
    """The page as HTML; like a single trace, nothing on it comes from elsewhere."""
    style, frame_style, script = asset("compare.css"), asset("trace.css"), asset("trace.js")
    a, b = left.episode, right.episode
    return (
        environment()
        .get_template("compare.html.jinja")
        .render(
            left=left,
            right=right,
            title=a.question if a.question == b.question else f"{a.question} / {b.question}",
            rows=rows(a, b),
            parted=parted(a.steps, b.steps),
            pages=(render(a, left.workspace), render(b, right.workspace)),
            style=Markup(style),
            # A page inside the page is under the policy of both, so the outer one allows its parts.
            policy=policy((style, frame_style), (script,)),
        )
    )


def rows(a: Episode, b: Episode) -> list[Row]:
    """What is compared, in the order of the page."""
    pairs = [
        ("Question", a.question, b.question),
        ("Media", _media(a), _media(b)),
        ("Model", a.model or "unnamed", b.model or "unnamed"),
        ("Answer", _answer(a), _answer(b)),
        ("Confidence", _confidence(a), _confidence(b)),
        ("Rests on", _evidence(a), _evidence(b)),
        ("Ended", ENDINGS[a.ended], ENDINGS[b.ended]),
        ("Steps", str(len(a.steps)), str(len(b.steps))),
        ("Calls", _calls(a), _calls(b)),
        ("Failed calls", str(_failed(a)), str(_failed(b))),
    ]
    table = [Row(label, was, now, was == now) for label, was, now in pairs]
    # Two runs never take the same time; that is no difference to point at.
    return [*table, Row("Time", f"{a.seconds:.1f} s", f"{b.seconds:.1f} s", True)]


def parted(a: Sequence[Step], b: Sequence[Step]) -> int | None:
    """The number, from 1, of the first step in which they did otherwise; None when in none.

    Steps are the same when the call, what it brought and the answer are; thoughts may differ.
    """
    for number, (one, other) in enumerate(zip_longest(a, b), 1):
        if one is None or other is None or _deed(one) != _deed(other):
            return number
    return None


def _deed(step: Step) -> tuple[str, str, str]:
    call = step.call.key() if step.call else ""
    seen = step.observation.text if step.observation else ""
    return call, seen, step.answer.text if step.answer else ""


def _media(episode: Episode) -> str:
    media = episode.media
    size = f"{media.size.width} × {media.size.height} px"
    return f"{media.name}, {size}, sha256 {media.sha256[:12]}"


def _answer(episode: Episode) -> str:
    return episode.answer.text if episode.answer else "No answer."


def _confidence(episode: Episode) -> str:
    sure = episode.answer.confidence if episode.answer else None
    return "not told" if sure is None else f"{100 * sure:.0f} %"


def _evidence(episode: Episode) -> str:
    return ", ".join(episode.answer.evidence if episode.answer else ()) or "nothing it looked at"


def _calls(episode: Episode) -> str:
    return "\n".join(call_text(call) for call in episode.calls) or "none"


def _failed(episode: Episode) -> int:
    return sum(seen.error is not None for seen in episode.observations)
