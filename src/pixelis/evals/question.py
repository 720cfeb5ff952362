"""A question with its gold answer, and a benchmark: an ordered, reproducible set of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from PIL import Image

from pixelis.answers import ANSWER_TYPES, AnswerType, correct, score
from pixelis.episode import Answer
from pixelis.evals.rules import apply

UNKNOWN = "unknown"
RIGHT = 1 - 1e-9
QUESTION_TYPES = (*ANSWER_TYPES, UNKNOWN)


class Verdict(NamedTuple):
    """How an answer was judged: right or not, and the graded score in [0, 1]."""

    correct: bool
    score: float


class Grader(Protocol):
    """A language model that grades answers."""

    name: str

    def __call__(self, question: Question, answer: Answer | None) -> Verdict: ...


@dataclass(frozen=True)
class Question:
    """One question of a benchmark.

    Attributes:
        media: what `open_media` takes: a path, bytes or a PIL image.
        gold: the answer, or several of which any counts (for `list`: the entries).
        answer_type: one of the scorer's types, or `unknown` when nobody can tell from the pixels;
            then only an answer that says so is right.
        family: key of `by_family`.
        picture: names the media; questions about one picture are not independent.
        task: the procedural task behind it with its truth, None for anybody's own questions.
        rule: name of the official scoring rule (`pixelis.evals.rules`); empty for our own scorer.
        details: what that rule needs besides (unit, precision, ...), plain JSON values.
        group: key of the questions that are variants of this one; empty when there are none.
    """

    id: str
    media: Any
    text: str
    gold: str | tuple[str, ...]
    answer_type: str
    family: str
    picture: str
    choices: tuple[str, ...] | None = None
    difficulty: str = ""
    domain: str = ""
    task: Any = None
    rule: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""

    @property
    def wants_judge(self) -> bool:
        """Whether the authors have its answers graded by a language model."""
        return bool(self.details.get("judge"))

    @property
    def asked(self) -> str:
        """What the agent is asked: the text, and below it the choices when there are any."""
        if not self.choices:
            return self.text
        lines = [f"{chr(ord('A') + i)}. {choice}" for i, choice in enumerate(self.choices)]
        return "\n".join([self.text, *lines])

    def judge(self, answer: Answer | None) -> Verdict:
        """Right or wrong; no answer, and "I cannot know" to an answerable question, are wrong.

        An official rule is given the text of whatever was answered.
        """
        if self.rule:
            golds = (self.gold,) if isinstance(self.gold, str) else self.gold
            text = answer.text if answer else ""
            value = apply(self.rule, text, golds, self.choices or (), self.details)
            return Verdict(value >= RIGHT, value)
        if self.answer_type == UNKNOWN:
            said_so = answer is not None and not answer.known
            return Verdict(said_so, float(said_so))
        if answer is None or not answer.known:
            return Verdict(False, 0.0)
        kind = cast(AnswerType, self.answer_type)
        return Verdict(
            correct(answer.text, self.gold, kind, self.choices),
            score(answer.text, self.gold, kind, self.choices),
        )

    def fingerprint(self) -> str:
        """SHA-256 over question, gold, how it is judged, and the pixels or bytes of the media."""
        words: list[Any] = [self.asked, self.gold, self.answer_type]
        words += [self.rule] if self.rule else []
        words += [dict(sorted(self.details.items()))] if self.details else []
        digest = hashlib.sha256(json.dumps(words, ensure_ascii=False).encode())
        digest.update(media_bytes_hash(self.media))
        return digest.hexdigest()


@dataclass(frozen=True)
class Benchmark:
    """An ordered set of questions, made one by one when they are needed.

    Attributes:
        ids: of the questions, all different.
        load: gives question number `index`; the same one every time.
        settings: what the set depends on (split, seed, file hash, ...), plain JSON values.
        frozen: True when everybody who runs it gets the same questions.
        official: what the authors report: `accuracy`, or `score` for the mean graded score.
        notes: what to know before putting the figure beside a published one.
    """

    name: str
    ids: tuple[str, ...]
    load: Callable[[int], Question]
    settings: Mapping[str, Any] = field(default_factory=dict)
    frozen: bool = False
    official: str = "accuracy"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Question]:
        return (self.load(index) for index in range(len(self.ids)))


def media_bytes_hash(media: Any) -> bytes:
    """SHA-256 of a file's bytes (or of bytes), or of a PIL image's mode, size and pixels."""
    if isinstance(media, bytes):
        return hashlib.sha256(media).digest()
    if isinstance(media, Image.Image):
        head = f"{media.mode} {media.size}".encode()
        return hashlib.sha256(head + media.tobytes()).digest()
    with Path(media).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def data_hash(fingerprints: Iterable[str]) -> str:
    """The hash of a whole benchmark, from its questions' fingerprints in order."""
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()
