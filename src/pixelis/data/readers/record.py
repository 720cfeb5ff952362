"""The one record every reader gives: media, a question or annotations, licence, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pixelis.answers import normalize
from pixelis.answers.types import AnswerType
from pixelis.data.readers import rle
from pixelis.episode import Episode
from pixelis.geometry import Box, Size

Kind = Literal["picture", "video", "frames"]
Pixels = Path | bytes


@dataclass(frozen=True)
class Provenance:
    """Where a record comes from.

    Attributes:
        file: the annotation file, as seen from the dataset's folder.
        sha256: of that file's bytes.
        place: where in it: `line 3`, `images[17]`, `row 4`.
    """

    file: str
    sha256: str
    place: str


@dataclass(frozen=True)
class Outline:
    """A mask not decoded yet: polygons in pixels, or run lengths; see `rle`."""

    size: Size
    polygons: tuple[tuple[float, ...], ...] = ()
    counts: tuple[int, ...] | str | None = None

    @cached_property
    def mask(self) -> np.ndarray:
        """Boolean, (height, width) of the picture; ValueError for runs that do not fit."""
        width, height = self.size
        if self.counts is not None:
            return rle.decode(self.counts, height, width)
        return rle.fill(self.polygons, height, width)


@dataclass(frozen=True)
class Thing:
    """An annotated object.

    Attributes:
        box: in source pixels.
        crowd: True for a region of many objects that were not told apart.
        part_of: the kind of whole a part belongs to (PartImageNet), or the broader category.
    """

    label: str
    box: Box
    outline: Outline | None = None
    id: str = ""
    crowd: bool = False
    part_of: str = ""

    @property
    def mask(self) -> np.ndarray | None:
        """Boolean, (height, width) of the picture; decoded at first use."""
        return None if self.outline is None else self.outline.mask


@dataclass(frozen=True)
class TextBox:
    """Text that stands in the picture; `box` in source pixels."""

    text: str
    box: Box
    level: Literal["line", "word"] = "line"


@dataclass(frozen=True)
class Track:
    """One object over time: its box in source pixels by frame number, from 0.

    Attributes:
        visible: share of the object that can be seen in each frame, in [0, 1], where known.
    """

    id: str
    label: str
    boxes: Mapping[int, Box]
    visible: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """One record of a dataset.

    Attributes:
        media: a file or its bytes; several for a question about several pictures; the frames in
            order for `frames`.
        answers: right answers, any of which counts (for `list`: the entries); empty when the
            record carries annotations only, or its answers are kept secret (test splits).
        size: width and height as annotated, None when the source does not say.
        fps: frames per second of `frames`.
        span: first and last second of the video that the question is about.
        episode: the steps somebody else's model took, where the source publishes them.
        shown: the pictures of that episode in the order they were shown.
        meta: what else the source says, plain JSON values.
    """

    source: str
    id: str
    kind: Kind
    media: tuple[Pixels, ...]
    provenance: Provenance
    split: str = ""
    licence: str = ""
    question: str = ""
    answers: tuple[str, ...] = ()
    answer_type: AnswerType | None = None
    choices: tuple[str, ...] = ()
    size: Size | None = None
    things: tuple[Thing, ...] = ()
    texts: tuple[TextBox, ...] = ()
    tracks: tuple[Track, ...] = ()
    family: str = ""
    fps: float = 0.0
    span: tuple[float, float] | None = None
    episode: Episode | None = None
    shown: tuple[Pixels, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


def type_of(answers: tuple[str, ...]) -> AnswerType:
    """How free answers are scored: numbers, yes or no, colours, single words, else text."""
    if all(_is_plain_number(answer) for answer in answers):
        return "number"
    if all(normalize.yes_no(answer) is not None and len(answer) < 6 for answer in answers):
        return "yes_no"
    if all(" " not in answer and normalize.color(answer) for answer in answers):
        return "color"
    single = all(answer.replace("-", "").isalpha() for answer in answers)
    return "word" if single else "text"


def _is_plain_number(answer: str) -> bool:
    found = normalize.number(answer)
    return found is not None and not any(letter.isalpha() for letter in answer)
