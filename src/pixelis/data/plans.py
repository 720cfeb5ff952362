"""What a task is made of before a picture is asked about: a plan, and a question not yet worded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pixelis.answers.types import AnswerType
from pixelis.geometry import Box

Place = tuple[float, float]

ASKED = {  # by field: the words for less of it and for more
    "width": ("narrower", "wider"),
    "height": ("shorter", "taller"),
    "size": ("smaller", "larger"),
    "area_px": ("smaller", "larger"),
    "x": ("left", "right"),
    "y": ("above", "below"),
}
TRACKED = {  # by field: what is asked of a track
    "direction": "which way",
    "moves": "moves: yes or no",
    "leaves": "gone: yes or no",
    "returns": "back: yes or no",
    "hidden": "how often",
    "part": "when",
}


@dataclass(frozen=True)
class Plan:
    """How a task is solved, in source pixels.

    Attributes:
        kind: what is done. `read` (a box, several one after another, or a label on a page),
            `seek` (which of several parts shows something),
            `measure` (one thing), `count`, `compare` (two sizes), `side` (two places), `same` (two
            looks), `label` (what stands above a label), `follow` (things of a clip), `frame` (a
            thing in a later frame) or `unknown`.
        target: a few words naming what is looked for.
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
        anchors: what is found on the way to it, as the target names it, and where.
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
    anchors: tuple[tuple[str, Place], ...] = ()

    @property
    def asked(self) -> str:
        """What the question wants to hear, as `wider: blue or yellow`; empty where the target says.

        It is the first thing thought and thought again before the answer: by then the question
        stands too far back to be understood anew, but what it came to can be copied.
        """
        if self.kind in ("compare", "side"):
            return self._weighed()
        if self.kind == "seek" or (self.kind == "read" and self.boxes):
            return self.words[0]
        if self.kind == "same":
            return f"same {self.field}: yes or no"
        if self.kind != "follow":
            return ""
        if self.field == "speed":
            return "fastest" if self.say == "more" else "slowest"
        if self.field == "when":
            given = zip("ABC", self.words, strict=True)
            return "when: " + ", ".join(f"{letter} {frame}" for letter, frame in given)
        return TRACKED[self.field]

    def _weighed(self) -> str:
        less, more = ASKED[self.field]
        if self.say == "words":
            letters = self.words != (less, more)
            return f"{less} A or {more} B" if letters else f"{less} or {more}"
        form = "yes or no" if self.say.startswith("yes_") else " or ".join(self.names)
        return f"{more if self.say.endswith('more') else less}: {form}"

    @property
    def opening(self) -> str:
        """The thought before the first call: what is asked, then what is looked for."""
        return f"{self.asked}? {self.target}" if self.asked else self.target

    def led(self, point: Callable[[Place], list[int]]) -> str:
        """The opening with the place of each anchor behind its name, for one of several steps.

        To find what is nearest to a thing is easier once it is said where that thing is.

        Args:
            point: turns source pixels into 0..1000 of the image that places are given in.
        """
        said = self.opening
        for name, place in self.anchors:
            x, y = point(place)
            said = said.replace(name, f"{name} [{x}, {y}]", 1)
        return said

    @property
    def counted(self) -> str:
        """What a `count` is about, without where: the picture shows nothing else by then."""
        return self.target.partition(" on the ")[0] if self.box else self.target


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
