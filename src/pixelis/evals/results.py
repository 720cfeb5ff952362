"""Results of single questions, and the file that keeps them while a run goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from pixelis.episode import Episode
from pixelis.errors import ConfigError, DataError, StoreError
from pixelis.evals.provenance import running
from pixelis.evals.question import Grader, Question
from pixelis.geometry import Size
from pixelis.models.dialects.dialect import count_images
from pixelis.ops.budget import PixelBudget

RESULTS = "results.jsonl"


@dataclass(frozen=True)
class Result:
    """One judged question.

    Attributes:
        fingerprint: of question, gold and media.
        answer: as displayed; empty without one.
        confidence: of the answer, None when the model gives none.
        score: graded, in [0, 1].
        ops: calls asked for; failed_ops of them gave an error or were not run any more.
        seconds: wall time of its episode, which shared the machine with others.
        wall_s: time since the result before it; these add up to the run's wall time.
        episode: the whole episode as JSON values.
        tokens: written by the model.
        pixels: of all images the model was given.
        seed: of the agent.
        judged: what judged it: a type of `pixelis.answers`, an official rule, or a judge.
        group: questions that are variants of one, such as the rotations of its options.
        commit: of the code that asked and judged it; empty when that is not known.
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
    tokens: int = 0
    pixels: int = 0
    seed: int = 0
    judged: str = ""
    group: str = ""
    commit: str = ""


_RESULT: TypeAdapter[Result] = TypeAdapter(Result)


def judge(
    question: Question, episode: Episode, wall_s: float = 0.0, grader: Grader | None = None
) -> Result:
    """The result of one episode.

    Args:
        grader: asked instead of the rule for a question that wants a judge.
    """
    answer = episode.answer
    graded = grader if question.wants_judge else None
    verdict = graded(question, answer) if graded else question.judge(answer)
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
            and (step.observation is None or step.observation.error is not None)
            for step in episode.steps
        ),
        ended=episode.ended,
        seconds=round(episode.seconds, 4),
        wall_s=round(wall_s, 4),
        episode=episode.to_dict(),
        tokens=sum(step.tokens for step in episode.steps),
        pixels=pixels_shown(episode),
        seed=episode.seed,
        judged=graded.name if graded else question.rule or question.answer_type,
        group=question.group,
        commit=running(),
    )


def pixels_shown(episode: Episode) -> int:
    """Pixels of all images the model was given; 0 when the episode does not tell its budget."""
    pixels = episode.meta.get("pixels")
    if not pixels or _area(episode.media.size) == 0:
        return 0
    budget = PixelBudget(**pixels)
    total = _area(budget.shown(episode.media.size))
    for seen in episode.observations:
        if seen.view is not None:
            total += count_images(seen) * _area(budget.shown(seen.view.size))
    return total


def _area(size: Size) -> int:
    return size.width * size.height


def read_results(path: Path) -> tuple[dict[str, Any], list[Result]]:
    """What the results in a folder (or file) depend on, and all of them.

    A folder whose own file is missing may hold one run per seed in folders `seed-N`; their results
    come one seed after another. ConfigError when there are none, DataError for a broken line.
    """
    files = [path] if path.is_file() else [path / RESULTS]
    if not files[0].is_file():
        files = sorted(path.glob(f"seed-*/{RESULTS}"))
    if not files:
        raise ConfigError(f"{path} holds no {RESULTS}; give a folder that 'pixelis eval' wrote")
    identity: dict[str, Any] = {}
    results: list[Result] = []
    for file in files:
        identity, found = _read_file(file)
        results += found
    return identity, results


def _read_file(path: Path) -> tuple[dict[str, Any], list[Result]]:
    try:
        whole = path.read_bytes()
        lines = whole[: whole.rfind(b"\n") + 1].decode("utf-8").split("\n")[:-1]
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8; these are no results") from error
    found = [_parsed(path, number, line) for number, line in enumerate(lines, start=1)]
    run = found[0].get("run") if found else None
    if not isinstance(run, dict):
        raise ConfigError(f"{path} holds no evaluation; give a file that 'pixelis eval' wrote")
    records = enumerate(found[1:], start=2)
    return run, [_validated(path, number, record) for number, record in records]


def _parsed(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise DataError(f"{path}:{number}: not JSON; choose another --out") from error


def _validated(path: Path, number: int, record: Any) -> Result:
    try:
        return _RESULT.validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "record"
        raise DataError(f"{path}:{number}: {place}: {first['msg']}") from error


def _lock(file: IO[bytes], path: Path) -> None:
    """Keeps other processes from writing this file until it is closed, a kill included."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        told = "another run is writing there; wait for it, or choose another --out"
        raise ConfigError(f"{path}: {told}") from error
    except OSError:  # a file system that knows no locks; then nobody is kept out
        return


class Store:
    """Partial results in a file: first line what they depend on, then one result per line.

    A last line that was cut off by a kill is dropped; any other broken line is a DataError. Two
    runs may not write one file at a time: the second gets a ConfigError.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path = path
        self.results: dict[str, Result] = {}
        header = {"run": dict(identity)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            self._open(header)
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not UTF-8; these are no results") from error
        except OSError as error:
            raise StoreError(f"{path}: cannot keep results ({error.strerror or error})") from error

    def _open(self, header: Mapping[str, Any]) -> None:
        try:
            _lock(self._file, self.path)
            self._file.seek(0)
            there = self._file.read()
            whole = there[: there.rfind(b"\n") + 1]
            self._read(whole.decode("utf-8").split("\n")[:-1], header)
            self._file.truncate(len(whole))
            if not whole:
                self._write(header)
        except BaseException:
            self._file.close()
            raise

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
            record = _parsed(self.path, number, line)
            if number == 1:
                self._same(record, json.loads(json.dumps(header)))
                continue
            result = _validated(self.path, number, record)
            self.results[result.id] = result

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
