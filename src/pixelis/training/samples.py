"""Traces of what a run plays: every so often one group, each episode as a page, and a page that
compares them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from pixelis.agent.save import save
from pixelis.episode import Episode
from pixelis.ops.registry import REGISTRY
from pixelis.rewards import Scored
from pixelis.training.rollouts import Group

if TYPE_CHECKING:
    from pixelis.training.rft import Run


class Show:
    """Writes one group of a step as pages: every episode's trace and a page that compares them."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(
        self, step: int, groups: Sequence[Group], scored: Sequence[Sequence[Scored]]
    ) -> None:
        config = self.run.config
        if self.run.place[0] or step % config.sample_every:
            return
        pairs = [pair for pair in zip(groups, scored, strict=True) if pair[0].media is not None]
        if not pairs:
            return
        group, marks = max(pairs, key=lambda pair: len({one.reward for one in pair[1]}))
        folder = config.out / "samples" / f"step-{step:06d}"
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for number, (rollout, mark) in enumerate(zip(group.rollouts, marks, strict=True)):
            page = folder / f"{number}.html"
            save(rollout.episode, page, group.media, self.run.player.cache or REGISTRY)
            rows.append(_row(number, rollout.episode, mark))
        told = {"question": group.question.text, "gold": list(group.question.gold.answers)}
        (folder / "group.json").write_text(
            json.dumps({**told, "episodes": rows}, indent=2, ensure_ascii=False), encoding="utf-8"
        )
        (folder / "index.html").write_text(_page(told, rows, step), encoding="utf-8")


def _row(number: int, episode: Episode, mark: Scored) -> dict[str, Any]:
    return {
        "page": f"{number}.html",
        "calls": [call.op for call in episode.calls],
        "said": episode.answer.text if episode.answer is not None else None,
        "ended": episode.ended,
        **{name: round(value, 3) for name, value in mark.terms._asdict().items()},
        "reward": round(mark.reward, 3),
    }


def _page(told: dict[str, Any], rows: Sequence[dict[str, Any]], step: int) -> str:
    """A table of the group's episodes with links to their traces."""
    names = list(rows[0])
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td><a href="{row[name]}">{row[name]}</a></td>'
            if name == "page"
            else f"<td>{escape(_shown(row[name]))}</td>"
            for name in names
        )
        + "</tr>"
        for row in rows
    )
    gold = escape(", ".join(told["gold"]) or "(nobody can tell)")
    return (
        '<!doctype html><meta charset="utf-8"><title>Step '
        f"{step}</title><style>body{{font:15px sans-serif;margin:2em}}td,th{{padding:.3em .8em;"
        "text-align:left;border-bottom:1px solid #ccc}</style>"
        f"<h1>Step {step}</h1><p>{escape(told['question'])}<br>Gold: {gold}</p>"
        f"<table><tr>{head}</tr>{body}</table>"
    )


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
