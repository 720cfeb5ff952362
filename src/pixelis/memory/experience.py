"""One experience: an answered question as it is kept, and how it lies in a row of the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from pixelis.errors import ConfigError, StoreError

Status = Literal["stored", "queued", "learned", "confirmed", "corrected", "rejected", "quarantined"]
STATUSES: tuple[str, ...] = get_args(Status)
TRUSTED = ("confirmed", "corrected")  # a person looked


@dataclass(frozen=True)
class Experience:
    """A stored episode with how sure it was, who answered, and what was decided about it.

    Attributes:
        id: given by the store when empty.
        born: seconds since 1970; given by the store when 0.
        question: redacted before it is stored, like every text here.
        answer: what was answered; `canonical` is its normal form, by which votes are counted.
        answer_type: as in `pixelis.answers`, empty when unknown.
        family: groups experiences; empty when unknown.
        user: whose question it is; empty when nobody said.
        media: SHA-256 of the stored file, None without media.
        likeness: 64-bit perceptual hash of the picture (see `fingerprint`), None without.
        confidence: calibrated, in [0, 1]; None when unknown.
        reward: of the answer against the vote or review, in [-1, 1].
        version: adapter version that answered; 0 is the model without adapters.
        policy: name of the model.
        episode: the greedy episode as JSON values; see `pixelis.episode.Episode.to_dict`.
        provenance: votes, neighbours, calibration and policy behind the answer, plain JSON; of a
            corrected one the right answer, too: `said` as given, `correction` in normal form.
        pinned: never evicted.
        retrievals: how often it was recalled; `successes`: how often that helped.
        space: which embedder made `embedding`; only equal spaces can be compared.
        embedding: float32 (dims,), unit length; None when there is none.
        seq: position in the store, rising; 0 before it is stored.
    """

    question: str
    answer: str
    canonical: str = ""
    answer_type: str = ""
    family: str = ""
    user: str = ""
    media: str | None = None
    likeness: int | None = None
    confidence: float | None = None
    reward: float = 0.0
    status: Status = "stored"
    version: int = 0
    policy: str = ""
    episode: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    pinned: bool = False
    retrievals: int = 0
    successes: int = 0
    space: str = ""
    embedding: np.ndarray | None = None
    id: str = ""
    born: float = 0.0
    seq: int = 0

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ConfigError(f"status {self.status!r}; statuses are {', '.join(STATUSES)}")
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise ConfigError(f"confidence {self.confidence} is not allowed; give 0 to 1")

    @property
    def settled(self) -> str | None:
        """Normal form of the answer that a person confirmed or gave; None when nobody did."""
        if self.status == "corrected":
            return self.provenance.get("correction")
        return self.canonical if self.status == "confirmed" else None

    @property
    def right_answer(self) -> str | None:
        """That answer as it was written, its normal form where only that was kept."""
        if self.status == "corrected":
            return self.provenance.get("said") or self.settled
        return self.answer if self.status == "confirmed" else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the embedding as a list of numbers."""
        plain = dict(vars(self))
        plain["episode"], plain["provenance"] = dict(self.episode), dict(self.provenance)
        plain["embedding"] = None if self.embedding is None else self.embedding.tolist()
        return plain

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Experience:
        """What `to_dict` gave; ConfigError for a field that is not known or missing."""
        known = set(cls.__dataclass_fields__)
        if strange := sorted(set(record) - known):
            raise ConfigError(f"experience field {strange[0]!r} is not known")
        try:
            made = cls(**record)
        except TypeError as error:
            raise ConfigError(f"experience: {error}") from error
        if made.embedding is None:
            return made
        return replace(made, embedding=np.asarray(made.embedding, np.float32))


COLUMNS = (
    "seq", "id", "born", "question", "answer", "canonical", "answer_type", "family", "user",
    "media", "likeness", "confidence", "reward", "status", "version", "policy", "episode",
    "provenance", "pinned", "retrievals", "successes", "space", "embedding", "checksum",
)  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM experiences"
INSERT = (
    f"INSERT INTO experiences ({', '.join(COLUMNS[1:])}, size) "
    f"VALUES ({', '.join('?' * len(COLUMNS))})"
)
UPDATE = (
    f"UPDATE experiences SET {', '.join(f'{name} = ?' for name in COLUMNS[1:])}, size = size + ? "
    "WHERE id = ?"
)


def to_row(one: Experience) -> tuple[Any, ...]:
    """Values of `INSERT`, all but the last one, its size in bytes."""
    embedding = None if one.embedding is None else packed(one.embedding)
    likeness = None if one.likeness is None else one.likeness.to_bytes(8, "big")
    episode = json.dumps(dict(one.episode), ensure_ascii=False)
    provenance = json.dumps(dict(one.provenance), ensure_ascii=False)
    content = (one.question, one.answer, one.canonical, one.media, episode, provenance)
    return (
        one.id, one.born, one.question, one.answer, one.canonical, one.answer_type, one.family,
        one.user, one.media, likeness, one.confidence, one.reward, one.status, one.version,
        one.policy, episode, provenance, int(one.pinned), one.retrievals, one.successes, one.space,
        embedding, checksum(content, embedding),
    )  # fmt: skip


def from_row(row: tuple[Any, ...]) -> Experience:
    """The experience in a row of `SELECT`; StoreError when its content was damaged."""
    values = dict(zip(COLUMNS, row, strict=True))
    if not whole(values):
        raise StoreError(
            f"experience {values['id']} is damaged; see: pixelis memory verify --repair"
        )
    values.pop("checksum")
    blob, likeness = values["embedding"], values["likeness"]
    values["embedding"] = None if blob is None else np.frombuffer(blob, "<f4")
    values["likeness"] = None if likeness is None else int.from_bytes(likeness, "big")
    values["episode"], values["provenance"] = (
        json.loads(values[name]) for name in ("episode", "provenance")
    )
    values["pinned"] = bool(values["pinned"])
    return Experience(**values)


def whole(values: Mapping[str, Any]) -> bool:
    """Whether a row's content is what was written."""
    names = ("question", "answer", "canonical", "media", "episode", "provenance")
    content = tuple(values[name] for name in names)
    return values["checksum"] == checksum(content, values["embedding"])


def checksum(content: tuple[Any, ...], embedding: bytes | None) -> bytes:
    """16 bytes of SHA-256 over what must never change by itself."""
    text = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text + b"\0" + (embedding or b"")).digest()[:16]


def packed(embedding: np.ndarray) -> bytes:
    """Little-endian float32 bytes."""
    return np.ascontiguousarray(embedding, "<f4").tobytes()
