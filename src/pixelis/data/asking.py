"""Questions made from annotations: what a picture's boxes, masks, texts and tracks can answer.

Every question comes with its truth and with a plan, so the oracle can solve it by executing
operations. What the annotations cannot settle is not asked: crowds and categories that are not
marked exhaustively are not counted, a colour is asked for only where our own measure on the
annotated mask is clear, areas are compared only when one is much larger.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from pixelis.answers.normalize import phrase
from pixelis.data.readers.record import Record, TextBox, Thing, Track
from pixelis.geometry import Box, Size
from pixelis.ops.properties import describe, part_of
from pixelis.ops.track import DIRECTIONS

LEAST_AREA_PX = 400
LEAST_SHARE = 0.6  # of the mask in its first colour
LARGER = 1.6  # times the other area
MOST_COUNTED = 12
LEAST_LINE_PX = 10  # height of a line that can be read
CLIP_FRAMES = 24
VISIBLE = 0.6
AXIS_DEG = 22.5


@dataclass(frozen=True)
class Way:
    """How a question is solved, in source pixels; as `tasks.Plan`, with frames for clips.

    Attributes:
        kind: `count`, `measure`, `compare`, `read`, `follow`.
        target: what is looked for, in a few words.
        box: the part to read, zoom into or follow; None for the whole picture.
        points: where the things are.
        field: what is asked of them.
        frames: first and last frame of the source to look at, for clips.
    """

    kind: str
    target: str
    box: Box | None = None
    points: tuple[tuple[float, float], ...] = ()
    field: str = ""
    frames: tuple[int, int] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": self.kind,
            "target": self.target,
            "box": None if self.box is None else [round(v, 2) for v in self.box],
            "points": [[round(x, 2), round(y, 2)] for x, y in self.points],
            "field": self.field,
            "frames": None if self.frames is None else list(self.frames),
        }


@dataclass(frozen=True)
class Asked:
    """A question about a record's media.

    Attributes:
        answer: right answers, any of which counts.
        way: how to solve it, None when the annotations do not say.
        target_share: area of what is asked about over the picture's, in [0, 1].
        clutter: how many annotated things there are.
    """

    family: str
    kind: str
    question: str
    answer: tuple[str, ...]
    answer_type: str
    choices: tuple[str, ...] = ()
    way: Way | None = None
    target_share: float = 1.0
    clutter: int = 0
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def difficulty(self) -> str:
        """easy, medium or hard by how small the target is and how much else there is."""
        level = (self.target_share < 0.05) + (self.target_share < 0.005) + (self.clutter > 8)
        return ("easy", "medium", "hard", "hard")[level]


def ask(record: Record, rgb: np.ndarray | None = None) -> Iterator[Asked]:
    """Every question a record can answer.

    Args:
        rgb: the picture, uint8 (height, width, 3); without it no colours are asked for.
    """
    if record.question:
        if record.answers:
            yield _given(record)
        return
    named = [thing for thing in record.things if thing.label]
    if named:
        yield from _counts(record, named)
        yield from _comparisons(record, named)
    if record.things and rgb is not None:
        yield from _colors(record, rgb)
    yield from _readings(record)
    for track in record.tracks:
        yield from _journeys(record, track)


def _given(record: Record) -> Asked:
    """The source's own question; read where its answer is a whole line of the page."""
    answers = {phrase(answer) for answer in record.answers}
    lines = [line for line in record.texts if phrase(line.text) in answers]
    way, share = None, 1.0
    if len(lines) == 1 and record.size:
        box = _roomy(lines[0].box, record.size)
        way, share = Way("read", "the line", box), _share(box.area, record.size)
    boxes = [[round(v, 1) for v in thing.box] for thing in record.things]
    return Asked(
        family=record.family or record.source,
        kind="given",
        question=record.question,
        answer=record.answers,
        answer_type=record.answer_type or "text",
        choices=record.choices,
        way=way,
        target_share=share,
        clutter=len(record.texts),
        meta={"evidence": boxes} if boxes else {},
    )


# things -------------------------------------------------------------------------------------------
def _counts(record: Record, things: list[Thing]) -> Iterator[Asked]:
    groups: dict[str, list[Thing]] = defaultdict(list)
    for thing in things:
        groups[thing.label].append(thing)
    closed = set(groups) - set(record.meta.get("open", ()))
    for label in sorted(closed):
        group = groups[label]
        if any(thing.crowd for thing in group) or len(group) > MOST_COUNTED:
            continue
        yield _count(record, label, group)
    for label in sorted(record.meta.get("absent", ()))[:1]:
        yield _count(record, str(label), [])


def _count(record: Record, label: str, group: list[Thing]) -> Asked:
    assert record.size is not None
    name = _spoken(label)
    way = Way("count", f"each {name}", points=tuple(map(_inside, group)))
    smallest = min((thing.box.area for thing in group), default=0.0)
    return Asked(
        family="object_counting",
        kind="count",
        question=f"How many {plural(name)} are there in the picture?",
        answer=(str(len(group)),),
        answer_type="number",
        way=way,
        target_share=_share(smallest, record.size) if group else 1.0,
        clutter=len(record.things),
    )


def _comparisons(record: Record, things: list[Thing]) -> Iterator[Asked]:
    """Which of two kinds that stand there once each covers more of the picture, from masks."""
    assert record.size is not None
    alone = sorted(_alone(things).items())
    for (first, one), (second, other) in zip(alone[::2], alone[1::2], strict=False):
        areas = [_area(thing) for thing in (one, other)]
        if min(areas) < LEAST_AREA_PX or max(areas) < LARGER * min(areas):
            continue
        names = (_spoken(first), _spoken(second))
        larger = names[areas[1] > areas[0]]
        target = f"{names[0]}, {names[1]}"
        yield Asked(
            family="geometric_comparison",
            kind="larger",
            question=f"Which covers more of the picture, the {names[0]} or the {names[1]}?",
            answer=(larger,),
            answer_type="option",
            choices=names,
            way=Way("compare", target, None, (_inside(one), _inside(other)), "area_px"),
            target_share=_share(min(areas), record.size),
            clutter=len(record.things),
            meta={"areas_px": areas},
        )


def _colors(record: Record, rgb: np.ndarray) -> Iterator[Asked]:
    """The colour of what stands there once, measured on its annotated mask."""
    assert record.size is not None
    named = _alone([thing for thing in record.things if thing.label])
    things = list(named.values()) or [thing for thing in record.things if not thing.label]
    for thing in things:
        mask = thing.mask
        if mask is None or mask.shape != rgb.shape[:2] or mask.sum() < LEAST_AREA_PX:
            continue
        first = describe(part_of(rgb, mask), ["color"])["color"]
        if first["share"] < LEAST_SHARE:
            continue
        point = _inside(thing)
        question = f"What colour is the {_spoken(thing.label)}?"
        if not thing.label:
            x, y = (round(1000 * v / s) for v, s in zip(point, record.size, strict=True))
            question = f"What colour is the thing at [{x}, {y}], in thousandths of the sides?"
        yield Asked(
            family="attribute_recognition",
            kind="color",
            question=question,
            answer=(first["name"],),
            answer_type="color",
            way=Way("measure", _spoken(thing.label) or "the thing", None, (point,), "color"),
            target_share=_share(_area(thing), record.size),
            clutter=len(record.things),
        )


def _alone(things: list[Thing]) -> dict[str, Thing]:
    times = Counter(thing.label for thing in things)
    return {t.label: t for t in things if times[t.label] == 1 and not t.crowd}


def _area(thing: Thing) -> int:
    mask = thing.mask
    return 0 if mask is None else int(np.count_nonzero(mask))


def _inside(thing: Thing) -> tuple[float, float]:
    """The point deepest inside the mask; the box's centre without one."""
    mask = thing.mask
    if mask is None or not mask.any():
        return tuple(thing.box.center)  # type: ignore[return-value]
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(x) + 0.5, float(y) + 0.5


# texts --------------------------------------------------------------------------------------------
def _readings(record: Record) -> Iterator[Asked]:
    """Lines that are known by how they begin."""
    if record.size is None:
        return
    lines = [box for box in record.texts if box.level == "line"]
    starts = Counter(_start(line) for line in lines)
    for line in lines:
        words = line.text.split()
        if len(words) < 3 or starts[_start(line)] > 1 or line.box.height < LEAST_LINE_PX:
            continue
        box = _roomy(line.box, record.size)
        yield Asked(
            family="text_extraction",
            kind="line",
            question=f"One line begins with '{' '.join(words[:2])}'. What does all of it say?",
            answer=(line.text,),
            answer_type="text",
            way=Way("read", f"the line '{' '.join(words[:2])}'", box),
            target_share=_share(box.area, record.size),
            clutter=len(lines),
        )


def _start(line: TextBox) -> str:
    return phrase(" ".join(line.text.split()[:2]))


def _roomy(box: Box, size: Size) -> Box:
    """A line's box with a margin, as a reader needs it."""
    return box.pad(0.35 * box.height).clip(size)


# tracks -------------------------------------------------------------------------------------------
def _journeys(record: Record, track: Track) -> Iterator[Asked]:
    """Which way an object moves in a stretch in which it can be seen all the time."""
    assert record.size is not None
    for start in _stretches(track):
        end = start + CLIP_FRAMES - 1
        first, last = track.boxes[start].clip(record.size), track.boxes[end].clip(record.size)
        way = _direction(first, last)
        if not way or min(first.width, first.height) < 12:
            continue
        spot = [
            round(1000 * value / side)
            for value, side in zip(first, (*record.size, *record.size), strict=True)
        ]
        yield Asked(
            family="temporal_tracking",
            kind="direction",
            question=f"Which way does the {track.label} move that is at {spot} in the first frame, "
            "in thousandths of the sides?",
            answer=(way,),
            answer_type="word",
            way=Way("follow", f"the {track.label}", first, (), "direction", (start, end)),
            target_share=_share(first.area, record.size),
            clutter=sum(start in other.boxes for other in record.tracks),
        )
        return


def _stretches(track: Track) -> Iterator[int]:
    """First frames of stretches of `CLIP_FRAMES` frames without a gap or hiding."""
    seen = [n for n in sorted(track.boxes) if track.visible.get(n, 1.0) >= VISIBLE]
    for place in range(len(seen) - CLIP_FRAMES + 1):
        if seen[place + CLIP_FRAMES - 1] - seen[place] == CLIP_FRAMES - 1:
            yield seen[place]


def _direction(first: Box, last: Box) -> str:
    """One of the eight ways, as `track_object` says them; empty when it is not clear."""
    dx, dy = last.center.x - first.center.x, last.center.y - first.center.y
    if math.hypot(dx, dy) < 0.6 * math.sqrt(max(first.area, 1.0)):
        return ""
    octant = math.atan2(dy, dx) / (math.pi / 4)
    if abs(octant - round(octant)) * 45 > 0.7 * AXIS_DEG:
        return ""
    return DIRECTIONS[round(octant) % 8]


# words --------------------------------------------------------------------------------------------
_IRREGULAR = {
    "person": "people", "man": "men", "woman": "women", "child": "children", "mouse": "mice",
    "sheep": "sheep", "knife": "knives", "scissors": "scissors", "skis": "skis", "foot": "feet",
    "broccoli": "broccoli", "goose": "geese", "fish": "fish", "deer": "deer", "leaf": "leaves",
}  # fmt: skip


def plural(name: str) -> str:
    """`people`, `buses`, `traffic lights`."""
    head, _, last = name.rpartition(" ")
    made: Callable[[str], str] = lambda word: f"{head} {word}".strip()  # noqa: E731
    if last in _IRREGULAR:
        return made(_IRREGULAR[last])
    if last.endswith(("s", "x", "ch", "sh", "z")):
        return made(last + "es")
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        return made(last[:-1] + "ies")
    return made(last + "s")


def _spoken(label: str) -> str:
    """`Quadruped Head` and `teddy_bear_(toy)` as people say them."""
    return label.split("(")[0].replace("_", " ").strip().lower()


def _share(area: float, size: Size) -> float:
    return float(area) / (size.width * size.height)
