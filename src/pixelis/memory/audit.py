"""The audit log: who did what to a store, each line carrying the hash of the one before it.

    {"seq": 7, "at": 1767225600.0, "event": "promote", "who": "learner", "facts": {...},
     "previous": "9f2c...", "hash": "41d0..."}

`hash` is the SHA-256 of the line without it. Files are rotated by size and the chain goes on across
them. The database keeps the newest line's number and hash, so that cutting lines off the end is
seen, too. Nothing of a question, an answer or a picture is ever written here: it cannot be erased.

A line belongs to the transaction it is appended in. When that is undone, by an error or a crash,
the line stays in its file, since nothing is ever taken out, but the database does not know it: the
next line says `undone` and which ones. It is written when the store is opened next, or before the
next line of a process that has it open.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pixelis.errors import StoreError
from pixelis.memory.base import Base
from pixelis.memory.media import flush_folder

FOLDER = "audit"
MOST_BYTES = 16 * 2**20
TAIL_BYTES = 2**16  # of a file, where its newest line nearly always is whole
START = "0" * 64


class Entry(NamedTuple):
    """One line; `at` is in seconds since 1970."""

    seq: int
    at: float
    event: str
    who: str
    facts: dict[str, Any]
    previous: str
    hash: str


class Checked(NamedTuple):
    """A verified log: lines, the newest hash, and what is wrong (empty when nothing is)."""

    entries: int
    head: str
    damage: tuple[str, ...]


class Audit:
    """The log of a store; any number of processes may append.

    Args:
        most_bytes: size from which a new file is begun.
    """

    def __init__(
        self, folder: Path, base: Base, clock: Callable[[], float], most_bytes: int = MOST_BYTES
    ) -> None:
        self.folder = folder / FOLDER
        self.base, self.clock, self.most_bytes = base, clock, most_bytes

    def append(self, event: str, who: str, **facts: Any) -> Entry:
        """Adds a line; it is on the disk when this returns. `facts` are plain JSON values.

        The database's write lock is taken first, here as in every transaction around this call, so
        that appending processes wait for each other and never for one that waits for them.

        Raises StoreError when it cannot be written.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            with self.base.writing():
                return self._put(self._undone(), event, who, facts)
        except OSError as error:
            raise self._failed(error) from error

    def recover(self) -> None:
        """Says `undone` of lines whose transaction a crash undid; call it when a store is opened.

        Lines of a transaction that another process has open are waited for, not undone.

        Raises StoreError when it cannot be read or written.
        """
        try:
            newest = self._newest()
            if newest is not None and newest.seq > self._told()[0]:
                with self.base.writing():
                    self._undone()
        except OSError as error:
            raise self._failed(error) from error

    def _undone(self) -> Entry | None:
        """The newest line, once what was undone is told of; call it in a transaction."""
        last, told = self._last(), self._told()[0]
        if last is not None and last.seq > told:
            return self._put(last, "undone", "store", {"first": told + 1, "last": last.seq})
        return last

    def _failed(self, error: OSError) -> StoreError:
        if isinstance(error, StoreError):
            return error
        return StoreError(f"{self.folder} cannot be written ({error.strerror})")

    def _put(self, last: Entry | None, event: str, who: str, facts: dict[str, Any]) -> Entry:
        seq, previous = (last.seq + 1, last.hash) if last else (1, START)
        fields = (seq, self.clock(), event, who, facts, previous)
        entry = Entry(*fields, digest(*fields))
        self._write(self._file(), json.dumps(entry._asdict(), ensure_ascii=False))
        self.base.set_about("audit", f"{entry.seq} {entry.hash}")
        return entry

    def _told(self) -> tuple[int, str]:
        """Number and hash of the newest line that the database knows."""
        number, _, hashed = self.base.about("audit", "0 ").partition(" ")
        return int(number), hashed

    def entries(self) -> Iterator[Entry]:
        """Every whole line, the oldest first; StoreError at one that cannot be read."""
        for path in self.files():
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]  # what follows was never acknowledged
            for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
                yield _read(path, number, line)

    def tail(self, count: int) -> list[Entry]:
        """The newest lines, the oldest of them first."""
        found: list[Entry] = []
        for path in reversed(self.files()):
            if len(found) >= count:
                break
            data = path.read_bytes()
            lines = data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]
            found = [_read(path, 0, line) for line in lines[-(count - len(found)) :]] + found
        return found

    def verify(self) -> Checked:
        """Recomputes every hash and follows the chain through all files."""
        previous, seq, damage = START, 0, []
        told, told_hash = self._told()
        seen = {0: ""}
        try:
            for entry in self.entries():
                if entry.seq != seq + 1:
                    damage.append(f"line {entry.seq} comes after line {seq}")
                if entry.previous != previous:
                    damage.append(f"line {entry.seq} does not follow the line before it")
                if digest(*entry[:6]) != entry.hash:
                    damage.append(f"line {entry.seq} was changed")
                seq, previous = entry.seq, entry.hash
                if seq == told:
                    seen[seq] = entry.hash
        except StoreError as error:
            damage.append(str(error))
        if told > 0 and seen.get(told) != told_hash:
            damage.append(f"line {told}, which was written, is not there as it was")
        return Checked(seq, previous, tuple(damage))

    def files(self) -> list[Path]:
        """The files of the log, the oldest first."""
        return sorted(self.folder.glob("audit-*.jsonl")) if self.folder.is_dir() else []

    def _file(self) -> Path:
        """The file to append to."""
        files = self.files()
        if files and files[-1].stat().st_size < self.most_bytes:
            return files[-1]
        newest = int(files[-1].stem.rpartition("-")[2]) if files else 0
        return self.folder / f"audit-{newest + 1:06d}.jsonl"

    def _last(self) -> Entry | None:
        """The newest line; what a crash left unfinished behind it is cut off first."""
        for path in reversed(self.files()):
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) != len(data):
                with path.open("r+b") as file:
                    file.truncate(len(whole))
                    os.fsync(file.fileno())
            if whole:
                return _read(path, 0, whole.rstrip(b"\n").rpartition(b"\n")[2])
        return None

    def _newest(self) -> Entry | None:
        """The newest whole line, read without the lock; None when there is none that is whole."""
        for path in reversed(self.files()):
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - TAIL_BYTES))
                data = file.read()
                if data.count(b"\n") < 2:  # a line that is longer than that
                    file.seek(0)
                    data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            if whole:
                with suppress(StoreError):  # a damaged one is for `verify` to tell
                    return _read(path, 0, whole.rstrip(b"\n").rpartition(b"\n")[2])
                return None
        return None

    def _write(self, path: Path, line: str) -> None:
        fresh = not path.exists()
        with path.open("ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            flush_folder(self.folder)


def digest(seq: int, at: float, event: str, who: str, facts: dict[str, Any], previous: str) -> str:
    """SHA-256 of a line's content."""
    text = json.dumps([seq, at, event, who, facts, previous], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path, number: int, line: bytes) -> Entry:
    try:
        entry = Entry(**json.loads(line))
        if not isinstance(entry.seq, int):
            raise ValueError(f"seq is {entry.seq!r}, no number")
        return entry
    except (ValueError, TypeError) as error:
        place = f"{path.name}:{number}" if number else f"{path.name}, last line"
        raise StoreError(f"audit log {place} cannot be read ({error})") from error
