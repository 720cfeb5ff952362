"""Lessons of pre-training: what is asked about a picture, in the chat format from the first step.

Three kinds, mixed in every batch: several questions about one picture (list, where, what is at,
how many, which call comes first), the same inside a zoom, and the opening of an episode (question,
zoom, what was seen, next call). One token format from the start; the mixture is kept to the end,
because episodes alone let locating fade.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from pixelis.answers.types import CANNOT
from pixelis.data import phrases, tasks
from pixelis.data.oracle import listed, tally
from pixelis.data.solutions import SOLUTIONS
from pixelis.data.solver import Solver
from pixelis.data.tasks import Query
from pixelis.data.worlds import words
from pixelis.data.worlds.crowd import GLYPH
from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.scene import Item
from pixelis.episode import Episode
from pixelis.models.nano import SYSTEM
from pixelis.models.template import VISION, Segment, call_text, segments
from pixelis.training import drills
from pixelis.training.drills import turn
from pixelis.training.pool import Record
from pixelis.training.views import Seen

ROOM = 700  # letters of questions and answers about one picture


@dataclass(frozen=True)
class Lesson:
    """One training sequence: text segments with an image placeholder per picture in `images`.

    `branches` has a number per segment: 0 is seen by all that follows, any other number only by
    segments of that number, whose places are counted as if the others were not there. Empty means
    all 0.
    """

    segments: tuple[Segment, ...]
    images: tuple[Seen, ...]
    branches: tuple[int, ...] = ()


def about(image: Seen, turns: Sequence[tuple[str, str]]) -> Lesson:
    """Questions and answers about one picture, each in a branch of its own.

    The picture is paid for once, and every question stands right behind it, as when it is asked.
    In a common dialogue later answers were copied from earlier ones instead of looked up.
    """
    parts: list[Segment] = []
    turns = within(turns)
    for question, answer in turns:
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": VISION + question},
            {"role": "assistant", "content": answer},
        ]
        opening, written, _ = segments(messages)
        before, after = opening.text.split(VISION)
        parts += [Segment(after), written]
    branches = [k for k in range(1, len(turns) + 1) for _ in range(2)]
    return Lesson((Segment(before + VISION), *parts), (image,), (0, *branches))


def within(turns: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The first turns that have room: attention costs the square of a sequence."""
    lengths = np.cumsum([len(question) + len(answer) for question, answer in turns])
    return turns[: max(1, int(np.searchsorted(lengths, ROOM)))]


def name(item: Item) -> str:
    """How lists and pointing name an item."""
    return (
        item.shape.removeprefix(GLYPH)
        if item.shape.startswith(GLYPH)
        else f"{item.color} {item.shape}"
    )


def _box(seen: Seen, item: Item) -> str:
    return str(list(seen.relative(item)))


def _shown(seen: Seen) -> list[Item]:
    """What this view lets one see: free things in an overview, a card's marks in a zoom."""
    if seen.card < 0:
        found = [i for i in seen.items if i.parent < 0 and i.kind != "text"]
        found += [i for i in seen.items if i.shape.startswith(GLYPH)]
    else:
        found = [i for i in seen.items if i.parent == seen.card and i.kind == "chip"]
    return [item for item in found if seen.visible(item)]


def _ordered(items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item.box.center.y, item.box.center.x))


Turn = tuple[str, str] | None


def ask_list(rng: np.random.Generator, seen: Seen) -> Turn:
    """Every thing in reading order with its box; at most seven."""
    items = _ordered(_shown(seen))
    if not 1 <= len(items) <= 7:
        return None
    return "List everything.", "; ".join(f"{name(i)} {_box(seen, i)}" for i in items)


def _single(rng: np.random.Generator, seen: Seen) -> Item | None:
    items = _shown(seen)
    names = [name(item) for item in items]
    alone = [item for item in items if names.count(name(item)) == 1]
    return alone[int(rng.integers(len(alone)))] if alone else None


def ask_where(rng: np.random.Generator, seen: Seen) -> Turn:
    item = _single(rng, seen)
    return None if item is None else (f"Where is the {name(item)}?", _box(seen, item))


def ask_point(rng: np.random.Generator, seen: Seen) -> Turn:
    item = _single(rng, seen)
    if item is None:
        return None
    return f"Point at the {name(item)}.", str(list(seen.point(tasks.middle(item))))


def ask_at(rng: np.random.Generator, seen: Seen) -> Turn:
    """What is at a place: the item of a random covered patch's centre."""
    items = _shown(seen)
    if not items:
        return None
    item = items[int(rng.integers(len(items)))]
    x, y = seen.point(tasks.middle(item))
    return f"What is at [{x}, {y}]?", name(item)


def ask_glyph(rng: np.random.Generator, seen: Seen) -> Turn:
    """Which letter or digit a zoomed card carries."""
    texts = [
        i for i in seen.items if i.parent == seen.card and i.kind == "text" and len(i.text) == 1
    ]
    if seen.card < 0 or not texts:
        return None
    return "Which character is it?", texts[0].text.upper()


def ask_count(rng: np.random.Generator, seen: Seen) -> Turn:
    """How many in this view of one colour, one shape, or all."""
    items = _shown(seen)
    if not 1 <= len(items) <= 10:
        return None
    kind = rng.random()
    one = items[int(rng.integers(len(items)))]
    if kind < 0.3:
        chosen, words = items, "things"
    elif kind < 0.65:
        chosen, words = [i for i in items if i.color == one.color], f"{one.color} things"
    else:
        chosen, words = [i for i in items if i.shape == one.shape], f"{one.shape} things"
    asked = {id(item) for item in chosen}
    things = [(name(i), list(seen.point(tasks.middle(i))), id(i) in asked) for i in items]
    target = "all" if kind < 0.3 else words.removesuffix(" things")
    return f"How many {words} do you see?", turn(tally(target, things), str(len(chosen)))


ASK: dict[str, Callable[[np.random.Generator, Seen], Turn]] = {
    "list": ask_list,
    "where": ask_where,
    "point": ask_point,
    "at": ask_at,
    "glyph": ask_glyph,
    "count": ask_count,
}


def first_turn(seen: Seen, query: Query) -> str:
    """What the model should write first when asked this: a call, or a count it can see at once."""
    try:
        SOLUTIONS[query.plan.kind](Opening(seen), query.plan)
    except _WrittenError as written:
        return str(written)
    raise ValueError(f"a plan of kind {query.plan.kind!r} begins with nothing")


class Opening(Solver):
    """A solver that writes its first turn and gets no further: nothing is executed."""

    def __init__(self, seen: Seen) -> None:
        there = SimpleNamespace(view=lambda image: seen.view, media=None)
        self.workspace = there  # type: ignore[assignment]
        self.slips = []
        self.detour = None
        self.image = 0

    def act(self, thought: str, op: str, **arguments: object) -> bool:
        raise _WrittenError(turn(thought, call_text(op, arguments)))

    def answer(self, raw: str, thought: str = "") -> Episode:
        raise _WrittenError(turn(thought, raw))


class _WrittenError(Exception):
    """Carries the turn out of the plan."""


def closer_turn(seen: Seen, query: Query) -> str:
    """The turn once the asked things are visible in a zoom: segment one, or count them."""
    plan = query.plan
    if plan.kind == "count":
        thought = tally(plan.counted, listed(plan, lambda place: list(seen.point(place))))
        return turn(thought, f"{len(plan.points)} [crop_1]")
    arguments = {"point_2d": list(seen.point(plan.points[0])), "image": 1}
    thought = plan.led(lambda place: list(seen.point(place)))
    return turn(thought, call_text("segment_object_at", arguments))


def zoom_text(seen: Seen, overview: Seen) -> str:
    """What zoom_in tells the model."""
    part = list(overview.view.to_relative(seen.view.box))
    box, size = seen.view.box, seen.view.size
    return (
        f"crop_1 is image 1: part {part} of image 0, "
        f"{round(box.width)}x{round(box.height)} px enlarged to {size.width}x{size.height}"
    )


def ask_unknown(rng: np.random.Generator, seen: Seen) -> tuple[str, str]:
    """Something no look at the pixels can tell, or about a thing that is not there."""
    absent = sorted(set(COLORS) - {item.color for item in seen.items})
    kind = str(rng.choice(["unknown", "unknown", "read_card", "shape_of", "shape_on"]))
    if kind == "unknown" or not absent:
        return phrases.ask(rng, "unknown", {}), CANNOT
    color = absent[int(rng.integers(len(absent)))]
    slots = {"card": f"{color} {phrases.CARD}", "color": color}
    return phrases.ask(rng, kind, slots), CANNOT


def _named(rng: np.random.Generator, slots: dict[str, str]) -> dict[str, str]:
    """Now and then with names that no world has, as people call things what they like."""
    if rng.random() < 0.7:
        return slots
    some = str(rng.choice(words.EVERYDAY))
    return {"thing": some, "some": some, "noun": some, "nouns": some + "s", **slots}


def look_lesson(rng: np.random.Generator, record: Record, turns: int) -> Lesson | None:
    """Several questions about the overview: seeing, and which call comes first."""
    seen = record.views[0]
    found: list[tuple[str, str]] = []
    for _ in range(turns):
        if rng.random() < DRILLED:
            found.append(drills.ask(rng))
            continue
        if record.queries and rng.random() < 0.5:
            query = balanced(rng, record.queries)
            question = phrases.ask(rng, query.kind, _named(rng, query.slots))
            found.append((question, first_turn(seen, query)))
            continue
        if rng.random() < UNKNOWN:
            found.append(ask_unknown(rng, seen))
            continue
        made = ASK[str(rng.choice(["list", "where", "point", "at", "count"], p=LOOK))](rng, seen)
        if made is not None:
            found.append(made)
    return about(seen, found) if found else None


DRILLED = 0.3
UNKNOWN = 0.15
LOOK = (0.15, 0.25, 0.2, 0.2, 0.2)


def balanced(rng: np.random.Generator, queries: Sequence[Query]) -> Query:
    """A query with each family equally likely."""
    families = sorted({query.family for query in queries})
    family = families[int(rng.integers(len(families)))]
    return tasks.choose(rng, [query for query in queries if query.family == family])


def zoom_lesson(rng: np.random.Generator, record: Record, turns: int) -> Lesson | None:
    """Several questions about what a zoom shows."""
    if len(record.views) < 2:
        return None
    seen = record.views[int(rng.integers(1, len(record.views)))]
    kinds = list(rng.choice(["list", "where", "point", "at", "count"], turns))
    if rng.random() < 0.8:
        kinds[0] = "glyph"  # few cards carry one letter, and letters are learned slowest
    made = [ASK[str(kind)](rng, seen) for kind in kinds]
    found = [one for one in made if one is not None]
    return about(seen, found) if found else None


def episode_lesson(rng: np.random.Generator, record: Record) -> Lesson | None:
    """Question, zoom, what was seen, next call or count."""
    overview = record.views[0]
    zooms = {view.card: view for view in record.views[1:]}
    boxes = {overview.items[card].box: view for card, view in zooms.items()}
    chosen = [
        q for q in record.queries if q.plan.kind in ("measure", "count") and q.plan.box in boxes
    ]
    if not chosen:
        return None
    query = balanced(rng, chosen)
    seen = boxes[query.plan.box]  # type: ignore[index]
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": VISION + phrases.ask(rng, query.kind, query.slots)},
        {"role": "assistant", "content": first_turn(overview, query)},
        {"role": "tool", "content": zoom_text(seen, overview) + VISION},
        {"role": "assistant", "content": closer_turn(seen, query)},
    ]
    return Lesson(tuple(segments(messages)), (overview, seen))
