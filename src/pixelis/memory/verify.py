"""Is a store whole? Every row, every file, every counter; what is derived is simply made anew."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelis.memory.erase import alive
from pixelis.memory.experience import COLUMNS, SELECT, checksum, whole
from pixelis.memory.media import PART
from pixelis.memory.store import Memory


@dataclass
class Report:
    """What was found.

    Attributes:
        experiences, media: how many were looked at.
        damage: what was lost or changed, one line each.
        repaired: what was set right, one line each; leftovers and indexes are no damage.
    """

    experiences: int = 0
    media: int = 0
    damage: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.damage


def verify(memory: Memory, repair: bool = False) -> Report:
    """Checks everything.

    Indexes, counters and leftover files are always set right: they are derived, or belong to
    nothing. With `repair` damaged experiences are removed and experiences lose media that are
    damaged or gone; what stays afterwards is whole. It is still reported as damage.
    """
    report = Report()
    report.damage += [f"database: {line}" for line in memory.base.damage()]
    _rows(memory, report, repair)
    _files(memory, report, repair)
    _leftovers(memory, report)
    _counters(memory, report)
    if memory.spaces.stale():
        memory.spaces.rebuild_all()
        report.repaired.append("index: made anew from the database")
    return report


def _rows(memory: Memory, report: Report, repair: bool) -> None:
    bad: list[str] = []
    last = 0
    while rows := memory.base.rows(f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT 500", (last,)):
        last = rows[-1][0]
        for row in rows:
            report.experiences += 1
            values = dict(zip(COLUMNS, row, strict=True))
            if not whole(values):
                bad.append(values["id"])
    report.damage += [f"experience {one}: its content is not what was written" for one in bad]
    if repair and bad:
        memory.remove(bad)
        report.repaired.append(f"removed {len(bad)} damaged experiences")


def _files(memory: Memory, report: Report, repair: bool) -> None:
    for sha256, suffix in memory.base.rows("SELECT sha256, suffix FROM media ORDER BY sha256"):
        report.media += 1
        path = memory.media.path(sha256, suffix)
        found = _state(path, sha256)
        if not found:
            continue
        report.damage.append(f"media {sha256[:12]}: the file {found}")
        if repair:
            _unlink_media(memory, sha256)
            path.unlink(missing_ok=True)
            report.repaired.append(f"media {sha256[:12]}: taken out of its experiences")


def _state(path: Path, sha256: str) -> str:
    """What is wrong with a file, empty when nothing is."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "is gone"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if digest == sha256 else "is damaged"


def _unlink_media(memory: Memory, sha256: str) -> None:
    with memory.writing() as base:
        for row in base.execute(f"{SELECT} WHERE media = ?", (sha256,)).fetchall():
            values: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
            names = ("question", "answer", "canonical", "media", "episode", "provenance")
            content = tuple(None if name == "media" else values[name] for name in names)
            base.execute(
                "UPDATE experiences SET media = NULL, checksum = ? WHERE id = ?",
                (checksum(content, values["embedding"]), values["id"]),
            )
        base.execute("DELETE FROM media WHERE sha256 = ?", (sha256,))


def _leftovers(memory: Memory, report: Report) -> None:
    """Files of writes that were never acknowledged; files a running process writes stay."""
    known = {row[0] for row in memory.base.rows("SELECT sha256 FROM media")}
    gone = 0
    for path in memory.media.files():
        if path.name.endswith(PART):
            owner = path.name.removesuffix(PART).rpartition(".")[2]
            if owner.isdigit() and alive(int(owner)):
                continue
        elif path.stem in known or _young(path, memory):
            continue
        path.unlink(missing_ok=True)
        gone += 1
    if gone:
        report.repaired.append(f"media: {gone} files that belong to nothing removed")


def _young(path: Path, memory: Memory) -> bool:
    """A file that a running service may just be about to acknowledge."""
    try:
        return abs(memory.clock() - path.stat().st_mtime) < 60.0
    except FileNotFoundError:
        return True


def _counters(memory: Memory, report: Report) -> None:
    with memory.writing() as base:
        count, size = base.execute(
            "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM experiences"
        ).fetchone()
        told = dict(base.execute("SELECT name, value FROM about WHERE name IN ('count', 'bytes')"))
        if (int(told["count"]), int(told["bytes"])) == (count, size):
            return
        base.executemany(
            "UPDATE about SET value = ? WHERE name = ?", [(count, "count"), (size, "bytes")]
        )
    report.repaired.append("counters: counted again")
