"""Memories on disk: one SQLite file, frames as bytes, nothing left of what was forgotten."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pixelis.errors import ConfigError, StoreError
from pixelis.wheeler.tokens import sound
from pixelis.wheeler.words import said

APPLICATION = 0x57484C52  # marks the file as ours
MIGRATIONS = (
    """
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE memories (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        text TEXT NOT NULL,
        frame BLOB NOT NULL,
        hits INTEGER NOT NULL DEFAULT 0,
        born REAL NOT NULL,
        touched REAL NOT NULL,
        note TEXT NOT NULL DEFAULT 'null'
    );
    """,
    """
    ALTER TABLE memories ADD COLUMN said INTEGER;
    CREATE INDEX by_words ON memories (said);
    """,
)


class Row(NamedTuple):
    """One memory as stored; times are seconds since 1970, `note` is any JSON value."""

    id: int
    text: str
    frame: bytes
    hits: int
    born: float
    touched: float
    note: Any


class Store:
    """Memories in a file, or in this process alone when `path` is None.

    StoreError when the file cannot be used or belongs to another model.
    """

    def __init__(self, path: str | Path | None, model: str) -> None:
        self.path = ":memory:" if path is None else str(path)
        try:
            self._base = sqlite3.connect(self.path, check_same_thread=False)
            self._ours()
            self._base.execute("PRAGMA secure_delete=ON")
            if path is not None:
                self._base.execute("PRAGMA journal_mode=WAL")
                self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what a crash left there
            self._migrate()
            self._belongs(model)
            self._say()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be used as a memory: {error}") from error

    def add(self, text: str, frame: bytes, now: float, note: Any = None) -> int:
        """Keeps a memory; gives its id."""
        values = (sound(text), frame, now, now, _written(note), said(text))
        return int(
            self._write(
                "INSERT INTO memories (text, frame, born, touched, note, said)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
        )

    def same(self, text: str) -> list[int]:
        """Ids of memories with the same words in the same order, the oldest first."""
        try:
            found = self._base.execute(
                "SELECT id FROM memories WHERE said = ? ORDER BY id", (said(text),)
            )
            return [int(number) for (number,) in found]
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error

    def add_all(self, rows: Sequence[tuple[str, bytes, Any]], now: float) -> list[int]:
        """Keeps many memories at once; gives their ids."""
        first = self._next_id()
        values = [
            (first + k, sound(text), frame, now, now, _written(note), said(text))
            for k, (text, frame, note) in enumerate(rows)
        ]
        try:
            with self._base:
                self._base.executemany(
                    "INSERT INTO memories (id, text, frame, born, touched, note, said)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    values,
                )
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error
        return [value[0] for value in values]

    def hit(self, number: int, now: float) -> None:
        """Counts one more use."""
        self._write("UPDATE memories SET hits = hits + 1, touched = ? WHERE id = ?", (now, number))

    def remove(self, numbers: Sequence[int]) -> None:
        """Drops memories; their rows are overwritten, but the log may still hold them."""
        try:
            with self._base:
                self._base.executemany(
                    "DELETE FROM memories WHERE id = ?", [(number,) for number in numbers]
                )
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error

    def wipe(self, patience_s: float = 5.0) -> bool:
        """Overwrites what was dropped, in free pages and in the log; False when another process
        kept reading for `patience_s`, so that the log could not be emptied."""
        until = time.monotonic() + patience_s
        try:
            self._base.execute("VACUUM")
            while self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > until:
                    return False
                time.sleep(0.05)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error
        return True

    def rows(self, numbers: Sequence[int] | None = None) -> Iterator[Row]:
        """Memories by id, or all of them in order of id."""
        if numbers is None:
            yield from self._read(f"SELECT {_COLUMNS} FROM memories ORDER BY id")
            return
        for number in numbers:
            yield from self._read(f"SELECT {_COLUMNS} FROM memories WHERE id = ?", (number,))

    def close(self) -> None:
        self._base.close()

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[Row]:
        try:
            for found in self._base.execute(statement, values):
                yield self._row(found)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error

    def _row(self, values: tuple[Any, ...]) -> Row:
        number, text, frame, hits, born, touched, note = values
        try:
            if not isinstance(text, str) or not isinstance(frame, bytes):
                raise ValueError("no text or no frame")
            return Row(number, text, frame, hits, born, touched, json.loads(note))
        except (ValueError, TypeError) as error:
            raise StoreError(f"{self.path}: memory {number} is damaged ({error})") from error

    def _next_id(self) -> int:
        (last,) = self._base.execute("SELECT COALESCE(MAX(id), 0) FROM memories").fetchone()
        (used,) = self._base.execute(
            "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'memories'"
        ).fetchone()
        return max(last, used) + 1

    def _write(self, statement: str, values: tuple[Any, ...]) -> int:
        try:
            with self._base:
                return self._base.execute(statement, values).lastrowid or 0
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error

    def _migrate(self) -> None:
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StoreError(f"{self.path} was written by a newer version; update the package")
        for number in range(version, len(MIGRATIONS)):  # each whole or not at all
            self._base.executescript(
                f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1};"
                f"PRAGMA application_id = {APPLICATION}; COMMIT;"
            )

    def _say(self) -> None:
        """The words of what an older version kept."""
        lacking = "SELECT id, text FROM memories WHERE said IS NULL AND typeof(text) = 'text'"
        found = [(said(text), number) for number, text in self._base.execute(lacking).fetchall()]
        if found:
            with self._base:
                self._base.executemany("UPDATE memories SET said = ? WHERE id = ?", found)

    def _ours(self) -> None:
        """Another program's database is not touched."""
        (owner,) = self._base.execute("PRAGMA application_id").fetchone()
        (tables,) = self._base.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if tables and owner != APPLICATION:
            raise StoreError(f"{self.path} is a database of another program; give another file")

    def _belongs(self, model: str) -> None:
        """Frames mean nothing to another model, so the file remembers whose they are."""
        found = self._base.execute("SELECT value FROM about WHERE name = 'model'").fetchone()
        if found is None:
            self._write("INSERT INTO about VALUES ('model', ?)", (model,))
        elif found[0] != model:
            raise StoreError(
                f"{self.path} holds frames of another model ({found[0][:12]}, not {model[:12]}); "
                "use that model or another file"
            )


_COLUMNS = "id, text, frame, hits, born, touched, note"


def _written(note: Any) -> str:
    try:
        return json.dumps(note)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"a note is any JSON value; {error}") from error
