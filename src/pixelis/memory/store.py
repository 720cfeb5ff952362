"""The durable store of experiences: a database, a folder of media, a derived index.

    with Memory("store") as memory:
        kept = memory.add(Experience("How many cars?", "3"), media=Path("car.png").read_bytes())
        memory.search(Probe(embedding=vector, space="plain"), k=5).neighbours

What `add` gives back is on the disk: it survives the end of this process and of the machine.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast

import numpy as np

from pixelis.errors import ConfigError, StoreError
from pixelis.memory import older
from pixelis.memory.audit import Audit
from pixelis.memory.base import FILE, Base
from pixelis.memory.experience import (
    INSERT,
    SELECT,
    STATUSES,
    UPDATE,
    Experience,
    Status,
    from_row,
    to_row,
)
from pixelis.memory.filter import Filter
from pixelis.memory.index import EXACT
from pixelis.memory.media import Kept, Shelf
from pixelis.memory.priority import Room, Worth, leaving
from pixelis.memory.recall import Probe, Recall, Recollection, open_recall
from pixelis.memory.redact import redact, redact_all
from pixelis.memory.spaces import Gone, Spaces

REVISED = (
    "answer", "canonical", "confidence", "reward", "status", "version", "policy", "episode",
    "provenance",
)  # fmt: skip
SLACK = 100  # one part in so many is let go at once when the store is full


Hook = Callable[[str], str] | None
BY_STORE: Final = "by the store"


class Vote(NamedTuple):
    """One counted answer to a stored question; `source` is `greedy`, `sampled` or `memory`."""

    answer: str
    canonical: str
    confidence: float | None
    weight: float
    source: str


class Memory:
    """A store in a folder; any number of processes may have it open.

    Args:
        folder: made when it is not there, unless `must_exist`.
        room: how much it may hold; checked whenever something is added.
        recall: name of the engine that `search` asks; see `pixelis.memory.recall`.
        clock: gives seconds since 1970.
        hook: takes private things out of every text before it is stored; None keeps texts.
            `BY_STORE`: what `keep_as` said last of this store, `redact` when nothing was said.
        originals: keep media files with all that they say besides their pixels; None: likewise, no
            when nothing was said.
        exact: experiences up to which the neighbour search compares all.

    Raises:
        ConfigError: `must_exist` and there is no store; an engine that is not known.
        StoreError: it cannot be read or written, or was written by a newer version.
    """

    def __init__(
        self,
        folder: str | Path,
        room: Room | None = None,
        recall: str = "neighbours",
        clock: Callable[[], float] = time.time,
        hook: Hook | Literal["by the store"] = BY_STORE,
        originals: bool | None = None,
        must_exist: bool = False,
        exact: int = EXACT,
    ) -> None:
        self.folder = Path(folder)
        if must_exist and not (self.folder / FILE).is_file():
            raise ConfigError(f"{folder} holds no store (no {FILE}); give the folder of one")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be made ({error.strerror or error})") from error
        self.room, self.clock = room or Room(), clock
        self._hook, self._originals = hook, originals
        self.base = Base(self.folder / FILE)
        self.media = Shelf(self.folder / "media")
        self.spaces = Spaces(self.base, self.folder / "index", exact)
        self._recall: Recall | None = None
        self._recall_name = recall
        try:
            self.finish_erasing()
            self._catch_up()
            Audit(self.folder, self.base, clock).recover()
            self.engine  # noqa: B018 - an unknown name must be heard now
        except BaseException:
            self.base.close()
            raise

    @property
    def hook(self) -> Hook:
        """What takes private things out of texts; None when they are kept."""
        if self._hook == BY_STORE:
            return None if self.base.about("redact") == "no" else redact
        return cast(Hook, self._hook)

    @property
    def originals(self) -> bool:
        """Whether media files are kept with all that they say besides their pixels."""
        told = self._originals
        return self.base.about("originals") == "yes" if told is None else told

    # writing ----------------------------------------------------------------------------------
    def keep_as(self, redacted: bool, originals: bool) -> None:
        """Says how all who have this store open keep texts and media from now on, so that one
        question about one picture is the same to them; not those who were told otherwise."""
        with self.base.writing():
            self.base.set_about("redact", "yes" if redacted else "no")
            self.base.set_about("originals", "yes" if originals else "no")

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """One transaction around several calls: all of them are kept, or none."""
        return self.base.writing()

    def add(
        self,
        experience: Experience,
        media: bytes | None = None,
        votes: Sequence[Vote] = (),
    ) -> Experience:
        """Keeps an experience; when this returns outside `writing`, it is on the disk.

        Args:
            experience: its id and time are given here when it has none. Texts are redacted.
            media: bytes of its picture or video, stripped of what they say besides their pixels;
                None when it has none, or when `experience.media` names a stored one.

        Gives the experience as stored. Raises StoreError, ConfigError for an embedding of another
        length than its space has, MediaError for bytes that are no media.
        """
        kept = None if media is None else self.media.put(media, self.originals)
        one = self._ready(experience, kept)
        with self.base.writing() as base:
            self.spaces.follow()  # with the lock: nobody adds between this and what is added here
            if one.embedding is not None:
                self.spaces.check(one.space, one.embedding)
            if kept is not None:
                self._keep_media(base, kept, media or b"")
            row = to_row(one)
            size = _length(row) + (kept.bytes if kept else 0)
            seq = base.execute(INSERT, (*row, size)).lastrowid or 0
            self._count(base, 1, size)
            self._keep_votes(base, one.id, votes)
            one = replace(one, seq=seq)
            self.spaces.added(seq, one.space, one.embedding)
            self.engine.added(one)
            self._make_room(base, one.id)
        self._sweep()
        return one

    def revise(self, one: Experience, votes: Sequence[Vote] = ()) -> Experience:
        """Keeps an experience as it is given, and more votes behind those that it has.

        The question, its picture and what finds them stay as they were. Texts are redacted. Read
        and revise it in one `writing`, so that nobody's word in between is lost.

        Gives it as stored; ConfigError when there is none of its id.
        """
        with self.base.writing() as base:
            before = self.get(one.id)
            if before is None:
                raise ConfigError(f"there is no experience {one.id} to change")
            fresh = self._ready(replace(one, media=before.media), None)
            after = replace(before, **{name: getattr(fresh, name) for name in REVISED})
            row = to_row(after)
            grown = _length(row) - _length(to_row(before))
            base.execute(UPDATE, (*row, grown, one.id))
            self._count(base, 0, grown)
            self._keep_votes(base, one.id, votes)
        return after

    def set_status(self, ids: Sequence[str], status: Status) -> None:
        """Changes what is thought of experiences; unknown ids are left out."""
        if status not in STATUSES:
            raise ConfigError(f"status {status!r}; statuses are {', '.join(STATUSES)}")
        with self.base.writing() as base:
            base.executemany(
                "UPDATE experiences SET status = ? WHERE id = ?", [(status, one) for one in ids]
            )

    def reward(self, one: str, value: float) -> None:
        """Sets an experience's reward, in [-1, 1]."""
        with self.base.writing() as base:
            base.execute("UPDATE experiences SET reward = ? WHERE id = ?", (value, one))

    def pin(self, ids: Sequence[str], pinned: bool = True) -> int:
        """Keeps experiences from eviction; gives how many of the ids were known."""
        with self.base.writing() as base:
            values = [(int(pinned), one) for one in ids]
            done = base.executemany("UPDATE experiences SET pinned = ? WHERE id = ?", values)
            return done.rowcount

    def recalled(self, ids: Sequence[str], helped: bool) -> None:
        """Counts a recall of experiences, and whether it helped."""
        with self.base.writing() as base:
            base.executemany(
                "UPDATE experiences SET retrievals = retrievals + 1, successes = successes + ?"
                " WHERE id = ?",
                [(int(helped), one) for one in ids],
            )

    # reading ----------------------------------------------------------------------------------
    def __len__(self) -> int:
        return int(self.base.about("count", "0"))

    def get(self, one: str) -> Experience | None:
        """An experience by id; StoreError when it is damaged."""
        row = self.base.one(f"{SELECT} WHERE id = ?", (one,))
        return None if row is None else from_row(row)

    def get_seq(self, one: str) -> int | None:
        """Position of an experience, None when there is none of that id."""
        row = self.base.one("SELECT seq FROM experiences WHERE id = ?", (one,))
        return None if row is None else int(row[0])

    def erased(self, one: str) -> bool:
        """Whether an experience of that id was erased; one that was let go for room was not."""
        row = self.base.one("SELECT 1 FROM erased WHERE experience = ?", (one,))
        return row is not None and self.get_seq(one) is None

    def by_seq(self, seqs: Sequence[int]) -> list[Experience]:
        """Experiences by position, in the order asked; those that are gone are left out."""
        marks = ", ".join("?" * len(seqs))
        rows = self.base.rows(f"{SELECT} WHERE seq IN ({marks})", list(seqs))
        known = {row[0]: from_row(row) for row in rows}
        return [known[seq] for seq in seqs if seq in known]

    def page(
        self, which: Filter | None = None, limit: int = 50, before: int | None = None
    ) -> list[Experience]:
        """Experiences, the newest first.

        Args:
            before: only those stored before this `seq`; the last one's `seq` gives the next page.
        """
        where, values = (which or Filter()).clauses()
        if before is not None:
            where.append("seq < ?")
            values.append(before)
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        statement = f"{SELECT}{condition} ORDER BY seq DESC LIMIT ?"
        return [from_row(row) for row in self.base.rows(statement, [*values, limit])]

    def ids(self, which: Filter | None = None) -> list[str]:
        """Ids of experiences, the oldest first."""
        where, values = (which or Filter()).clauses()
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        rows = self.base.rows(f"SELECT id FROM experiences{condition} ORDER BY seq", values)
        return [row[0] for row in rows]

    def all(self, step: int = 500) -> Iterator[Experience]:
        """Every experience, the oldest first, as they are when their turn comes."""
        last = 0
        while rows := self.base.rows(f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (last, step)):
            yield from map(from_row, rows)
            last = rows[-1][0]

    def votes(self, one: str) -> list[Vote]:
        """The votes behind an experience, in the order in which they came."""
        statement = (
            "SELECT answer, canonical, confidence, weight, source FROM votes"
            " WHERE experience = ? ORDER BY number"
        )
        return [Vote(*row) for row in self.base.rows(statement, (one,))]

    def picture(self, sha256: str) -> bytes:
        """The bytes of a stored file; StoreError when it is gone or damaged."""
        return self.media.read(sha256, self._suffix(sha256))

    def picture_path(self, sha256: str) -> Path:
        """Where a stored file lies."""
        return self.media.path(sha256, self._suffix(sha256))

    def search(self, probe: Probe, k: int = 5) -> Recollection:
        """What the recall engine finds for a probe."""
        return self.engine.recall(probe, k)

    def nearest(
        self, embedding: np.ndarray, space: str, k: int = 5
    ) -> list[tuple[Experience, float]]:
        """The `k` experiences with the nearest embeddings of that space, with their cosines."""
        query = unit(embedding)
        self.spaces.check(space, query)
        index = self.spaces.get(space)
        if index is None:
            return []
        likeness = {hit.seq: hit.likeness for hit in index.search(query, k)}
        return [(one, likeness[one.seq]) for one in self.by_seq(list(likeness))]

    @property
    def engine(self) -> Recall:
        """The recall engine."""
        if self._recall is None:
            self._recall = open_recall(self._recall_name, self)
        return self._recall

    def close(self) -> None:
        """Saves the index and closes the files; nothing acknowledged depends on it."""
        if self._recall is not None:
            self._recall.close()
        self.spaces.save()
        self.base.close()

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # removing ---------------------------------------------------------------------------------
    def remove(self, ids: Sequence[str]) -> None:
        """Drops experiences, what belongs to them, and media nothing else needs.

        Their bytes stay in free pages of the files; `pixelis.memory.erase` leaves nothing.
        """
        with self.base.writing() as base:
            self.spaces.follow()
            self._drop(base, ids)
        self._sweep()

    def finish_erasing(self) -> None:
        """Ends what a crash interrupted: doomed media, pages that were to be overwritten."""
        self._sweep()
        if self.base.about("unclean") == "1":
            self.spaces.discard()  # removed entries may linger in its files
            if self.base.forget_deleted():
                self.base.set_about("unclean", "0")

    # how --------------------------------------------------------------------------------------
    def _catch_up(self) -> None:
        """Corrections that an older process wrote after this store was migrated."""
        if older.lacking(self.base):
            with self.base.writing() as base:
                older.corrections(base)

    def _ready(self, one: Experience, kept: Kept | None) -> Experience:
        one = replace(one, id=one.id or uuid.uuid4().hex[:16], born=one.born or self.clock())
        if sha256 := kept.sha256 if kept is not None else one.media:
            media = {**dict(one.episode.get("media") or {}), "sha256": sha256}
            episode = {**one.episode, "media": media} if one.episode else {}
            one = replace(one, media=sha256, episode=episode)
        if one.embedding is not None:
            if not one.space:
                raise ConfigError("an embedding needs the name of its space")
            one = replace(one, embedding=unit(one.embedding))
        else:
            one = replace(one, space="")
        if self.hook is None:
            return one
        return replace(
            one,
            question=self.hook(one.question),
            answer=self.hook(one.answer),
            canonical=self.hook(one.canonical),
            episode=redact_all(one.episode, self.hook),
            provenance=redact_all(one.provenance, self.hook),
        )

    def _keep_votes(self, base: sqlite3.Connection, one: str, votes: Sequence[Vote]) -> None:
        statement = "SELECT COUNT(*) FROM votes WHERE experience = ?"
        (first,) = base.execute(statement, (one,)).fetchone()
        base.executemany(
            "INSERT INTO votes VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(one, n, *self._redacted(vote)) for n, vote in enumerate(votes, start=first)],
        )

    def _redacted(self, vote: Vote) -> Vote:
        if self.hook is None:
            return vote
        return vote._replace(answer=self.hook(vote.answer), canonical=self.hook(vote.canonical))

    def _keep_media(self, base: sqlite3.Connection, kept: Kept, data: bytes) -> None:
        base.execute("DELETE FROM doomed WHERE sha256 = ?", (kept.sha256,))
        base.execute("INSERT OR IGNORE INTO media VALUES (?, ?, ?)", kept)
        if not self.media.path(kept.sha256, kept.suffix).exists():  # swept up in between
            self.media.put(data, self.originals)

    def _count(self, base: sqlite3.Connection, count: int, size: int) -> None:
        change = "UPDATE about SET value = CAST(value AS INTEGER) + ? WHERE name = ?"
        base.executemany(change, [(count, "count"), (size, "bytes")])

    def _make_room(self, base: sqlite3.Connection, newest: str) -> None:
        """Lets go what is worth least; never the one that is being acknowledged."""
        rows = dict(base.execute("SELECT name, value FROM about WHERE name IN ('count', 'bytes')"))
        count, size = int(rows["count"]), int(rows["bytes"])
        room = self.room
        if count <= room.count and size <= room.bytes:
            return
        slack = room.count // SLACK, room.bytes // SLACK
        target = Room(max(1, room.count - slack[0]), max(1, room.bytes - slack[1]))
        found = base.execute(
            "SELECT id, confidence, reward, born, retrievals, successes, pinned, size"
            " FROM experiences"
        )
        worths = [Worth(*row) for row in found]
        worths = [one._replace(pinned=one.pinned or one.id == newest) for one in worths]
        self._drop(base, leaving(worths, target, self.clock()))

    def _drop(self, base: sqlite3.Connection, ids: Sequence[str]) -> None:
        """Deletes rows; media files that nothing needs any more are written down as doomed."""
        if not ids:
            return
        gone: list[Gone] = []
        files: set[str] = set()
        for one in ids:
            row = base.execute(
                "SELECT seq, space, size, media FROM experiences WHERE id = ?", (one,)
            ).fetchone()
            if row is not None:
                base.execute("DELETE FROM experiences WHERE id = ?", (one,))
                self._count(base, -1, -int(row[2]))
                gone.append(Gone(row[0], row[1]))
                files.add(row[3] or "")
        for sha256 in files - {""}:
            if not base.execute("SELECT 1 FROM experiences WHERE media = ?", (sha256,)).fetchone():
                base.execute(
                    "INSERT OR IGNORE INTO doomed SELECT sha256, suffix FROM media"
                    " WHERE sha256 = ?",
                    (sha256,),
                )
                base.execute("DELETE FROM media WHERE sha256 = ?", (sha256,))
        base.execute("UPDATE about SET value = CAST(value AS INTEGER) + 1 WHERE name = 'epoch'")
        self.spaces.removed(gone)
        self.base.if_undone(self._forget_engine)
        self.engine.removed(list(ids))

    def _forget_engine(self) -> None:
        """A removal is undone, which no engine is told of: the next one asked reads all anew."""
        if self._recall is not None:
            self._recall.close()
            self._recall = None

    def _sweep(self) -> None:
        """Removes doomed files, one by one, so that a crash leaves the rest written down."""
        if self.base.within:  # it may be undone yet
            return
        for sha256, suffix in self.base.rows("SELECT sha256, suffix FROM doomed"):
            with self.base.writing() as base:
                still = base.execute("SELECT 1 FROM doomed WHERE sha256 = ?", (sha256,)).fetchone()
                if still:
                    self.media.remove(sha256, suffix)
                    base.execute("DELETE FROM doomed WHERE sha256 = ?", (sha256,))

    def _suffix(self, sha256: str) -> str:
        row = self.base.one("SELECT suffix FROM media WHERE sha256 = ?", (sha256,))
        if row is None:
            raise StoreError(f"media {sha256[:12]} is not in the store")
        return str(row[0])


def _length(row: Sequence[Any]) -> int:
    """Bytes of texts and blobs in a row, about."""
    return sum(len(part) for part in row if isinstance(part, str | bytes))


def unit(vector: Any) -> np.ndarray:
    """The vector as float32 of length 1; ConfigError when it has none or is not finite."""
    values = np.asarray(vector, np.float32).ravel()
    length = float(np.linalg.norm(values)) if values.size else 0.0
    if not np.isfinite(length) or length == 0.0:
        raise ConfigError("an embedding must be finite numbers, not all of them 0")
    return values / np.float32(length)
