"""What older versions of the package wrote differently, brought to the form of today."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from pixelis.memory.experience import COLUMNS, SELECT, checksum, whole

if TYPE_CHECKING:
    from pixelis.memory.base import Base

_CONTENT = ("question", "answer", "canonical", "media", "episode", "provenance")


def corrections(base: sqlite3.Connection) -> int:
    """Writes what a reviewer gave as right into the experience itself; gives how many lacked it.

    Older versions kept it with the review alone, where recall and exports do not look. Call it in a
    transaction. Doing it again changes nothing more; older processes read such rows as before;
    damaged ones are left for `verify` to tell.
    """
    corrected = base.execute(
        "SELECT experience, correction FROM reviews JOIN experiences ON id = experience"
        " WHERE verdict = 'correct' AND correction != '' AND status = 'corrected'"
    ).fetchall()
    return sum(_put(base, one, right) for one, right in corrected)


def lacking(base: Base) -> bool:
    """Whether an older process that has the store open, too, has written another one since."""
    row = base.one(
        "SELECT 1 FROM reviews JOIN experiences ON id = experience WHERE verdict = 'correct'"
        " AND correction != '' AND status = 'corrected'"
        " AND instr(provenance, '\"correction\": ') = 0 LIMIT 1"
    )
    return row is not None


def _put(base: sqlite3.Connection, one: str, right: str) -> bool:
    row = base.execute(f"{SELECT} WHERE id = ?", (one,)).fetchone()
    values = dict(zip(COLUMNS, row, strict=True))
    if not whole(values):
        return False
    told = json.loads(values["provenance"])
    if told.get("correction") == right:
        return False
    told.pop("said", None)  # of another correction
    before = len(values["provenance"])
    values["provenance"] = json.dumps({**told, "correction": right}, ensure_ascii=False)
    proof = checksum(tuple(values[name] for name in _CONTENT), values["embedding"])
    grown = len(values["provenance"]) - before
    base.execute(
        "UPDATE experiences SET provenance = ?, checksum = ?, size = size + ? WHERE id = ?",
        (values["provenance"], proof, grown, one),
    )
    base.execute(
        "UPDATE about SET value = CAST(value AS INTEGER) + ? WHERE name = 'bytes'", (grown,)
    )
    return True
