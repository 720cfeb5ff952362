"""Training curves of a run: metrics.jsonl to one figure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pixelis.training.curves import smooth

PANELS = {
    "loss (nats)": {"reading": "#0072B2", "key": "#E69F00", "loop": "#009E73"},
    "share right, training": {"tokens_right": "#0072B2", "pairs_right": "#E69F00"},
    "share right, held out": {"tokens": "#0072B2", "exact": "#CC79A7", "pairs": "#E69F00"},
}


def figure(rows: list[dict]) -> Figure:
    """Losses, and what is right in training and on held-out combinations, over the steps."""
    drawn = Figure(figsize=(11, 3.4), layout="constrained")
    axes = drawn.subplots(1, len(PANELS))
    steps = max((row["step"] for row in rows), default=0) + 1
    window = max(1, steps // 60)
    for axis, (title, names) in zip(axes, PANELS.items(), strict=True):
        for name, color in names.items():
            found = [(row["step"], row[name]) for row in rows if name in row]
            if found:
                x, y = np.array(found, float).T
                dots = "held out" in title
                shown = y if dots else smooth(y, window)
                axis.plot(x, shown, "o-" if dots else "-", label=name, color=color, lw=1.4, ms=3)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    drawn.suptitle(f"{steps} steps, one seed; training: running mean over {window}", fontsize=9)
    return drawn


def draw_curves(metrics: Path, picture: Path) -> None:
    """Reads metrics.jsonl and writes the figure."""
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    figure(rows).savefig(picture, dpi=110)
