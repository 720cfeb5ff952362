"""Two runs over the same questions side by side: who is better, by how much, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pixelis.errors import ConfigError
from pixelis.evals.results import Result
from pixelis.evals.statistics import compare, holm
from pixelis.sequential import Sequential


class Pair(NamedTuple):
    """One question in both runs; the shares are means over seeds, in [0, 1]."""

    result: Result
    first: float
    second: float


def compare_runs(first: Sequence[Result], second: Sequence[Result]) -> dict[str, Any]:
    """The paired difference in accuracy of two runs over the same questions, first minus second.

    A question answered under several seeds counts once, with its mean. Keys: `difference`, `ci95`,
    `p` (two-sided bootstrap over pictures), `n`, `first` and `second` (accuracies), `gained` and
    `lost` (questions better in the first, in the second), `no_worse` (the sequential test at a
    margin of two points: `no_worse`, `worse` or `open`, and after how many questions), and
    `by_family` with the first four keys, where `p` is Holm-corrected over the families; where
    answers were graded between 0 and 1, `score` with the first four keys of the grades. Raises
    ConfigError when the runs did not answer the same questions.
    """
    pairs = paired(first, second)
    families: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        families[pair.result.family].append(pair)
    by_family = {name: _outcome(members) for name, members in sorted(families.items())}
    adjusted = holm({name: entry["p"] for name, entry in by_family.items()})
    for name, p in adjusted.items():
        by_family[name]["p"] = p
    test, looked = in_turn(pairs)
    return {
        **_outcome(pairs),
        "first": sum(pair.first for pair in pairs) / len(pairs),
        "second": sum(pair.second for pair in pairs) / len(pairs),
        "gained": [pair.result.id for pair in pairs if pair.first > pair.second],
        "lost": [pair.result.id for pair in pairs if pair.first < pair.second],
        "no_worse": {"verdict": test.verdict, "margin": test.margin, "questions": looked},
        "by_family": by_family,
        **_graded(first, second),
    }


def _graded(first: Sequence[Result], second: Sequence[Result]) -> dict[str, Any]:
    """The difference in mean grade, which is what some authors report; nothing without grades."""
    if all(result.score in (0.0, 1.0) for result in (*first, *second)):
        return {}
    return {"score": _outcome(paired(first, second, lambda result: result.score))}


def in_turn(pairs: Sequence[Pair], seed: int = 0) -> tuple[Sequential, int]:
    """The sequential test over pictures in random order, and how many questions it looked at.

    Files come sorted by kind, so the first hundred questions say nothing about the rest; and
    questions about one picture are no independent draws: each picture counts with its mean.
    """
    gaps: dict[str, list[float]] = defaultdict(list)
    for pair in pairs:
        gaps[pair.result.picture].append(pair.first - pair.second)
    test, looked = Sequential(), 0
    units = list(gaps.values())
    for place in np.random.default_rng(seed).permutation(len(units)):
        if test.verdict != "open":
            break
        test = test.observe(sum(units[place]) / len(units[place]))
        looked += len(units[place])
    return test, looked


def paired(
    first: Sequence[Result],
    second: Sequence[Result],
    figure: Callable[[Result], float] = lambda result: float(result.correct),
) -> list[Pair]:
    """Each question with its share right (or another figure) in both runs, as the first orders."""
    mine, theirs = _shares(first, figure), _shares(second, figure)
    same = mine.keys() == theirs.keys() and all(
        result.fingerprint == theirs[name][0].fingerprint for name, (result, _) in mine.items()
    )
    if not same or not mine:
        raise ConfigError("the two runs are about different questions; evaluate both on one set")
    return [Pair(result, share, theirs[name][1]) for name, (result, share) in mine.items()]


def _shares(
    results: Sequence[Result], figure: Callable[[Result], float]
) -> dict[str, tuple[Result, float]]:
    """By question its first result and its mean figure over seeds."""
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        found[result.id].append(result)
    return {
        name: (members[0], sum(map(figure, members)) / len(members))
        for name, members in found.items()
    }


def _outcome(pairs: Sequence[Pair]) -> dict[str, Any]:
    outcome = compare(
        [pair.first for pair in pairs],
        [pair.second for pair in pairs],
        [pair.result.picture for pair in pairs],
    )
    return {
        "difference": outcome.difference,
        "ci95": list(outcome.interval),
        "p": outcome.p,
        "n": outcome.n,
    }
