"""The associative memory: texts kept as frames, found again by settling."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from pixelis.errors import ConfigError, StoreError
from pixelis.wheeler import batch
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.checkpoint import fingerprint
from pixelis.wheeler.lifecycle import Age, coldest, temperature
from pixelis.wheeler.rules import BETA, ETA
from pixelis.wheeler.shelf import SHORT, Shelf
from pixelis.wheeler.store import Row, Store
from pixelis.wheeler.words import pieces_of, words_of

State = Literal["SINGLE", "MIXED", "NOVEL"]
SINGLE = 0.9  # share of the pull from which one memory alone is meant
MOST_JUDGED = 16  # words of a text; among more no single one can be told to be missing
SLACK = 100  # one part in so many is let go at once when there is no room
TOLD = 5  # memories named in a recall


class Kept(NamedTuple):
    """What `remember` did: the memory's id, and whether it is new or was known already."""

    id: int
    new: bool


class Match(NamedTuple):
    """A memory that a probe resembles.

    Attributes:
        weight: its share of the pull where settling ended, the shares of all summing to 1.
        likeness: weighted cosine between probe and stored frame.
    """

    id: int
    text: str
    weight: float
    likeness: float
    note: Any


class Recall(NamedTuple):
    """What a probe settled into.

    Attributes:
        state: SINGLE (one memory is meant), MIXED (several are), NOVEL (none is).
        key: hash of the settled frame, the same whenever settling ends in the same place; None
            when the state is NOVEL.
        matches: memories by weight, at most five; also told when NOVEL, as what comes nearest.
        margin: likeness of the best memory minus that of the second; `likeness` is the best's.
        support: how well the least supported word of the text is found in the best memory; None
            when a frame asked.
        frame: the settled frame, float32 (grid, grid); the unsettled one when NOVEL.
        ticks: of settling; `gist` is the settled frame read as text, empty when not asked for.
    """

    state: State
    key: str | None
    matches: tuple[Match, ...]
    margin: float
    likeness: float
    support: float | None
    frame: np.ndarray
    ticks: int
    gist: str


class WheelerMemory:
    """Remembers texts, recalls them from damaged ones or from damaged frames.

    Args:
        path: SQLite file that keeps the memories; None keeps them in this process.
        room: most memories kept; the coldest go first.
        clock: gives seconds since 1970.
        vigilance: likeness to the best memory below which a text is NOVEL; default: the model's.
        strictness: likewise for the support of its least supported word; -1 never calls a text
            NOVEL because of one word.

    One thread at a time gets in; others wait.
    """

    def __init__(
        self,
        model: WheelerTextAutoencoder,
        path: str | Path | None = None,
        room: int = 100_000,
        clock: Callable[[], float] = time.time,
        vigilance: float | None = None,
        strictness: float | None = None,
        beta: float = BETA,
        eta: float = ETA,
    ) -> None:
        if room < 1:
            raise ConfigError(f"room is {room}; a memory needs room for at least one")
        self.model, self.room, self.clock = model, room, clock
        self.vigilance = model.vigilance if vigilance is None else vigilance
        self.strictness = model.strictness if strictness is None else strictness
        self.beta, self.eta = beta, eta
        self._metric = model.metric().ravel()
        self._store = Store(path, fingerprint(model))
        self._shelf = Shelf(model.shape.cells, model.shape.levels)
        self._ids: list[int] = []
        self._ages: dict[int, Age] = {}
        self._lock = threading.RLock()
        for row in self._store.rows():
            frame = self._unpacked(row.frame)
            if frame.shape != (model.shape.cells,):
                raise StoreError(f"{path}: memory {row.id} is damaged ({len(row.frame)} bytes)")
            self._shelve(row.id, frame[None])
            self._ages[row.id] = Age(row.id, row.hits, row.born, row.touched)

    def __len__(self) -> int:
        return len(self._ids)

    def remember(self, text: str, note: Any = None) -> Kept:
        """Keeps a text with a note (any JSON value).

        One with the same words in the same order as a memory counts as its use; ConfigError for a
        text without anything in it.
        """
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"{text!r} cannot be remembered; give a text")
        return self.remember_drawn(text, self.model.frames(text).flatten().cpu().numpy(), note)

    def remember_drawn(self, text: str, frame: np.ndarray, note: Any = None) -> Kept:
        """As `remember`, of a text whose frame (cells,) `model.frames` has drawn already."""
        frame = frame.reshape(1, -1)
        with self._lock:
            if known := self._known(text, None):
                self._touch(known[0])
                return Kept(known[0], False)
            number = self._store.add(text, self._packed(frame[0]), self.clock(), note)
            self._shelve(number, frame)
            now = self.clock()
            self._ages[number] = Age(number, 0, now, now)
            self._make_room()
            return Kept(number, True)

    def remember_all(self, texts: Sequence[str], step: int = 128) -> list[int]:
        """Keeps many texts at once, each as a memory of its own, also those known already."""
        kept: list[int] = []
        for start in range(0, len(texts), step):
            part = list(texts[start : start + step])
            frames = self.model.frames(part).flatten(1).cpu().numpy()
            with self._lock:
                rows = [(t, self._packed(f), None) for t, f in zip(part, frames, strict=True)]
                now = self.clock()
                numbers = self._store.add_all(rows, now)
                for number, frame in zip(numbers, frames, strict=True):
                    self._shelve(number, frame[None])
                    self._ages[number] = Age(number, 0, now, now)
                kept += numbers
        with self._lock:
            self._make_room()
        return kept

    def recall(
        self,
        text: str,
        k: int = SHORT,
        gist: bool = True,
        among: Collection[int] | None = None,
    ) -> Recall:
        """What a text, whole or damaged, reminds of.

        The text's votes are the probe, compared by the learned metric; see `docs/wheeler.md`. A
        memory with the same words in the same order is meant alone, whatever else is like it.

        Args:
            k: stored frames among which it settles: the nearest ones.
            gist: read the settled frame as text.
            among: ids of the memories that may be meant; None for all.
        """
        probe = self.model.probe(text)[0].cpu().numpy()
        own = None
        with self._lock:
            known = self._known(text, among)
            asked = known or among
            places = None if asked is None else self._places(asked)
            vigilance = -1.0 if known else self.vigilance
            found = self._settle(probe, self._metric, k, vigilance, places)
            if len(found.places):
                best = self._shelf.frames(found.places[:1])[0]
                found = found._replace(support=self.model.support(text, best))
                if not known and self._foreign(text, found.support or 0.0):
                    found = found._replace(state="NOVEL")
            if found.state == "NOVEL":
                own = self.model.frames(text)[0].cpu().numpy()
            return self._told(found, own, gist)

    def recall_frame(self, frame: np.ndarray, k: int = SHORT, gist: bool = True) -> Recall:
        """What a frame (grid, grid), whole or damaged as a picture, settles into.

        All cells count alike. ConfigError for another size, NaN or values outside [-1, 1].
        """
        checked = self.model._checked(frame)[0].cpu().numpy()
        with self._lock:
            return self._told(self._settle(checked, None, k, 0.0), None, gist)

    def nearest(
        self, asked: str | np.ndarray, among: Collection[int] | None = None
    ) -> tuple[int, float]:
        """Id and likeness of the memory nearest to a text or a frame, without any settling.

        `among` are the ids of those that may be meant, None for all; (0, 0.0) when there are none.
        This is the arm that the dynamics are measured against.
        """
        if isinstance(asked, str):
            probe, metric = self.model.probe(asked)[0].cpu().numpy(), self._metric
        else:
            probe, metric = asked, None
        with self._lock:
            places = None if among is None else self._places(among)
            near = self._shelf.nearest(probe, SHORT, metric, places)
            if len(near.places) == 0:
                return 0, 0.0
            return self._ids[int(near.places[0])], float(near.likeness[0])

    def forget(self, number: int) -> bool:
        """Erases a memory, also from the file and its log; False when there is none of that id.

        StoreError when another process reads the file and the log could not be emptied; the memory
        is gone all the same, and the log is emptied when the file is opened next.
        """
        with self._lock:
            if number not in self._ages:
                return False
            self._drop([number])
            if not self._store.wipe():
                raise StoreError(
                    f"{self._store.path}: memory {number} is forgotten, but another process reads "
                    "the file and its log still holds the bytes; end it and open the file again"
                )
            return True

    def get(self, number: int) -> Row | None:
        """A memory as stored."""
        return next(iter(self._store.rows([number])), None)

    def frames(self) -> np.ndarray:
        """All stored frames, float32 (N, grid, grid), in the order of the shelf."""
        side = self.model.shape.grid
        with self._lock:
            return self._shelf.frames().reshape(-1, side, side)

    def rows(self) -> Iterator[Row]:
        """All memories as stored, in order of id."""
        return self._store.rows()

    def temperatures(self) -> dict[int, float]:
        """How warm each memory is now, by id."""
        now = self.clock()
        return {a.id: temperature(a.hits, a.touched, now) for a in self._ages.values()}

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> WheelerMemory:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # how
    def _settle(
        self,
        probe: np.ndarray,
        metric: np.ndarray | None,
        k: int,
        vigilance: float,
        places: np.ndarray | None = None,
    ) -> _Found:
        near = self._shelf.nearest(probe, k, metric, places)
        if len(near.places) == 0:
            return _Found("NOVEL", near.places, near.likeness, np.empty(0), probe, 0)
        weights = None if metric is None else torch.from_numpy(metric)
        settled = batch.settle(
            torch.from_numpy(probe.reshape(1, -1)),
            torch.from_numpy(self._shelf.frames(near.places)),
            weights,
            self.beta,
            self.eta,
        )
        pull = settled.weights[0].numpy()
        state: State = "SINGLE" if pull.max() >= SINGLE else "MIXED"
        if near.likeness[0] < vigilance:
            state = "NOVEL"
        frame = settled.frames[0].numpy().reshape(probe.shape)
        return _Found(state, near.places, near.likeness, pull, frame, int(settled.ticks[0]))

    def _known(self, text: str, among: Collection[int] | None) -> list[int]:
        """The oldest memory with the same words, if there is one on the shelf that may be meant."""
        there = [number for number in self._store.same(text) if number in self._ages]
        return [number for number in there if among is None or number in among][:1]

    def _foreign(self, text: str, support: float) -> bool:
        """Whether one of the text's words is not found in the best memory."""
        return support < self.strictness and len(words_of(text)) <= MOST_JUDGED

    def _places(self, numbers: Collection[int]) -> np.ndarray:
        """Places on the shelf of memories by id; unknown ids are left out."""
        there = [self._ids.index(number) for number in numbers if number in self._ages]
        return np.array(there, np.int64)

    def _told(self, found: _Found, own: np.ndarray | None, gist: bool) -> Recall:
        """The recall; a use is counted for a memory that is meant alone."""
        best = np.argsort(-found.pull, kind="stable")[:TOLD]
        numbers = [self._ids[int(found.places[place])] for place in best]
        rows = {row.id: row for row in self._store.rows(numbers)}
        matches = tuple(
            Match(
                number,
                rows[number].text,
                float(found.pull[place]),
                float(found.likeness[place]),
                rows[number].note,
            )
            for number, place in zip(numbers, best, strict=True)
        )
        likeness = found.likeness
        margin = float(likeness[0] - likeness[1]) if len(likeness) > 1 else float(len(likeness))
        frame = found.frame if own is None else own
        if found.state == "SINGLE":
            self._touch(numbers[0])
        return Recall(
            found.state,
            None if found.state == "NOVEL" else key_of(frame),
            matches,
            margin,
            float(likeness[0]) if len(likeness) else 0.0,
            found.support,
            frame,
            found.ticks,
            self._read(frame) if gist else "",
        )

    def _read(self, frame: np.ndarray) -> str:
        return str(self.model.decode(self.model.set_grid_from_image(frame.clip(-1, 1))))

    def _touch(self, number: int) -> None:
        age = self._ages[number]
        now = self.clock()
        self._store.hit(number, now)
        self._ages[number] = age._replace(hits=age.hits + 1, touched=now)

    def _shelve(self, number: int, frame: np.ndarray) -> None:
        self._shelf.add(frame)
        self._ids.append(number)

    def _make_room(self) -> None:
        if len(self._ids) > self.room:
            left = max(1, self.room - self.room // SLACK)
            self._drop(coldest(self._ages.values(), left, self.clock()))

    def _drop(self, numbers: Sequence[int]) -> None:
        self._store.remove(numbers)
        pieces_of.cache_clear()  # it knows the words
        for number in numbers:
            place = self._ids.index(number)
            self._shelf.remove(place)
            self._ids[place] = self._ids[-1]
            self._ids.pop()
            del self._ages[number]

    def _packed(self, frame: np.ndarray) -> bytes:
        """Levels of cells, as few bits each as they need (8 divided by them is whole)."""
        return packed(frame, self.model.shape.levels)

    def _unpacked(self, data: bytes) -> np.ndarray:
        return unpacked(data, self.model.shape.levels, self.model.shape.cells)


class _Found(NamedTuple):
    state: State
    places: np.ndarray
    likeness: np.ndarray
    pull: np.ndarray
    frame: np.ndarray
    ticks: int
    support: float | None = None


def key_of(frame: np.ndarray) -> str:
    """A name for a settled frame: the hash of its cells, rounded to half steps of a hundredth.

    Settling ends within 1e-5 of its fixed point, so rounding gives the same name every time.
    """
    return hashlib.sha256(np.rint(frame * 50).astype(np.int8).tobytes()).hexdigest()[:16]


def packed(frame: np.ndarray, levels: int) -> bytes:
    """A frame's levels: one bit a cell for two levels, else one byte."""
    if levels == 2:
        return np.packbits(frame.ravel() >= 0).tobytes()
    return np.rint((frame.ravel() + 1) * ((levels - 1) / 2)).astype(np.uint8).tobytes()


def unpacked(data: bytes, levels: int, cells: int) -> np.ndarray:
    """The frame (cells,) of `packed`, float32."""
    raw = np.frombuffer(data, np.uint8)
    if levels == 2:
        return np.unpackbits(raw)[:cells].astype(np.float32) * 2 - 1
    return raw.astype(np.float32) * (2 / (levels - 1)) - 1
