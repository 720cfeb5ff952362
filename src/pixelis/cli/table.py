"""A CSV table of many answers that survives being killed: one row per media file.

Rows end in CR LF (RFC 4180) and no cell holds a CR, so the last CR LF of a file is the end of its
last whole row: what a kill left behind it is cut off, and the file of that row is looked at again.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pixelis.episode import Episode
from pixelis.errors import ConfigError, DataError, StoreError
from pixelis.trace.scene import why_not

END = b"\r\n"
RISKY = ("=", "+", "-", "@", "\t")  # a spreadsheet takes such a cell for a formula


@dataclass(frozen=True)
class Row:
    """What is kept of one file.

    Attributes:
        file: as found; what cannot be written as UTF-8 stands there as an escape.
        confidence: in [0, 1]; empty when the model tells none.
        known: `yes`, or `no` when the model says it cannot know; empty without an answer.
        evidence: handles, separated by a space.
        ended: why the episode ended; empty when there was none.
        trace: path of the page that shows what was done; empty without `--traces`.
        error: why there is no answer; empty when there is one.
        options: those that may change what the model answers (`dialect=deepeyes`), as far as given.
        settings: question, model, options, seed and most steps; the same in every row of a table.
    """

    file: str
    answer: str = ""
    confidence: str = ""
    known: str = ""
    evidence: str = ""
    ended: str = ""
    steps: str = ""
    seconds: str = ""
    trace: str = ""
    error: str = ""
    question: str = ""
    model: str = ""
    options: str = ""
    seed: str = ""
    max_steps: str = ""


NAMES = tuple(field.name for field in fields(Row))
SETTINGS = ("question", "model", "options", "seed", "max_steps")


def row_of(file: str, settings: Mapping[str, str], episode: Episode, trace: str = "") -> Row:
    """The row of an episode that was played."""
    answer = episode.answer
    error = "" if answer else why_not(episode)
    sure = answer.confidence if answer else None
    return Row(
        file,
        answer.text if answer else "",
        "" if sure is None else f"{sure:.4f}",
        "" if answer is None else "yes" if answer.known else "no",
        " ".join(answer.evidence) if answer else "",
        episode.ended,
        str(len(episode.steps)),
        f"{episode.seconds:.3f}",
        trace,
        error,
        **settings,
    )


def written(text: str) -> str:
    """The text as a cell of the file gives it back: valid UTF-8, no CR."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Table:
    """The rows of a file, to go on with. One process at a time; close it, or use `with`.

    Args:
        path: a CSV file that this class wrote, or one to be made.
        settings: what every row must have been made with; ConfigError otherwise.
        retry: drop rows with an error, so that their files are looked at again.

    Raises:
        DataError: the file is no such table.
        ConfigError: another process writes it, or its rows have other settings.
        StoreError: it cannot be read or written.
    """

    def __init__(self, path: Path, settings: Mapping[str, str], retry: bool = False) -> None:
        self.path = path
        self.settings = {name: written(value) for name, value in settings.items()}
        self.rows: dict[str, Row] = {}
        self._lock = FileLock(path.parent / f".{path.name}.lock", timeout=0)
        try:
            # Where no file can be made the lock would say that another run has it.
            tempfile.TemporaryFile(dir=path.parent).close()
            self._lock.acquire()
        except Timeout as error:
            raise ConfigError(f"{path} is being written by another run; wait for it") from error
        except OSError as error:
            raise self._refused(error) from error
        try:
            self._open(retry)
        except BaseException:
            self._lock.release()
            raise

    def add(self, row: Row) -> None:
        """Keeps a row; it survives the end of this process once this returns."""
        if row.file in self.rows:
            raise StoreError(f"{self.path}: {row.file} has a row already")
        try:
            self._append([asdict(row)[name] for name in NAMES])
        except OSError as error:
            raise self._refused(error) from error
        self.rows[row.file] = row

    def close(self) -> None:
        self._file.close()
        self._lock.release()

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _open(self, retry: bool) -> None:
        try:
            there = self.path.read_bytes() if self.path.exists() else b""
            whole = there[: there.rfind(END) + len(END)] if END in there else b""
            if there and not whole and not _encoded([NAMES]).startswith(there):
                raise DataError(f"{self.path} holds no answers of this command; choose another")
            self._read(whole)
            if retry and any(row.error for row in self.rows.values()):
                whole = self._without_errors()
            self._file = self.path.open("r+b" if self.path.exists() else "wb")
            self._file.truncate(len(whole))
            self._file.seek(len(whole))
            if not whole:
                self._append(NAMES)
        except OSError as error:
            raise self._refused(error) from error

    def _read(self, whole: bytes) -> None:
        try:
            lines = list(csv.reader(io.StringIO(whole.decode("utf-8"), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{self.path}: not a CSV table ({error}); choose another") from error
        if not lines:
            return
        if tuple(lines[0]) != NAMES:
            raise DataError(f"{self.path} holds no answers of this command; choose another")
        for number, cells in enumerate(lines[1:], start=2):
            if len(cells) != len(NAMES):
                raise DataError(f"{self.path}, row {number}: {len(cells)} cells, not {len(NAMES)}")
            row = Row(*map(_bare, cells))
            self._same(row)
            self.rows[row.file] = row

    def _same(self, row: Row) -> None:
        for name in SETTINGS:
            there, wanted = getattr(row, name), self.settings[name]
            if there != wanted:
                raise ConfigError(
                    f"{self.path} was made with {name} {there!r}, not {wanted!r}; "
                    "choose another --out"
                )

    def _without_errors(self) -> bytes:
        """Writes the table anew, beside the old one and then in its place."""
        self.rows = {name: row for name, row in self.rows.items() if not row.error}
        kept = _encoded([NAMES, *(list(asdict(row).values()) for row in self.rows.values())])
        beside = self.path.with_name(f".{self.path.name}.part")
        beside.write_bytes(kept)
        os.replace(beside, self.path)
        return kept

    def _append(self, cells: Iterable[str]) -> None:
        self._file.write(_encoded([tuple(cells)]))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _refused(self, error: OSError) -> StoreError:
        return StoreError(f"{self.path}: cannot keep answers ({error.strerror or error})")


def _encoded(lines: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(map(_guarded, line) for line in lines)
    return text.getvalue().encode("utf-8")


def _guarded(cell: str) -> str:
    """A cell that no spreadsheet runs: what looks like a formula gets an apostrophe in front."""
    cell = written(cell)
    return f"'{cell}" if cell.lstrip("'").startswith(RISKY) and not _number(cell) else cell


def _bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(RISKY) else cell


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
