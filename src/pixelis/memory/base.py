"""The database of a store: one SQLite file, opened, migrated and written with one discipline.

Write-ahead log, `synchronous=FULL` (what is committed survives a power cut), `secure_delete` (what
is deleted is overwritten), short transactions that begin with the write lock, and a busy timeout;
so that service, learner and command line can use one store at the same time.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pixelis.errors import StoreError
from pixelis.memory.schema import APPLICATION, MIGRATIONS

BUSY_S = 30.0  # longest wait for another process's transaction
FILE = "memory.db"


class Base:
    """The connection of one process; threads take turns.

    Args:
        path: of the database file; it is made when it is not there.
        busy_s: longest wait for another process, in seconds.

    Raises:
        StoreError: it cannot be opened, is no store, or was written by a newer version.
    """

    def __init__(self, path: Path, busy_s: float = BUSY_S) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._if_undone: list[Callable[[], None]] = []
        try:
            self._connection = sqlite3.connect(
                path, timeout=busy_s, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._failed(error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise self._failed(error) from error
        except StoreError:
            self._connection.close()
            raise

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that a statement gives."""
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def one(self, statement: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row, None when there is none."""
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchone()
            except sqlite3.Error as error:
                raise self._failed(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on the disk when the block is left, or none of it."""
        with self._lock:
            if self._connection.in_transaction:  # a part of the caller's transaction
                yield self._connection
                return
            self._if_undone.clear()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo()
                raise self._failed(error) from error
            except BaseException:
                self._undo()
                raise

    @property
    def within(self) -> bool:
        """Whether a transaction of this process is under way."""
        return self._connection.in_transaction

    def _undo(self) -> None:
        with suppress(sqlite3.Error):  # the first error is the one to tell
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        for call in self._if_undone:
            call()
        self._if_undone.clear()

    def if_undone(self, call: Callable[[], None]) -> None:
        """Calls it when the transaction under way is undone, by an error or a full disk."""
        if call not in self._if_undone:
            self._if_undone.append(call)

    def about(self, name: str, default: str = "") -> str:
        """A named value of the store."""
        row = self.one("SELECT value FROM about WHERE name = ?", (name,))
        return default if row is None else str(row[0])

    def set_about(self, name: str, value: str) -> None:
        with self.writing() as base:
            base.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def forget_deleted(self, patience_s: float = 20.0) -> bool:
        """Overwrites what was deleted, in free pages and in the write-ahead log.

        Gives False when another process kept reading for `patience_s`, so that its log could not
        be emptied; the deleted rows are gone from the database file all the same.
        """
        with self._lock:
            try:
                self._connection.execute("VACUUM")
                until = time.monotonic() + patience_s
                while True:
                    row = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    if row[0] == 0:
                        return True
                    if time.monotonic() > until:
                        return False
                    time.sleep(0.05)
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def damage(self) -> list[str]:
        """What SQLite's own check finds wrong; empty when the file is whole."""
        with self._lock:
            try:
                found = self._connection.execute("PRAGMA integrity_check(20)").fetchall()
                found += self._connection.execute("PRAGMA foreign_key_check").fetchall()
            except sqlite3.Error as error:
                return [str(error)]
        return [" ".join(map(str, row)) for row in found if row[0] != "ok"]

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        run = self._connection.execute
        (owner,) = run("PRAGMA application_id").fetchone()
        (tables,) = run("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if tables and owner != APPLICATION:
            raise StoreError(f"{self.path} is a database of another program; give another folder")
        run("PRAGMA journal_mode=WAL")
        for setting in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
            run(f"PRAGMA {setting}")
        self._migrate()

    def _migrate(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StoreError(
                f"{self.path} was written by a newer version (schema {version}, known are up to "
                f"{len(MIGRATIONS)}); update the package"
            )
        for number in range(version, len(MIGRATIONS)):
            with self.writing() as base:
                (now,) = base.execute("PRAGMA user_version").fetchone()
                if now > number:  # another process was faster
                    continue
                for step in MIGRATIONS[number]:
                    base.execute(step) if isinstance(step, str) else step(base)
                base.execute(f"PRAGMA application_id = {APPLICATION}")
                base.execute(f"PRAGMA user_version = {number + 1}")

    def _failed(self, error: sqlite3.Error) -> StoreError:
        if isinstance(error, sqlite3.OperationalError):
            return StoreError(f"{self.path}: {error}; what was acknowledged before is unchanged")
        return StoreError(f"{self.path}: {error}; restore a copy, or import an export")
