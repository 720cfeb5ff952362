"""Erasing for good: out of the database and its free pages, its log, media and indexes.

What was learned from an experience cannot be searched for bytes: the adapter versions trained on
it are listed, so that they can be rolled back, and so are the exports that hold it.

The rows, the line of the audit log and the versions taken back are one transaction: a crash leaves
all of them or none. What is swept up afterwards is noted in it and done when the store is opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pixelis.errors import ConfigError
from pixelis.memory.audit import Audit
from pixelis.memory.filter import Filter
from pixelis.memory.media import PART
from pixelis.memory.store import Memory


class Erased(NamedTuple):
    """What an erasure did and what it could not reach.

    Attributes:
        ids: of the experiences that are gone.
        versions: adapter versions trained on any of them, and all that descend from those.
        exports: files written by `export` that hold any of them and still exist.
        clean: False when another process kept the write-ahead log from being emptied; it is
            emptied when the store is opened next.
        retired: versions that were taken back with it.
    """

    ids: tuple[str, ...]
    versions: tuple[int, ...]
    exports: tuple[str, ...]
    clean: bool
    retired: tuple[int, ...] = ()


def erase(
    memory: Memory,
    ids: Sequence[str] = (),
    user: str | None = None,
    since: float | None = None,
    until: float | None = None,
    everything: bool = False,
    who: str = "store",
    retire: Callable[[Sequence[int]], Sequence[int]] | None = None,
) -> Erased:
    """Erases experiences by id, or all that match user and time range (seconds since 1970).

    `everything` must be said to erase without any of these. The same call may be repeated: it ends
    what a crash interrupted. Ids that are not there (any more) are not told in `ids`, but what has
    learned from them is still named. What was let go to make room, and may linger in free pages
    and indexes, goes with any call.

    Args:
        who: erases; for the audit log.
        retire: takes the versions trained on any of them back, in the same transaction, and gives
            which it did; None leaves them.
    """
    narrowed = user is not None or since is not None or until is not None
    if not ids and not narrowed and not everything:
        raise ConfigError("erase: give ids, --user, --since or --until, or --all")
    wanted = list(ids)
    if narrowed or everything:
        wanted += memory.ids(Filter(user=user, since=since, until=until))
    wanted = list(dict.fromkeys(wanted))
    with memory.writing() as base:
        known = [one for one in wanted if memory.get_seq(one) is not None]
        base.execute("UPDATE about SET value = '1' WHERE name = 'unclean'")
        # Other processes build their indexes anew, those with unlinked entries in them, too.
        base.execute("UPDATE about SET value = CAST(value AS INTEGER) + 1 WHERE name = 'epoch'")
        memory.remove(known)
        base.executemany("INSERT OR IGNORE INTO erased VALUES (?)", [(one,) for one in known])
        # The request stays, so that it is not asked again; the hash of what it asked does not.
        base.execute(
            "UPDATE requests SET content = x'' WHERE content != x''"
            " AND experience IN (SELECT experience FROM erased)"
        )
        versions = versions_of(memory, wanted)
        retired = list(retire(versions)) if retire is not None and versions else []
        Audit(memory.folder, memory.base, memory.clock).append(
            "erase", who, ids=known, versions=list(versions), retired=retired
        )
    memory.finish_erasing()
    _sweep_parts(memory.folder)
    for log in memory.folder.glob("*.log"):  # what libraries say there may quote a question
        log.write_bytes(b"")
    return Erased(
        tuple(known),
        versions,
        exports_of(memory, wanted),
        memory.base.about("unclean") == "0",
        tuple(retired),
    )


def versions_of(memory: Memory, ids: Sequence[str]) -> tuple[int, ...]:
    """Adapter versions trained on any of these, and every version that descends from one."""
    touched: set[int] = set()
    for one in ids:
        rows = memory.base.rows("SELECT version FROM lineage WHERE experience = ?", (one,))
        touched |= {int(row[0]) for row in rows}
    parents = memory.base.rows("SELECT number, parent FROM versions ORDER BY number")
    for number, parent in parents:  # a child's number is always above its parent's
        if parent in touched:
            touched.add(int(number))
    return tuple(sorted(touched))


def exports_of(memory: Memory, ids: Sequence[str]) -> tuple[str, ...]:
    """Exports holding any of these that are still where they were written."""
    found: set[str] = set()
    for one in ids:
        rows = memory.base.rows(
            "SELECT path FROM exports JOIN exported ON export = number WHERE experience = ?",
            (one,),
        )
        found |= {str(row[0]) for row in rows}
    return tuple(sorted(path for path in found if Path(path).exists()))


def _sweep_parts(folder: Path) -> None:
    """Unfinished files of processes that are no more."""
    for part in folder.glob(f"*/*/*{PART}"):
        owner = part.name.removesuffix(PART).rpartition(".")[2]
        if not (owner.isdigit() and alive(int(owner))):
            part.unlink(missing_ok=True)


def alive(process: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
