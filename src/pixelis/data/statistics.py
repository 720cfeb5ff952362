"""Figures over files of episodes: how many of what, how long, how hard, how often drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pixelis.data.difficulty import Group, difficulty, weights_of
from pixelis.data.episodes import UNKNOWN, Sample, read_samples
from pixelis.data.readers.row import Rejections

GROUPS = ("family", "kind", "split", "answer_type", "ended", "licence", "source")
MEASURES = ("steps", "calls", "images", "difficulty", "answer_letters", "question_words", "weight")
BINS = 20


def gather(
    place: Path, told: Callable[[int, str], None] = lambda count, state: None
) -> tuple[dict[str, Any], Rejections]:
    """The figures of a file or folder of episodes, and what could not be read.

    They hold `samples`, `media` (different source files), for each of `GROUPS` the counts, for
    `ops` and `op_errors` the counts of calls, and for each of `MEASURES` mean, least, median, most
    and a histogram (`edges`, `counts`). Plain JSON values.
    """
    rejections = Rejections()
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*GROUPS, "ops", "op_errors")}
    values: dict[str, list[float]] = {name: [] for name in MEASURES}
    groups: list[Group] = []
    media: set[str] = set()
    for sample in read_samples(place, rejections):
        _count(sample, counts, values)
        groups.append(Group(sample.family, sample.kind))
        media.add(sample.episode.media.sha256 or sample.id)
        told(len(groups), f"{rejections.rejected} refused")
    values["weight"] = weights_of(groups) if not values["weight"] else values["weight"]
    figures = {
        "samples": len(groups),
        "media": len(media),
        **{name: dict(counter.most_common()) for name, counter in counts.items()},
        **{name: _summary(found) for name, found in values.items()},
    }
    return figures, rejections


def _count(sample: Sample, counts: dict[str, Counter[str]], values: dict[str, list[float]]) -> None:
    episode, value = sample.episode, sample.row.value
    named = {
        "family": sample.family,
        "kind": sample.kind,
        "split": sample.split,
        "answer_type": sample.answer_type if sample.gold else UNKNOWN,
        "ended": episode.ended,
        "licence": sample.provenance.get("licence"),
        "source": sample.provenance.get("source") or sample.provenance.get("generator"),
    }
    for name, found in named.items():
        counts[name][str(found or "(none)")] += 1
    for step in episode.steps:
        if step.call is not None:
            counts["ops"][step.call.op] += 1
            if step.observation is not None and step.observation.error is not None:
                counts["op_errors"][step.call.op] += 1
    hard = value.get("difficulty")
    measured = {
        "steps": len(episode.steps),
        "calls": len(episode.calls),
        "images": 1 + sum(seen.image is not None for seen in episode.observations),
        "difficulty": hard if isinstance(hard, int | float) else difficulty(episode),
        "answer_letters": len(episode.answer.text) if episode.answer else 0,
        "question_words": len(episode.question.split()),
    }
    for name, number in measured.items():
        values[name].append(float(number))
    if isinstance(value.get("weight"), int | float):
        values["weight"].append(float(value["weight"]))


def _summary(values: Iterable[float]) -> dict[str, Any]:
    found = np.asarray(list(values), float)
    if not len(found):
        return {
            "mean": None,
            "least": None,
            "median": None,
            "most": None,
            "edges": [],
            "counts": [],
        }
    whole = bool((found == found.round()).all()) and found.max() - found.min() <= BINS
    low, high = float(found.min()), float(found.max())
    whole |= low == high
    edges = (
        np.arange(low, high + 2) - 0.5 if whole else np.linspace(low, high + 1e-9, BINS + 1)
    )  # one bar for each whole number when they are few
    counts, _ = np.histogram(found, edges)
    return {
        "mean": round(float(found.mean()), 4),
        "least": low,
        "median": round(float(np.median(found)), 4),
        "most": high,
        "edges": [round(float(edge), 4) for edge in edges],
        "counts": counts.tolist(),
    }
