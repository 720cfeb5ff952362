"""Training curves: metrics.jsonl to one figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

PANELS = {
    "loss": ("loss", "dense"),
    "seeing (share right)": ("class", "glyph", "color", "hit"),
    "box error (sides)": ("box", "off"),
}
TUNING = {
    "loss": ("loss",),
    "share right": ("token_accuracy", "held_out"),
    "calls a question, share failed": ("calls", "failed_calls"),
}
FEW = 20  # values that are drawn one by one
COLORS = {
    "token_accuracy": "#56B4E9",
    "held_out": "#009E73",
    "calls": "#0072B2",
    "failed_calls": "#D55E00",
    "loss": "#0072B2",
    "dense": "#E69F00",
    "class": "#009E73",
    "glyph": "#CC79A7",
    "color": "#D55E00",
    "hit": "#56B4E9",
    "box": "#000000",
    "off": "#999999",
}


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Running mean over `window` steps, ignoring missing values."""
    known = np.isfinite(values)
    kernel = np.ones(window)
    total = np.convolve(np.where(known, values, 0.0), kernel, "same")
    count = np.convolve(known.astype(float), kernel, "same")
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def figure(metrics: list[dict], panels: Mapping[str, Sequence[str]] | None = None) -> Figure:
    """The curves of a run; stages follow one another on the step axis.

    Args:
        panels: names of the values in each panel, by its title; None shows nano's own.
    """
    panels = panels or PANELS
    drawn = Figure(figsize=(11, 3.4), layout="constrained")
    axes = drawn.subplots(1, len(panels))
    window = max(1, len(metrics) // 60)
    for axis, (title, names) in zip(axes, panels.items(), strict=True):
        for name in names:
            values = np.array([row.get(name, np.nan) for row in metrics], float)
            known = np.flatnonzero(np.isfinite(values))
            gaps = len(known) and (known[-1] - known[0] + 1) / len(known)
            if len(known) > FEW and gaps < 2:  # measured at most steps of its stages
                span = slice(known[0], known[-1] + 1)
                smoothed = smooth(values[span], window)
                places = np.arange(span.start, span.stop)
                axis.plot(places, smoothed, label=name, color=COLORS[name], lw=1.4)
            elif len(known):  # few, or now and then: as they are, each with its mark
                axis.plot(known, values[known], "o-", ms=3, label=name, color=COLORS[name], lw=1)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("step (all stages)")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    drawn.suptitle(f"{len(metrics)} steps, running mean over {window}", fontsize=9)
    return drawn


def read_metrics(path: Path) -> list[dict]:
    """The rows of a metrics.jsonl, one a step: a resumed run writes the steps anew that came after
    its checkpoint, and the later row is the one that counts."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    last: dict[tuple[int, int], dict] = {}
    for row in rows:
        key = (stages.index(row["stage"]), row["step"])
        # An examination has a row of its own, before that of its step.
        examined = last.get(key, {}).get("exam") and not row.get("exam")
        last[key] = {**last[key], **row} if examined else row
    return [last[key] for key in sorted(last)]


def draw_curves(
    metrics: Path, picture: Path, panels: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Reads metrics.jsonl and writes the figure."""
    figure(read_metrics(metrics), panels).savefig(picture, dpi=110)
