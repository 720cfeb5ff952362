"""`memory.recall = "wheeler"`: experiences are found by the frame of their question.

A question becomes a probe, the probe settles among the frames of stored questions, and where it
comes to rest says what is meant: one question, several, or none. When the probe has a picture, only
questions about that picture can be meant. Questions that look alike share a frame (a *slot*).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pixelis.memory.media import alike
from pixelis.memory.recall import Neighbour, Probe, Recollection
from pixelis.memory.store import Memory
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.memory import Match, WheelerMemory, packed
from pixelis.wheeler.memory import Recall as Found

NAME = "wheeler"
SAME_PICTURE = 0.9  # share of equal bits from which two pictures are one
BATCH = 256  # questions drawn together when a store is opened
ROOM = 1 << 31  # the store decides what leaves


class Kept(NamedTuple):
    """What is known here of an experience: its position in the store and its picture."""

    seq: int
    media: str | None
    likeness: int | None


class WheelerRecall:
    """The engine. It keeps frames in this process alone; the store keeps the experiences.

    Frames are drawn when the store is first asked, and follow what other processes add and erase.

    Args:
        model: draws the frames; default: the bundled `small`.
        gist: read the settled frame as text with every recall.
    """

    name = NAME

    def __init__(
        self, memory: Memory, model: WheelerTextAutoencoder | None = None, gist: bool = True
    ) -> None:
        self._store, self._gist = memory, gist
        self.model = model or WheelerTextAutoencoder.load_from_checkpoint("small")
        self._frames = WheelerMemory(self.model, room=ROOM, clock=memory.clock)
        self._slots: dict[int, dict[str, Kept]] = {}
        self._slot_of: dict[str, int] = {}
        self._files: dict[str, set[str]] = {}
        self._hashes: tuple[list[str], np.ndarray] = ([], np.empty(0, np.uint64))
        self._last = 0
        self._stamp: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self._slot_of)

    @property
    def slots(self) -> int:
        """How many different frames there are."""
        return len(self._slots)

    def added(self, experience: object) -> None:
        """Nothing yet: the transaction may still be undone. `recall` follows the database."""

    def removed(self, ids: Sequence[str]) -> None:
        """Forgets experiences; a frame goes with the last experience of its slot."""
        for one in ids:
            slot = self._slot_of.pop(one, None)
            if slot is None:
                continue
            del self._slots[slot][one]
            if not self._slots[slot]:
                del self._slots[slot]
                self._frames.forget(slot)
        self._look_up()

    def recall(self, probe: Probe, k: int = 5) -> Recollection:
        """Up to `k` experiences, best first, with the state and what the frame reads as.

        A known question about another picture is NOVEL when the probe has a picture: its
        experiences are told, but none of them is meant.
        """
        if not probe.question.strip():
            return Recollection()
        self.follow()
        same = self.same_picture(probe)
        among = {self._slot_of[one] for one in same} or None
        found = self._frames.recall(probe.question, gist=self._gist, among=among)
        matches = [match for match in found.matches if match.id in self._slots]
        more = _told(found)
        if not matches:
            return Recollection(state="NOVEL", more=more)
        ranked = [(match, self._ranked(match.id, probe)) for match in matches]
        return Recollection(
            self._neighbours(ranked, k),
            found.state if same or not _sees(probe) else "NOVEL",
            found.margin,
            found.key,
            more,
        )

    def close(self) -> None:
        self._frames.close()

    def follow(self) -> None:
        """Draws the frames of what was stored since, and forgets what was erased, by anyone."""
        row = self._store.base.one(
            "SELECT (SELECT value FROM about WHERE name = 'epoch'),"
            " (SELECT value FROM about WHERE name = 'count'),"
            " (SELECT COALESCE(MAX(seq), 0) FROM experiences)"
        )
        stamp = tuple(int(value) for value in row or ())
        if stamp == self._stamp:
            return
        statement = (
            "SELECT seq, id, question, media, likeness FROM experiences"
            " WHERE seq > ? ORDER BY seq LIMIT ?"
        )
        while rows := self._store.base.rows(statement, (self._last, BATCH)):
            self._draw(rows)
            self._last = int(rows[-1][0])
        if len(self._slot_of) != stamp[1] or stamp[:1] != self._stamp[:1]:
            there = {row[0] for row in self._store.base.rows("SELECT id FROM experiences")}
            self.removed([one for one in self._slot_of if one not in there])
        self._look_up()
        self._stamp = stamp

    def nearest(self, question: str, probe: Probe) -> tuple[str, float]:
        """The experience with the nearest question, without settling, and its likeness; looked for
        and ordered as in `recall`. This is the arm that the dynamics are measured against."""
        self.follow()
        among = {self._slot_of[one] for one in self.same_picture(probe)} or None
        slot, likeness = self._frames.nearest(question, among)
        if slot not in self._slots:
            return "", likeness
        _, first = self._ranked(slot, probe)[0]
        return next(one for one, kept in self._slots[slot].items() if kept is first), likeness

    # how
    def _look_up(self) -> None:
        """Pictures by file and by fingerprint."""
        places = [(one, kept) for own in self._slots.values() for one, kept in own.items()]
        self._files = {}
        for one, kept in places:
            if kept.media is not None:
                self._files.setdefault(kept.media, set()).add(one)
        hashed = [(one, kept.likeness) for one, kept in places if kept.likeness is not None]
        bits = np.array([likeness for _, likeness in hashed], np.uint64)
        self._hashes = ([one for one, _ in hashed], bits)

    def _draw(self, rows: Sequence[tuple]) -> None:
        """Frames of stored questions, equal ones drawn once."""
        questions = list(dict.fromkeys(str(row[2]) for row in rows))
        drawn = self.model.frames(questions).flatten(1).cpu().numpy()
        slots = {
            question: self._frames.remember_drawn(question, frame).id
            for question, frame in zip(questions, drawn, strict=True)
        }
        for seq, one, question, media, likeness in rows:
            bits = None if likeness is None else int.from_bytes(likeness, "big")
            slot = slots[str(question)]
            self._slots.setdefault(slot, {})[one] = Kept(int(seq), media, bits)
            self._slot_of[one] = slot

    def _ranked(self, slot: int, probe: Probe) -> list[tuple[float, Kept]]:
        """A slot's experiences with the likeness of their picture: likest first, then newest."""
        known = [(picture_likeness(kept, probe), kept) for kept in self._slots[slot].values()]
        return sorted(known, key=lambda each: (-each[0], -each[1].seq))

    def _neighbours(
        self, ranked: list[tuple[Match, list[tuple[float, Kept]]]], k: int
    ) -> tuple[Neighbour, ...]:
        """The first `k` experiences; a slot's share of the pull is shared among its own."""
        chosen = [
            (kept.seq, match.likeness, match.weight / min(len(own), k))
            for match, own in ranked
            for _, kept in own[:k]
        ][:k]
        total = sum(weight for _, _, weight in chosen) or 1.0
        there = {one.seq: one for one in self._store.by_seq([seq for seq, _, _ in chosen])}
        return tuple(
            Neighbour(there[seq], likeness, weight / total)
            for seq, likeness, weight in chosen
            if seq in there
        )

    def same_picture(self, probe: Probe) -> list[str]:
        """Ids of known experiences about the probe's picture; none when it has no picture."""
        if not _sees(probe) or not self._slot_of:
            return []
        same = [one for one in self._files.get(probe.media or "", ()) if one in self._slot_of]
        if probe.likeness is not None:
            ids, bits = self._hashes
            differ = np.bitwise_count(bits ^ np.uint64(probe.likeness))
            close = np.flatnonzero(differ <= (1 - SAME_PICTURE) * 64)
            same += [ids[place] for place in close]
        return same


def _sees(probe: Probe) -> bool:
    return probe.media is not None or probe.likeness is not None


def picture_likeness(kept: Kept, probe: Probe) -> float:
    """How like the pictures are, in [0, 1]: 1 for the same file; 0 when one has none."""
    if probe.media is not None and kept.media == probe.media:
        return 1.0
    if probe.likeness is None or kept.likeness is None:
        return 0.0
    return alike(kept.likeness, probe.likeness)


def _told(found: Found) -> dict:
    """What only Wheeler can tell, as plain JSON values; the frame as bits or levels, base64."""
    levels = 2 if float(np.abs(np.abs(found.frame) - 1).max()) < 0.01 else 255
    return {
        "gist": found.gist,
        "likeness": round(found.likeness, 4),
        "support": None if found.support is None else round(found.support, 4),
        "ticks": found.ticks,
        "frame": base64.b64encode(packed(found.frame.clip(-1, 1), levels)).decode(),
        "frame_levels": levels,
        "slots": [[match.id, round(match.weight, 4)] for match in found.matches],
    }
