"""What a store is asked: "what is like this?" One interface, several engines beside each other.

An engine is chosen by name (`recall = "neighbours"`). Another one stands beside it by
calling `register("its name", factory)`; the store calls the factory once and tells the engine of
every experience that is added or removed. The full experience stays in the store; an engine keeps
only what it needs to find it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from pixelis.errors import ConfigError
from pixelis.memory.experience import Experience

if TYPE_CHECKING:
    from pixelis.memory.store import Memory

RecallState = Literal["SINGLE", "MIXED", "NOVEL"]


@dataclass(frozen=True)
class Probe:
    """What is looked for; an engine uses the parts it understands.

    Attributes:
        question: as asked, redacted like the stored ones.
        embedding: float32 (dims,), unit length; None when there is none.
        space: which embedder made it.
        media: SHA-256 of the stored file.
        likeness: perceptual hash of the picture.
    """

    question: str = ""
    embedding: np.ndarray | None = None
    space: str = ""
    media: str | None = None
    likeness: int | None = None


@dataclass(frozen=True)
class Neighbour:
    """A recalled experience.

    Attributes:
        likeness: how like the probe, in [-1, 1]; by the engine's own measure.
        weight: share among those recalled, in [0, 1]; their sum is 1.
    """

    experience: Experience
    likeness: float
    weight: float = 0.0


@dataclass(frozen=True)
class Recollection:
    """What an engine found, best first.

    Attributes:
        state: SINGLE (one memory is meant), MIXED (several are), NOVEL (none is); None when the
            engine cannot tell. MIXED lowers the confidence that the gate sees, NOVEL is stored
            without votes from memory.
        margin: likeness of the best minus that of the second.
        key: stable name of what was meant, None when the engine has none.
        more: what else the engine tells (a gist, a frame), plain JSON values.
    """

    neighbours: tuple[Neighbour, ...] = ()
    state: RecallState | None = None
    margin: float = 0.0
    key: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


class Recall(Protocol):
    """An engine. All calls come from one thread at a time."""

    @property
    def name(self) -> str: ...

    def added(self, experience: Experience) -> None:
        """An experience was stored; it has an id and a seq.

        The transaction around it may still be undone, so ask the store whether an id is there
        before telling of it.
        """
        ...

    def removed(self, ids: Sequence[str]) -> None:
        """Experiences were erased or evicted; nothing of them may stay, on disk neither.

        When that is undone, the engine is closed and another one is opened.
        """
        ...

    def recall(self, probe: Probe, k: int) -> Recollection:
        """Up to `k` neighbours, best first."""
        ...

    def close(self) -> None: ...


Factory = Callable[["Memory"], Recall]
_FACTORIES: dict[str, Factory] = {}


def register(name: str, factory: Factory) -> None:
    """Offers an engine under a name; ConfigError when the name is taken."""
    if name in _FACTORIES:
        raise ConfigError(f"recall {name!r} is taken; choose another name")
    _FACTORIES[name] = factory


def engines() -> tuple[str, ...]:
    """Names of the engines there are."""
    return tuple(sorted(_FACTORIES))


def open_recall(name: str, memory: Memory) -> Recall:
    """The engine of that name for a store; ConfigError when there is none."""
    if name not in _FACTORIES:
        raise ConfigError(f"recall = {name!r} is not known; allowed: {', '.join(engines())}")
    return _FACTORIES[name](memory)


class NearestRecall:
    """The default: cosine between hybrid embeddings, in the store's own index."""

    name = "neighbours"

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def added(self, experience: Experience) -> None:
        """The store's index follows the database by itself."""

    def removed(self, ids: Sequence[str]) -> None:
        """Likewise."""

    def recall(self, probe: Probe, k: int) -> Recollection:
        if probe.embedding is None:
            return Recollection()
        found = self._memory.nearest(probe.embedding, probe.space, k)
        total = sum(max(likeness, 0.0) for _, likeness in found) or 1.0
        neighbours = tuple(
            Neighbour(one, likeness, max(likeness, 0.0) / total) for one, likeness in found
        )
        margin = found[0][1] - found[1][1] if len(found) > 1 else float(len(found))
        return Recollection(neighbours, margin=margin)

    def close(self) -> None:
        """Nothing of its own is open."""


register("neighbours", NearestRecall)


def _wheeler(memory: Memory) -> Recall:
    """Settling frames of questions; torch is imported only when a store asks for it."""
    from pixelis.wheeler.recall import WheelerRecall

    return WheelerRecall(memory)


register("wheeler", _wheeler)
