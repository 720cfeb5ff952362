"""What a task is made of before a picture is asked about: a plan, and a question not yet worded."""

from __future__ import annotations

from dataclasses import dataclass, field

from pixelis.answers.types import AnswerType
from pixelis.geometry import Box

Place = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """How a task is solved, in source pixels.

    Attributes:
        kind: what is done. `read` (a box, several one after another, or a label on a page),
            `measure` (one thing), `count`, `compare` (two sizes), `side` (two places), `same` (two
            looks), `label` (what stands above a label), `follow` (things of a clip), `frame` (a
            thing in a later frame) or `unknown`.
        target: a few words naming what is looked for (the thought before the first call).
        box: the part to read or zoom into; None for the whole picture.
        points: where the things to measure or count are.
        field: what is asked of them: `color`, `shape`, `position`; `width`, `height`, `size` (of
            the boxes), `area_px`; `x`, `y`; `first` or `last` when one line is asked for; of a
            track see `solutions.follow`.
        among: name and place of everything that could be meant, for `count`.
        names: how the answer names the things at `points` or in `boxes`.
        boxes: things to read or follow one after another.
        words: what is looked for in texts: a label and its column, or what a sign says; or the
            two words to choose between.
        say: how the answer follows: `more`, `less`, `yes_more`, `yes_less`, `words`, `letter`.
        frames: of a clip: the frames to look at, or first and last frame to follow.
    """

    kind: str
    target: str = ""
    box: Box | None = None
    points: tuple[Place, ...] = ()
    field: str = ""
    among: tuple[tuple[str, Place], ...] = ()
    names: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    words: tuple[str, ...] = ()
    say: str = ""
    frames: tuple[int, ...] = ()


@dataclass(frozen=True)
class Query:
    """A question kind with its slots, before it is worded.

    `hard` adds to the difficulty that shows in the picture: steps a question needs beyond one.
    """

    family: str
    kind: str
    slots: dict[str, str]
    answer: str
    answer_type: AnswerType
    plan: Plan
    hard: int = field(default=0, compare=False)
