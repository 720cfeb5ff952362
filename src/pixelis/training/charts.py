"""Curves of a reinforcement run: `metrics.jsonl` to one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixelis.training.curves import read_metrics, smooth

# Okabe and Ito's colours, which everybody can tell apart.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
PANELS: Mapping[str, Sequence[str]] = {
    "reward and its terms (mean of an episode)": (
        "reward",
        "answer",
        "curiosity",
        "coherence",
        "misuse",
    ),
    "share of episodes or calls": ("rapr", "op_success", "answered", "held_out"),
    "share of groups": ("even_groups", "replayed_groups"),
    "nats a token": ("entropy", "kl"),
}
OPS = "calls of an episode, by operation"


def figure(metrics: Sequence[Mapping[str, Any]]) -> Figure:
    """The curves of a run; running means over a sixtieth of it."""
    drawn = Figure(figsize=(15, 3.6), layout="constrained")
    axes = drawn.subplots(1, len(PANELS) + 1)
    window = max(1, len(metrics) // 60)
    for axis, (title, names) in zip(axes, PANELS.items(), strict=False):
        for name, color in zip(names, COLORS, strict=False):
            _line(axis, metrics, name, color, window)
        _finish(axis, title)
    _stack(axes[-1], metrics, window)
    _finish(axes[-1], OPS)
    drawn.suptitle(f"{len(metrics)} steps, running mean over {window}", fontsize=9)
    return drawn


def _line(
    axis: Axes, metrics: Sequence[Mapping[str, Any]], name: str, color: str, window: int
) -> None:
    """A curve; what is measured now and then keeps its points."""
    steps = np.array([row["step"] for row in metrics])
    values = np.array([_number(row.get(name)) for row in metrics])
    known = np.isfinite(values)
    if not known.any():
        return
    if known.mean() > 0.5:
        axis.plot(steps[known], smooth(values[known], window), color=color, lw=1.4, label=name)
    else:
        axis.plot(steps[known], values[known], "o-", ms=3, color=color, lw=1, label=name)


def _stack(axis: Axes, metrics: Sequence[Mapping[str, Any]], window: int) -> None:
    """How often each operation is called, as areas on top of one another."""
    rows = [row for row in metrics if isinstance(row.get("ops"), Mapping)]
    names = sorted({name for row in rows for name in row["ops"]})
    if not names:
        return
    parts = [
        smooth(np.array([float(row["ops"].get(name, 0.0)) for row in rows]), window)
        for name in names
    ]
    colors = [COLORS[number % len(COLORS)] for number in range(len(names))]
    axis.stackplot([row["step"] for row in rows], parts, labels=names, colors=colors, alpha=0.8)


def _finish(axis: Axes, title: str) -> None:
    axis.set_title(title, fontsize=9)
    axis.set_xlabel("step")
    axis.grid(alpha=0.3)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=7)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def draw(metrics: Path, picture: Path) -> None:
    """Reads metrics.jsonl and writes the figure."""
    figure(read_metrics(metrics)).savefig(picture, dpi=110)
