"""The trace page: a template filled with escaped values, one style and one script, both pinned."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from pixelis.episode import Episode
from pixelis.ops.workspace import Workspace
from pixelis.trace.marks import Mark, whole_outline
from pixelis.trace.scene import LARGER, NOTHING_FOUND, WHOLE, PlacedMark, Stage, compose

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def render(episode: Episode, workspace: Workspace) -> str:
    """The whole page as HTML; nothing on it comes from elsewhere or goes anywhere."""
    style, script = asset("trace.css"), asset("trace.js")
    return (
        environment()
        .get_template("trace.html.jinja")
        .render(
            scene=compose(episode, workspace),
            larger=LARGER,
            whole=WHOLE,
            nothing_found=NOTHING_FOUND,
            style=Markup(style),
            script=Markup(script),
            policy=policy((style,), (script,)),
        )
    )


def asset(name: str) -> str:
    """The text of a file of the page."""
    return (files("pixelis.trace") / "page" / name).read_text(encoding="utf-8")


def policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """A content security policy under which only these styles, scripts and data images work."""
    return (
        f"default-src 'none'; img-src data:; style-src {_digests(styles)}; "
        f"script-src {_digests(scripts)}; base-uri 'none'; form-action 'none'"
    )


def _digests(texts: Iterable[str]) -> str:
    return " ".join(f"'{_digest(text)}'" for text in texts)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def environment() -> Environment:
    """The templates of the room: everything filled in is escaped, a missing value is an error."""
    environment = Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    environment.filters["shade"] = _shade
    return environment


def _clean(value: object) -> object:
    """Control and direction characters made visible; what is safe markup stays."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return CONTROL.sub("\ufffd", value)


def _shade(placed: PlacedMark, stage: Stage) -> str:
    """Everything but the mark, as SVG path data for the even-odd rule; empty for mere lines."""
    mark: Mark = placed.mark
    return "" if mark.kind == "path" else whole_outline(stage.size) + mark.outline
