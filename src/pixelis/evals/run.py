"""Runs a benchmark: asks every question through one batcher, judges, and keeps what is done.

With a folder, every result is appended to `results.jsonl` as it comes; a run that was killed goes
on where it stopped when it is started again with the same settings.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pixelis.episode import Episode
from pixelis.errors import ConfigError, DataError, StoreError
from pixelis.evals.controls import Solver
from pixelis.evals.question import Benchmark, Question

RESULTS = "results.jsonl"
CHUNK = 64  # questions whose pictures are in memory at once; an agent plays as many side by side


@dataclass(frozen=True)
class Result:
    """One judged question.

    Attributes:
        fingerprint: of question, gold and media.
        answer: as displayed; empty without one.
        confidence: of the answer, None when the model gives none.
        score: graded, in [0, 1].
        ops: calls made; failed_ops of them gave an error.
        seconds: wall time of its episode, which shared the machine with others.
        wall_s: time since the result before it; these add up to the run's wall time.
        episode: the whole episode as JSON values.
    """

    id: str
    fingerprint: str
    family: str
    difficulty: str
    domain: str
    picture: str
    question: str
    gold: str | tuple[str, ...]
    answer_type: str
    answer: str
    known: bool
    confidence: float | None
    correct: bool
    score: float
    ops: int
    failed_ops: int
    ended: str
    seconds: float
    wall_s: float
    episode: dict[str, Any]


_RESULT: TypeAdapter[Result] = TypeAdapter(Result)
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
        _check_unchanged(benchmark, done)
        for chunk in _chunks(todo, CHUNK):
            questions = [benchmark.load(index) for index in chunk]
            _solve(questions, solver, done, len(benchmark), store, on_result, clock)
    finally:
        if store:
            store.close()
    return [done[name] for name in benchmark.ids]


def judge(question: Question, episode: Episode, wall_s: float = 0.0) -> Result:
    """The result of one episode."""
    answer = episode.answer
    verdict = question.judge(answer)
    return Result(
        id=question.id,
        fingerprint=question.fingerprint(),
        family=question.family,
        difficulty=question.difficulty,
        domain=question.domain,
        picture=question.picture,
        question=question.text,
        gold=question.gold,
        answer_type=question.answer_type,
        answer=answer.text if answer else "",
        known=answer.known if answer else True,
        confidence=answer.confidence if answer else None,
        correct=verdict.correct,
        score=verdict.score,
        ops=len(episode.calls),
        failed_ops=sum(
            step.call is not None
            and step.observation is not None
            and step.observation.error is not None
            for step in episode.steps
        ),
        ended=episode.ended,
        seconds=round(episode.seconds, 4),
        wall_s=round(wall_s, 4),
        episode=episode.to_dict(),
    )


class Store:
    """Partial results in a file: first line what they depend on, then one result per line.

    A last line that was cut off by a kill is dropped; any other broken line is a DataError.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path = path
        self.results: dict[str, Result] = {}
        header = {"run": dict(identity)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            there = path.read_bytes() if path.exists() else b""
            whole = there[: there.rfind(b"\n") + 1]
            self._read(whole.decode("utf-8").split("\n")[:-1], header)
            self._file = path.open("r+b" if there else "wb")
            self._file.truncate(len(whole))
            self._file.seek(len(whole))
            if not whole:
                self._write(header)
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not UTF-8; these are no results") from error
        except OSError as error:
            raise StoreError(f"{path}: cannot keep results ({error.strerror or error})") from error

    def add(self, result: Result) -> None:
        """Keeps a result; it survives the end of this process once this returns."""
        self.results[result.id] = result
        try:
            self._write(asdict(result))
        except OSError as error:
            raise StoreError(f"{self.path}: cannot keep results ({error.strerror})") from error

    def close(self) -> None:
        self._file.close()

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self, lines: Sequence[str], header: Mapping[str, Any]) -> None:
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise DataError(f"{self.path}:{number}: not JSON; choose another --out") from error
            if number == 1:
                self._same(record, json.loads(json.dumps(header)))
                continue
            result = self._result(record, number)
            self.results[result.id] = result

    def _result(self, record: Any, number: int) -> Result:
        try:
            return _RESULT.validate_python(record)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "record"
            raise DataError(f"{self.path}:{number}: {place}: {first['msg']}") from error

    def _same(self, first: Any, header: Mapping[str, Any]) -> None:
        there = first.get("run") if isinstance(first, dict) else None
        if not isinstance(there, dict):
            raise ConfigError(f"{self.path} holds no evaluation; choose another --out")
        wanted = header["run"]
        for name in {**there, **wanted}:
            if there.get(name) != wanted.get(name):
                raise ConfigError(
                    f"{self.path} belongs to a run with {name} = {there.get(name)!r}, not "
                    f"{wanted.get(name)!r}; choose another --out to start afresh"
                )


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


def _check_unchanged(benchmark: Benchmark, done: Mapping[str, Result]) -> None:
    """Resumed results must be about the very questions of today: one is made again and compared."""
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
