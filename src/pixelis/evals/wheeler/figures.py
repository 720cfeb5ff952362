"""A figure with its interval, target and the baselines beside it; results as committed files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixelis.errors import DataError
from pixelis.evals.statistics import compare, mean_interval

PLAIN = ("n-gram k-NN", "BM25", "classical Hopfield")


@dataclass(frozen=True)
class Figure:
    """One goal, measured.

    Attributes:
        interval: 95 % interval of `value`; None for what is counted or timed, not sampled.
        baselines: arm -> the same figure of that arm; None where an arm cannot do it at all.
        gains: arm -> difference to that arm with its paired interval.
        n: questions, all seeds together.
        how: what was measured, in words, and anything a reader needs to judge it.
    """

    name: str
    value: float
    target: float
    ok: bool
    interval: tuple[float, float] | None = None
    baselines: Mapping[str, Any] = field(default_factory=dict)
    gains: Mapping[str, Any] = field(default_factory=dict)
    n: int = 0
    how: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def share(
    name: str,
    hits: Sequence[float],
    target: float,
    arms: Mapping[str, Sequence[float]],
    how: str,
    **more: Any,
) -> Figure:
    """A figure that is a share of hits, with arms that were asked the same questions."""
    values = np.asarray(hits, float)
    interval = mean_interval(values.tolist())
    gains = {}
    for arm, other in arms.items():
        found = compare(values.tolist(), np.asarray(other, float).tolist())
        gains[arm] = {"difference": round(found.difference, 4), "interval": _short(found.interval)}
    return Figure(
        name,
        round(float(values.mean()), 4),
        target,
        bool(values.mean() >= target),
        _short(interval),
        beside({arm: round(float(np.mean(other)), 4) for arm, other in arms.items()}),
        gains,
        len(values),
        how,
        more,
    )


def beside(arms: Mapping[str, Any]) -> dict[str, Any]:
    """The arms, and None for every plain baseline that cannot do it at all.

    A k-NN of frames stands for the one of n-grams where pictures ask.
    """
    plain = [name for name in PLAIN if "k-NN" not in name or not any("k-NN" in a for a in arms)]
    return {**dict(arms), **{name: None for name in plain if name not in arms}}


def save(folder: Path, name: str, figures: Sequence[Figure], about: Mapping[str, Any]) -> Path:
    """Writes `name.json`: the figures and where they come from."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    record = {"about": dict(about), "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Every figure of a folder of results by name; DataError names a broken file."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            for figure in record["figures"]:
                found[figure["name"]] = {**figure, "about": record["about"], "file": path.name}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is no file of results: {error}") from error
    return found


def _short(interval: Sequence[float]) -> tuple[float, float]:
    return round(float(interval[0]), 4), round(float(interval[1]), 4)
