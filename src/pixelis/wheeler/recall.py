"""`memory.recall = "wheeler"`: experiences are found by the frame of their question.

A question becomes a probe, the probe settles among the frames of all stored questions, and where it
comes to rest says what is meant: one question, several, or none. Questions that look alike share a
frame (a *slot*); which of a slot's experiences is meant, the picture decides.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from pixelis.memory.media import alike
from pixelis.memory.recall import Neighbour, Probe, RecallState, Recollection
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

    def recall(self, probe: Probe, k: int = 5) -> Recollection:
        """Up to `k` experiences, best first, with the state and what the frame reads as.

        A known question about another picture is NOVEL when the probe has a picture: its
        experiences are told, but none of them is meant.
        """
        if not probe.question.strip():
            return Recollection()
        self.follow()
        found = self._frames.recall(probe.question, gist=self._gist)
        matches = [match for match in found.matches if match.id in self._slots]
        more = _told(found)
        if not matches:
            return Recollection(state="NOVEL", more=more)
        ranked = [(match, self._ranked(match.id, probe)) for match in matches]
        return Recollection(
            self._neighbours(ranked, k),
            self._state(found.state, ranked[0][1], probe),
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
        self._stamp = stamp

    # how
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

    @staticmethod
    def _state(state: RecallState, own: Iterable[tuple[float, Kept]], probe: Probe) -> RecallState:
        if state == "NOVEL" or (probe.media is None and probe.likeness is None):
            return state
        seen = any(likeness >= SAME_PICTURE for likeness, _ in own)
        return state if seen else "NOVEL"


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
