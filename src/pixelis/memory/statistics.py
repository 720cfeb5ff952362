"""What is inside a store, in numbers and in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pixelis.errors import ConfigError
from pixelis.memory.queue import Queue
from pixelis.memory.reviews import Reviews
from pixelis.memory.store import Memory

DAY_S = 86_400.0
# Okabe and Ito's colours, told apart by colour-blind people.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"


def statistics(memory: Memory) -> dict[str, Any]:
    """Counts of everything, plain JSON values."""
    count, pinned, sure, size = memory.base.one(
        "SELECT COUNT(*), COALESCE(SUM(pinned), 0), AVG(confidence), COALESCE(SUM(size), 0)"
        " FROM experiences"
    ) or (0, 0, None, 0)
    media = memory.base.one("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM media") or (0, 0)
    requests = memory.base.one("SELECT COUNT(*) FROM requests") or (0,)
    return {
        "experiences": count,
        "pinned": pinned,
        "bytes": size,
        "media": media[0],
        "media_bytes": media[1],
        "requests": requests[0],
        "mean_confidence": None if sure is None else round(sure, 4),
        "by_status": _grouped(memory, "status"),
        "by_family": _grouped(memory, "family"),
        "by_version": _grouped(memory, "version"),
        "by_decision": _counted(
            memory, "SELECT action, COUNT(*) FROM decisions GROUP BY action ORDER BY action"
        ),
        "queue": Queue(memory.base, memory.clock).sizes(),
        "reviews": Reviews(memory).counts(),
        "versions": _counted(
            memory, "SELECT state, COUNT(*) FROM versions GROUP BY state ORDER BY state"
        ),
        "promoted": int(memory.base.about("promoted", "0")),
        "embeddings": memory.spaces.counts(),
    }


def _grouped(memory: Memory, column: str) -> dict[str, int]:
    statement = f"SELECT {column}, COUNT(*) FROM experiences GROUP BY {column} ORDER BY {column}"
    return _counted(memory, statement)


def _counted(memory: Memory, statement: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in memory.base.rows(statement)}


def draw(memory: Memory, path: Path) -> None:
    """A picture of four panels: families, confidence, age, versions; ConfigError for a bad name."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise ConfigError(f"--plot {path}: give a name that ends in .png or .svg")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    rows = memory.base.rows("SELECT confidence, born, version FROM experiences")
    figure, axes = pyplot.subplots(2, 2, figsize=(10, 7), layout="constrained")
    families = _grouped(memory, "family")
    names = [name or "(unknown)" for name in families]
    axes[0, 0].barh(names, list(families.values()), color=BLUE)
    axes[0, 0].set(title="by family", xlabel="experiences")
    sure = [row[0] for row in rows if row[0] is not None]
    axes[0, 1].hist(sure, bins=np.linspace(0, 1, 21), color=ORANGE)
    axes[0, 1].set(title="by confidence", xlabel="calibrated confidence", ylabel="experiences")
    now = memory.clock()
    axes[1, 0].hist([max(0.0, now - row[1]) / DAY_S for row in rows], bins=20, color=GREEN)
    axes[1, 0].set(title="by age", xlabel="days since it was stored", ylabel="experiences")
    versions = _grouped(memory, "version")
    axes[1, 1].bar(list(versions), list(versions.values()), color=PURPLE)
    axes[1, 1].set(title="by adapter version", xlabel="version that answered", ylabel="experiences")
    figure.suptitle(f"{len(rows)} experiences")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
