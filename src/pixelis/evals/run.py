"""Asks a benchmark in bare batches: no harness, no logs but our own; for use inside a program.

`pixelis eval` asks through Inspect (`inspection`), which keeps the same results in the same file;
this is what its cost is measured against. With a folder, every result is appended to
`results.jsonl` as it comes; a run that was killed goes on where it stopped when it is started again
with the same settings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixelis.episode import Episode
from pixelis.errors import ConfigError
from pixelis.evals.controls import Solver
from pixelis.evals.question import Benchmark, Question
from pixelis.evals.results import RESULTS, Result, Store, judge

CHUNK = 64  # questions whose pictures are in memory at once; an agent plays as many side by side
OnResult = Callable[[Result, int, int], None]


def evaluate(
    benchmark: Benchmark,
    solver: Solver,
    settings: Mapping[str, Any] | None = None,
    out: Path | None = None,
    on_result: OnResult | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[Result]:
    """Results of all questions, in the benchmark's order.

    Args:
        settings: what else the results depend on (model, control, ...); a folder holds the results
            of one combination and refuses another (ConfigError).
        out: folder for partial results, made when missing; None keeps them in memory only.
        on_result: called with each new result, how many are done and how many there are; from the
            solver's thread.
    """
    identity = {"benchmark": benchmark.name, **benchmark.settings, **(settings or {})}
    store = Store(out / RESULTS, identity) if out is not None else None
    done = dict(store.results) if store else {}
    todo = [index for index, name in enumerate(benchmark.ids) if name not in done]
    try:
        check_unchanged(benchmark, done)
        for chunk in _chunks(todo, CHUNK):
            questions = [benchmark.load(index) for index in chunk]
            _solve(questions, solver, done, len(benchmark), store, on_result, clock)
    finally:
        if store:
            store.close()
    return [done[name] for name in benchmark.ids]


def _solve(
    questions: Sequence[Question],
    solver: Solver,
    done: dict[str, Result],
    total: int,
    store: Store | None,
    on_result: OnResult | None,
    clock: Callable[[], float],
) -> None:
    last = clock()

    def on_done(index: int, episode: Episode) -> None:
        nonlocal last
        now = clock()
        result = judge(questions[index], episode, now - last)
        last = now
        done[result.id] = result
        if store:
            store.add(result)
        if on_result:
            on_result(result, len(done), total)

    solver(questions, on_done)


def check_unchanged(benchmark: Benchmark, done: Mapping[str, Result]) -> None:
    """ConfigError unless resumed results are about today's questions: one is made again."""
    for index, name in enumerate(benchmark.ids):
        if name in done:
            if benchmark.load(index).fingerprint() != done[name].fingerprint:
                raise ConfigError(
                    f"question {name} has changed since these results were made; "
                    "choose another --out to start afresh"
                )
            return


def _chunks(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))
