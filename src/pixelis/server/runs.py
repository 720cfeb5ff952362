"""Finished evaluation runs in a folder, as `pixelis eval --out` leaves them.

A run is a folder with a `summary.json`. What is asked for is looked up among the folders that were
found, so no path is ever made of a request; links are not followed.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel, Field, ValidationError

from pixelis.errors import DataError
from pixelis.evals.report import trace_name
from pixelis.evals.results import RESULTS

P = ParamSpec("P")
T = TypeVar("T")
SUMMARY, REPORT, TRACES = "summary.json", "report.html", "traces"
BETWEEN = ":"  # folders of a name; a folder with it in its own name is not shown
DEPTH = 4  # a table's rows lie one deeper than a single run
MOST_RUNS = 1000
MOST_FOLDERS = 20_000  # looked into
MOST_SUMMARY = 8 * 2**20  # bytes
MOST_LINE = 16 * 2**20  # bytes of one result
MOST_PAGE = 64 * 2**20  # bytes of a report or trace


class Share(BaseModel):
    """A share of right answers in [0, 1] with its 95 % interval, over `n` answers."""

    accuracy: float = Field(ge=0, le=1)
    ci95: tuple[float, float]
    n: int


class Use(BaseModel):
    """How often an operation was called, the share that worked, the share of questions with it."""

    calls: int
    success: float
    questions: float


class Summary(Share):
    """The figures of a run; what else `summary.json` holds is left out."""

    benchmark: str = ""
    model: str
    control: str = "none"
    score: float | None = None
    ops_per_question: float | None = None
    op_success: float | None = None
    seconds_per_question: float | None = None
    tokens_per_question: float | None = None
    ece: float | None = None
    frozen: bool = False
    exam: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    command: str = ""
    commit: str | None = None
    notes: list[str] = Field(default_factory=list)
    by_family: dict[str, Share] = Field(default_factory=dict)
    by_difficulty: dict[str, Share] = Field(default_factory=dict)
    by_domain: dict[str, Share] = Field(default_factory=dict)
    by_op: dict[str, Use] = Field(default_factory=dict)


class Failure(BaseModel):
    """A question that was not answered right.

    Attributes:
        gold: any of these counts.
        ended: why the episode ended.
        trace: whether its trace was kept.
    """

    id: str
    seed: int = 0
    family: str
    question: str
    gold: list[str]
    answer: str
    confidence: float | None = None
    score: float = 0.0
    ended: str
    trace: bool = False


@dataclass(frozen=True)
class Run:
    """One run; `finished` is when its figures were written, in seconds since 1970."""

    name: str
    folder: Path
    summary: Summary
    finished: float

    @property
    def has_report(self) -> bool:
        return _plain(self.folder / REPORT)


@dataclass(frozen=True)
class Failures:
    """The worst of them, how many there are, and how many results cannot be read."""

    worst: list[Failure]
    count: int
    unreadable: int


class Runs:
    """The runs below one folder, read anew each time, in one thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._thread = ThreadPoolExecutor(1, "pixelis-runs")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(...)` in the thread of this folder; those who ask wait for one another."""
        return await asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def all(self) -> tuple[list[Run], list[str]]:
        """The runs, the newest first, and the names of those whose figures cannot be read."""
        runs, broken = [], []
        for name, folder in self._folders():
            try:
                run = _read(name, folder)
            except DataError:
                broken.append(name)
                continue
            if run is not None:
                runs.append(run)
        runs.sort(key=lambda run: (-run.finished, run.name))
        return runs, sorted(broken)

    def find(self, name: str) -> Run | None:
        """The run of that name, None without one; DataError when its figures cannot be read."""
        folder = next((folder for each, folder in self._folders() if each == name), None)
        return None if folder is None else _read(name, folder)

    def failures(self, run: Run, most: int, family: str | None = None) -> Failures:
        """The failures by falling confidence, those without one last."""
        traces = _traces(run.folder / TRACES)
        unreadable = count = 0

        def found() -> Iterator[Failure]:
            nonlocal unreadable, count
            for line in _results(run.folder):
                try:
                    failure = _failure(line)
                except DataError:
                    unreadable += 1
                    continue
                if failure is not None and family in (None, failure.family):
                    count += 1
                    failure.trace = trace_name(failure.id, failure.seed) in traces
                    yield failure

        worst = heapq.nlargest(most, found(), key=lambda one: one.confidence or 0.0)
        return Failures(worst, count, unreadable)

    def report(self, run: Run) -> bytes | None:
        """The page of a run; None when there is none."""
        return _page(run.folder / REPORT)

    def trace(self, run: Run, question: str, seed: int) -> bytes | None:
        """The trace of a question's answer; None when none was kept."""
        name = trace_name(question, seed)
        folder = run.folder / TRACES
        return _page(folder / name) if name in _traces(folder) else None

    def _folders(self) -> Iterator[tuple[str, Path]]:
        """Name and path of the folders that hold figures."""
        open_ones: list[tuple[tuple[str, ...], Path]] = [((), self.folder)]
        seen = found = 0
        while open_ones and seen < MOST_FOLDERS and found < MOST_RUNS:
            parts, folder = open_ones.pop(0)
            seen += 1
            if parts and _plain(folder / SUMMARY):
                found += 1
                yield BETWEEN.join(parts), folder
            if len(parts) < DEPTH:
                open_ones += [((*parts, name), folder / name) for name in _below(folder)]


def _below(folder: Path) -> list[str]:
    """Names of the folders in a folder, in order; links and hidden ones are none."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    except OSError:  # gone, or not ours to read: it holds no runs that could be shown
        return []
    return sorted(n for n in names if BETWEEN not in n and not n.startswith(".") and n != TRACES)


def _traces(folder: Path) -> frozenset[str]:
    """Names of the traces of a run."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(e.name for e in entries if e.is_file(follow_symlinks=False))
    except OSError:  # there are none
        return frozenset()


def _plain(path: Path) -> bool:
    """A file, and no link to one."""
    return path.is_file() and not path.is_symlink()


def _read(name: str, folder: Path) -> Run | None:
    """The run in a folder, None when the figures are no evaluation's; DataError when broken."""
    path = folder / SUMMARY
    try:
        data, finished = _bytes(path, MOST_SUMMARY), path.stat().st_mtime
    except OSError as error:
        raise DataError(f"{name}: {SUMMARY} cannot be read ({error.strerror})") from error
    value = _parsed(data, f"{name}: {SUMMARY}")
    if not isinstance(value, dict) or "by_family" not in value:
        return None
    try:
        return Run(name, folder, Summary.model_validate(value), finished)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(f"{name}: {SUMMARY}: {place}: {first['msg']}") from error


def _bytes(path: Path, most: int) -> bytes:
    """A whole file; DataError when it is larger, OSError when it is a link or cannot be read."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise DataError(f"{path.name} is larger than {most // 2**20} MiB")
    return data


def _page(path: Path) -> bytes | None:
    try:
        return _bytes(path, MOST_PAGE)
    except OSError:  # told as "there is none"
        return None


def _results(folder: Path) -> Iterator[bytes]:
    """Whole lines of the results of a run, or of its seeds one after another, headers left out."""
    own = folder / RESULTS
    files = [own] if _plain(own) else sorted(filter(_plain, folder.glob(f"seed-*/{RESULTS}")))
    for path in files:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            file.readline(MOST_LINE)
            while line := file.readline(MOST_LINE):
                if line.endswith(b"\n"):
                    yield line
                elif len(line) == MOST_LINE:  # one that is too long is told as unreadable
                    yield b""
                    while (rest := file.readline(MOST_LINE)) and not rest.endswith(b"\n"):
                        pass


def _failure(line: bytes) -> Failure | None:
    """The failure in a line of results, None when the answer was right; DataError when broken."""
    value = _parsed(line, RESULTS)
    if not isinstance(value, dict) or not isinstance(value.get("correct"), bool):
        raise DataError(f"{RESULTS}: a line is no result")
    if value["correct"]:
        return None
    gold = value.get("gold")
    value["gold"] = [gold] if isinstance(gold, str) else gold
    value.pop("trace", None)
    try:
        return Failure.model_validate(value)
    except ValidationError as error:
        raise DataError(f"{RESULTS}: {error.errors()[0]['msg']}") from error


def _parsed(data: bytes, where: str) -> Any:
    """JSON that can be sent on: no endless numbers, no halves of characters."""
    try:
        value = json.loads(data, parse_float=_finite, parse_constant=_finite)
        if b"\\ud" in data or b"\\uD" in data:
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON ({error})") from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value
