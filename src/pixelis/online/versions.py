"""Adapter versions: numbered folders of LoRA weights, and one pointer to the promoted one.

A folder is written beside its place, flushed and renamed before the database knows of it; the
pointer is one row. So a version is there whole or not at all, and a promotion happened or did not.
Version 0 is the model without adapters.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from pixelis.errors import ConfigError, StoreError
from pixelis.memory import Memory
from pixelis.memory.audit import Audit
from pixelis.memory.erase import alive
from pixelis.memory.media import flush_folder

State = Literal["candidate", "promoted", "retired", "rolled-back"]
WEIGHTS = "adapter_model.safetensors"


class Version(NamedTuple):
    """One version.

    Attributes:
        parent: the version it was trained from.
        state: `candidate`, `promoted`, `retired` (another one is promoted now) or `rolled-back`.
        sha256: over the names and contents of its files; empty for version 0.
        reason: why it has its state.
        figures: what was measured, plain JSON values.
    """

    number: int
    parent: int
    state: str
    sha256: str
    born: float
    reason: str
    figures: dict[str, Any]


class Versions:
    """The versions of a store. Every change is one transaction and one line of the audit log."""

    def __init__(self, memory: Memory, who: str = "cli") -> None:
        self.memory, self.base, self.who = memory, memory.base, who
        self.folder = memory.folder / "versions"
        self.audit = Audit(memory.folder, memory.base, memory.clock)

    @property
    def promoted(self) -> int:
        """The version that answers; 0 is the model without adapters."""
        return int(self.base.about("promoted", "0"))

    def path(self, number: int) -> Path:
        """Folder of a version: a `--model hf:FOLDER` of its own."""
        return self.folder / f"{number:04d}"

    def get(self, number: int) -> Version:
        """A version; ConfigError when there is none of that number."""
        row = self.base.one(
            "SELECT number, parent, state, sha256, born, reason, figures FROM versions"
            " WHERE number = ?",
            (number,),
        )
        if row is None:
            raise ConfigError(f"there is no version {number}; see: pixelis versions list")
        return Version(*row)._replace(figures=json.loads(row[6]))

    def all(self) -> list[Version]:
        """Every version, the oldest first."""
        rows = self.base.rows("SELECT number FROM versions ORDER BY number")
        return [self.get(int(row[0])) for row in rows]

    def lineage(self, number: int) -> list[str]:
        """Ids of the experiences a version was trained on, those of its ancestors not included."""
        rows = self.base.rows(
            "SELECT experience FROM lineage WHERE version = ? ORDER BY experience", (number,)
        )
        return [str(row[0]) for row in rows]

    def add(
        self,
        write: Callable[[Path], None],
        parent: int,
        experiences: Sequence[str],
        figures: Mapping[str, Any] | None = None,
    ) -> Version:
        """A new candidate; `write` puts its files into the folder it is given."""
        self.sweep()
        row = self.base.one("SELECT COALESCE(MAX(number), 0) FROM versions") or (0,)
        number = int(row[0]) + 1
        part = self.folder / f"{number:04d}.{os.getpid()}.part"
        try:
            part.mkdir(parents=True)
            write(part)
            for file in part.iterdir():
                with file.open("rb") as handle:
                    os.fsync(handle.fileno())
            flush_folder(part)
            shutil.rmtree(self.path(number), ignore_errors=True)  # of a crash before its row
            os.replace(part, self.path(number))
            flush_folder(self.folder)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise StoreError(f"version {number} cannot be written ({error})") from error
        sha256 = digest(self.path(number))
        with self.base.writing() as base:
            base.execute(
                "INSERT INTO versions VALUES (?, ?, 'candidate', ?, ?, 'trained', ?)",
                (number, parent, sha256, self.memory.clock(), json.dumps(dict(figures or {}))),
            )
            base.executemany(
                "INSERT INTO lineage VALUES (?, ?)", [(number, one) for one in set(experiences)]
            )
            self._tell("candidate", number, parent=parent, experiences=len(set(experiences)))
        return self.get(number)

    def promote(self, number: int, reason: str, figures: Mapping[str, Any] | None = None) -> None:
        """Makes a version the one that answers; ConfigError for one that is damaged."""
        self._check(number)
        with self.base.writing() as base:
            base.execute("UPDATE versions SET state = 'retired' WHERE state = 'promoted'")
            base.execute(
                "UPDATE versions SET state = 'promoted', reason = ? WHERE number = ?",
                (reason, number),
            )
            base.execute("UPDATE about SET value = ? WHERE name = 'promoted'", (str(number),))
            self._note(number, figures)
            self._tell("promote", number, reason=reason)

    def roll_back(self, number: int, reason: str, figures: Mapping[str, Any] | None = None) -> int:
        """Takes a version, and all that descend from it, out of use; gives who answers now.

        The experiences it was trained on are quarantined: nothing learns from them again.
        """
        self.get(number)
        gone = {number}
        for one in self.all():
            if one.parent in gone:
                gone.add(one.number)
        with self.base.writing() as base:
            for each in sorted(gone):
                base.execute(
                    "UPDATE versions SET state = 'rolled-back', reason = ? WHERE number = ?",
                    (reason, each),
                )
                self._quarantine(each, reason)
            self._note(number, figures)
            after = self.promoted
            if after in gone:
                after = self._ancestor(number, gone)
                base.execute("UPDATE about SET value = ? WHERE name = 'promoted'", (str(after),))
                base.execute("UPDATE versions SET state = 'promoted' WHERE number = ?", (after,))
            self._tell("rollback", number, reason=reason, also=sorted(gone - {number}), now=after)
        return after

    def set_aside(self, number: int, reason: str, figures: Mapping[str, Any]) -> None:
        """Takes a candidate out of the running; nothing is held against what it learned from."""
        with self.base.writing() as base:
            base.execute(
                "UPDATE versions SET state = 'retired', reason = ? WHERE number = ?",
                (reason, number),
            )
            self._note(number, figures)
            self._tell("set-aside", number, reason=reason)

    def erased(self, number: int) -> list[str]:
        """Experiences a version was trained on that were erased since; evicted ones are not."""
        rows = self.base.rows(
            "SELECT experience FROM lineage WHERE version = ? AND experience IN"
            " (SELECT experience FROM erased EXCEPT SELECT id FROM experiences)",
            (number,),
        )
        return [str(row[0]) for row in rows]

    def retire(self, numbers: Sequence[int]) -> list[int]:
        """Rolls back every one of these that is not rolled back yet; gives which were."""
        done = []
        for number in sorted(numbers):
            row = self.base.one("SELECT state FROM versions WHERE number = ?", (number,))
            if row is not None and row[0] != "rolled-back":
                self.roll_back(number, "an experience it learned from was erased")
                done.append(number)
        return done

    def verify(self) -> list[str]:
        """What is wrong with the folders, one line each; empty when nothing is."""
        found = []
        for one in self.all():
            if not self.path(one.number).is_dir():
                found.append(f"version {one.number}: its folder is gone")
            elif digest(self.path(one.number)) != one.sha256:
                found.append(f"version {one.number}: its files are not what was written")
        return found

    def diff(self, first: int, second: int) -> dict[str, float]:
        """Norm of the difference of each weight of two versions, and of all; 0 is all zeros."""
        a, b = self._weights(first), self._weights(second)
        changes = {}
        for name in sorted(a.keys() | b.keys()):
            one, other = a.get(name), b.get(name)
            zeros = np.zeros_like(one if one is not None else other)
            one, other = (zeros if value is None else value for value in (one, other))
            changes[name] = float(np.linalg.norm(one.astype(float) - other.astype(float)))
        changes["all"] = float(np.sqrt(sum(value**2 for value in changes.values())))
        return changes

    def sweep(self) -> None:
        """Removes unfinished folders of processes that are no more."""
        for part in self.folder.glob("*.part"):
            owner = part.name.split(".")[-2]
            if not (owner.isdigit() and alive(int(owner))):
                shutil.rmtree(part, ignore_errors=True)

    def _weights(self, number: int) -> dict[str, np.ndarray]:
        if number == 0:
            return {}
        from safetensors.numpy import load_file

        self._check(number)
        return load_file(self.path(number) / WEIGHTS)

    def _check(self, number: int) -> None:
        one = self.get(number)
        if digest(self.path(number)) != one.sha256:
            raise ConfigError(f"version {number} is damaged or gone; roll it back")

    def _ancestor(self, number: int, gone: set[int]) -> int:
        """The nearest ancestor that may answer."""
        parent = self.get(number).parent
        while parent > 0 and (parent in gone or self.get(parent).state == "rolled-back"):
            parent = self.get(parent).parent
        return parent

    def _quarantine(self, number: int, reason: str) -> None:
        with self.base.writing() as base:
            ids = self.lineage(number)
            base.executemany(
                "INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?)",
                [(one, number, reason) for one in ids],
            )
            base.executemany(
                "UPDATE experiences SET status = 'quarantined' WHERE id = ?"
                " AND status NOT IN ('confirmed', 'corrected', 'rejected')",
                [(one,) for one in ids],
            )
            # What a person has said of it since waits on: it is not what was learned.
            base.executemany(
                "DELETE FROM queue WHERE experience = ? AND source = 'vote'",
                [(one,) for one in ids],
            )

    def _note(self, number: int, figures: Mapping[str, Any] | None) -> None:
        if figures:
            merged = json.dumps({**self.get(number).figures, **figures})
            with self.base.writing() as base:
                base.execute("UPDATE versions SET figures = ? WHERE number = ?", (merged, number))

    def _tell(self, event: str, number: int, **facts: Any) -> None:
        self.audit.append(event, self.who, version=number, **facts)


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's files; empty when it is not there."""
    if not folder.is_dir():
        return ""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            inner = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.name} {inner}\n".encode())
    return whole.hexdigest()
