"""What a training run took and came to, read from what it left."""

from __future__ import annotations

import json
from pathlib import Path

from pixelis.errors import DataError
from pixelis.evals.wheeler.figures import Figure, beside

LIMITS_S = {"tiny": 120.0, "small": 900.0}


def training_figures(run: Path) -> list[Figure]:
    """Minutes of a run against its limit, and its last validation; DataError names what lacks."""
    try:
        config = json.loads((run / "config.json").read_text(encoding="utf-8"))["config"]
        rows = [
            json.loads(line)
            for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        ]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{run} is no training run: {error}") from error
    preset = config["preset"]
    seconds, last = 0.0, 0.0
    for row in rows:  # the clock starts anew when a run is resumed
        seconds += row["seconds"] - last if row["seconds"] >= last else row["seconds"]
        last = row["seconds"]
    checks = [row for row in rows if row["stage"] == "validation"]
    more = {k: checks[-1][k] for k in ("tokens", "exact", "pairs")} if checks else {}
    ends = [row["cpu_seconds"] for row in rows if row["stage"] == "end"]
    if ends:
        more["CPU seconds of all cores"] = round(sum(ends), 1)
    limit = LIMITS_S.get(preset, 0.0)
    steps = sum(row["stage"] == "wheeler" for row in rows)
    return [
        Figure(
            f"training {preset}, seconds",
            round(seconds, 1),
            limit,
            bool(limit) and seconds <= limit,
            how=f"{steps} steps of {config['batch_size']} texts and {config['pairs']} pairs",
            baselines=beside({"dynamics off": None}),
            n=steps,
            more=more,
        )
    ]
