"""Tasks: a scene, a question in somebody's words, the gold answer and how to find it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from pixelis.answers.types import AnswerType
from pixelis.data import phrases
from pixelis.data.worlds import layouts
from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.scene import Item, Scene
from pixelis.errors import ConfigError
from pixelis.geometry import Box

FAMILIES = ("text_extraction", "attribute_recognition", "object_counting")
SPLITS = {"train": 0, "test": 1, "shift": 2, "calibration": 3}
Split = Literal["train", "test", "shift", "calibration"]


@dataclass(frozen=True)
class Plan:
    """How a task is solved, in source pixels.

    Attributes:
        kind: `read`, `measure`, `count` or `unknown`.
        target: a few words naming what is looked for (the thought before the first call).
        box: the part to read or zoom into; None for the whole picture.
        points: where the things to measure or count are.
        among: name and place of everything that could be meant, for `count`.
        field: `color` or `shape` for `measure`; `first` or `last` when one line is asked for.
    """

    kind: str
    target: str = ""
    box: Box | None = None
    points: tuple[tuple[float, float], ...] = ()
    field: str = ""
    among: tuple[tuple[str, tuple[float, float]], ...] = ()


@dataclass(frozen=True)
class Task:
    """One question with its truth. `answer_type` is text, word, color or number."""

    id: str
    family: str
    scene: Scene
    question: str
    answer: str
    answer_type: AnswerType
    difficulty: str
    plan: Plan

    @property
    def image(self) -> Image.Image:
        return Image.fromarray(self.scene.pixels)

    @property
    def domain(self) -> str:
        return self.scene.domain


@dataclass(frozen=True)
class Query:
    """A question kind with its slots, before it is worded."""

    family: str
    kind: str
    slots: dict[str, str]
    answer: str
    answer_type: AnswerType
    plan: Plan


def _unique(values: Sequence[str]) -> set[str]:
    return {value for value, count in Counter(values).items() if count == 1}


def middle(item: Item) -> tuple[float, float]:
    """A point on the item's ink: its centre, or off it for shapes with a hollow centre."""
    box = item.box
    x, y = box.center
    if item.shape == "ring":
        return x - box.width * 0.37, y
    if item.shape == "crescent":
        return x - box.width * 0.34, y + box.height * 0.16
    return x, y


def _card_names(scene: Scene) -> dict[int, str]:
    """Unambiguous names of cards: by colour, or just the noun when there is one card only."""
    cards = [(index, item) for index, item in enumerate(scene.items) if item.kind == "card"]
    free = [item.color for item in scene.items if item.kind == "object"]
    alone = _unique([item.color for _, item in cards])
    names = {
        index: f"{item.color} {phrases.CARD}"
        for index, item in cards
        if item.color in alone and (item.color not in free)
    }
    return names


def read_queries(scene: Scene) -> Iterator[Query]:
    """What a card says; everything there is to read when only one thing is written."""
    texts = [item for item in scene.items if item.kind == "text"]
    names = _card_names(scene)
    for item in texts:
        if item.parent in names:
            card = scene.items[item.parent]
            plan = Plan("read", f"the {card.color} sign", card.box)
            slots = {"card": names[item.parent]}
            yield Query("text_extraction", "read_card", slots, item.text, "text", plan)
        place = _place(scene, scene.items[item.parent], [scene.items[t.parent] for t in texts])
        if place:
            plan = Plan(
                "read", f"text {place.split('|')[-1].strip('[]')}", scene.items[item.parent].box
            )
            slots = {"place": place}
            yield Query("text_extraction", "read_place", slots, item.text, "text", plan)
    if len(texts) == 1:
        plan = Plan("read", "all text")
        yield Query("text_extraction", "read_all", {}, texts[0].text, "text", plan)
        lines = texts[0].text.split("\n")
        for field, line in (("first", lines[0]), ("last", lines[-1])):
            if len(lines) > 1:
                plan = Plan("read", f"{field} line", field=field)
                yield Query("text_extraction", f"read_{field}", {}, line, "text", plan)


_ROWS = ("top", "", "bottom")
_COLUMNS = ("left", "", "right")


def _region(scene: Scene, item: Item) -> str:
    x = item.box.center.x / scene.size.width
    y = item.box.center.y / scene.size.height
    row = 0 if y < 0.36 else 2 if y > 0.64 else 1 if 0.42 < y < 0.58 else -1
    column = 0 if x < 0.36 else 2 if x > 0.64 else 1 if 0.42 < x < 0.58 else -1
    if row < 0 or column < 0:
        return ""
    return f"{_ROWS[row]} {_COLUMNS[column]}".strip() or "middle"


def _place(scene: Scene, item: Item, rivals: Sequence[Item]) -> str:
    """Words for where it is, empty when a rival is there as well or it is between regions."""
    region = _region(scene, item)
    if not region or sum(_region(scene, rival) in (region, "") for rival in rivals) > 1:
        return ""
    if region == "middle":
        return "[in the middle|in the center|in the centre]"
    if " " in region:
        row, column = region.split()
        corner = f"in the {row}-{column} corner|in the {region} corner"
        return f"[at the {region}|in the {region}|{corner}|{region}]"
    if region in ("left", "right"):
        return f"[on the {region}|at the {region}|on the {region} side]"
    word = {
        "top": "[at the top|at the top|up top]",
        "bottom": "[at the bottom|at the bottom|down below]",
    }
    return word[region]


def _size_word(item: Item, rivals: Sequence[Item]) -> str:
    """`biggest` or `smallest` when it is so by a clear margin."""
    areas = sorted(rival.box.area for rival in rivals)
    if len(areas) < 2:
        return ""
    if item.box.area == areas[-1] and areas[-1] > 1.7 * areas[-2]:
        return "[biggest|largest]"
    if item.box.area == areas[0] and areas[1] > 1.7 * areas[0]:
        return "[smallest|tiniest|smallest]"
    return ""


def attribute_queries(scene: Scene) -> Iterator[Query]:
    """Colour and shape of small marks on cards and of free objects."""
    yield from _mark_queries(scene)
    yield from _object_queries(scene)
    yield from _card_queries(scene)


def _measure(target: str, item: Item, field: str, box: Box | None = None) -> Plan:
    return Plan("measure", f"{field} of the {target}", box, (middle(item),), field)


def _mark_queries(scene: Scene) -> Iterator[Query]:
    family = "attribute_recognition"
    for index, name in _card_names(scene).items():
        card = scene.items[index]
        chips = [item for item in scene.children(index) if item.kind == "chip"]
        shapes, colors = _unique([c.shape for c in chips]), _unique([c.color for c in chips])
        for chip in chips:
            base = {"card": name}
            where = f"{chip.color} {chip.shape} on the {card.color} sign"
            if len(chips) == 1:
                plan = _measure(f"thing on the {card.color} sign", chip, "shape", card.box)
                yield Query(family, "shape_on", base, chip.shape, "word", plan)
            elif chip.color in colors:
                plan = _measure(f"{chip.color} on the {card.color} sign", chip, "shape", card.box)
                slots = {**base, "chip": chip.color}
                yield Query(family, "shape_on_color", slots, chip.shape, "word", plan)
            if chip.shape in shapes:
                noun = (
                    chip.shape
                    if len(chips) > 1
                    else f"[{chip.shape}|{chip.shape}|{phrases.THING[1:-1]}]"
                )
                target = where.split(" ", 1)[1]
                plan = _measure(target, chip, "color", card.box)
                yield Query(family, "color_on", {**base, "chip": noun}, chip.color, "color", plan)


def _object_queries(scene: Scene) -> Iterator[Query]:
    family = "attribute_recognition"
    objects = [item for item in scene.items if item.kind == "object"]
    cards = [item for item in scene.items if item.kind == "card"]
    colors = _unique([item.color for item in objects + cards])
    shapes = _unique([item.shape for item in objects])
    taken = {item.shape for item in scene.items if item.kind == "chip"}
    if len(objects) == 1 and not cards:
        yield from _both(objects[0], "only", {}, "the")
    square = any(card.box.width < 1.3 * card.box.height for card in cards)
    for item in objects:
        if item.color in colors:
            plan = _measure(f"{item.color} object", item, "shape")
            yield Query(family, "shape_of", {"color": item.color}, item.shape, "word", plan)
        if item.shape in shapes - taken and not (item.shape == "square" and square):
            plan = _measure(item.shape, item, "color")
            yield Query(family, "color_of", {"shape": item.shape}, item.color, "color", plan)
        place = _place(scene, item, objects + cards)
        if place:
            yield from _both(item, "place", {"place": place}, place)
        size = "" if cards else _size_word(item, objects)
        if size:
            yield from _both(item, "size", {"size": size}, size)


def _card_queries(scene: Scene) -> Iterator[Query]:
    """The colour of the only card, named as such or by what is written on it."""
    cards = [(index, item) for index, item in enumerate(scene.items) if item.kind == "card"]
    if len(cards) != 1 or any(item.kind == "object" for item in scene.items):
        return
    index, card = cards[0]
    place = _bare(card, scene.children(index))
    if place is None:
        return
    plan = Plan("measure", "color of the sign", None, (place,), "color")
    texts = [item.text for item in scene.children(index) if item.kind == "text"]
    said = texts[0].split("\n")[0] if texts else ""
    slots = {
        "card": phrases.CARD + (f"[| [that says|with the text|reading] {said}]" if said else "")
    }
    yield Query("attribute_recognition", "color_card", slots, card.color, "color", plan)


def _bare(card: Item, inside: Sequence[Item]) -> tuple[float, float] | None:
    """A point on a card with nothing on it: left, right, above or below what it carries."""
    box = card.box
    for fx, fy in ((0.5, 0.14), (0.5, 0.86), (0.12, 0.5), (0.88, 0.5)):
        x, y = box.x1 + fx * box.width, box.y1 + fy * box.height
        near = Box(x, y, x, y).pad(0.04 * min(box.width, box.height) + 2)
        if all(near.intersect(item.box).area == 0 for item in inside):
            return x, y
    return None


def _both(item: Item, kind: str, slots: dict[str, str], words: str) -> Iterator[Query]:
    """Its colour and its shape, asked for by where it is or how large it is."""
    target = f"{words.split('|')[0].strip('[]')} object"
    kinds: tuple[tuple[str, AnswerType], ...] = (("color", "color"), ("shape", "word"))
    for field, answer_type in kinds:
        plan = _measure(target, item, field)
        answer = str(getattr(item, field))
        yield Query("attribute_recognition", f"{field}_{kind}", slots, answer, answer_type, plan)


def count_queries(scene: Scene) -> Iterator[Query]:
    """How many: on a card after a look closer, or free objects in scenes without cards."""
    for index, name in _card_names(scene).items():
        chips = [item for item in scene.children(index) if item.kind == "chip"]
        if len(chips) > 1:
            where = f" on the {scene.items[index].color} sign"
            yield from _counts(chips, where, {"card": name}, "count_on", scene.items[index].box)
    objects = [item for item in scene.items if item.kind == "object"]
    if objects and not any(item.kind == "card" for item in scene.items):
        yield from _counts(objects, "", {}, "count", None)


def _counts(
    items: Sequence[Item], where: str, slots: dict[str, str], prefix: str, box: Box | None
) -> Iterator[Query]:
    among = tuple((f"{item.color} {item.shape}", middle(item)) for item in items)

    def query(kind: str, target: str, chosen: Sequence[Item], extra: dict[str, str]) -> Query:
        ordered = sorted((middle(item) for item in chosen), key=lambda p: (p[1], p[0]))
        plan = Plan("count", target + where, box, tuple(ordered), among=among)
        full = {**slots, **extra}
        return Query("object_counting", f"{prefix}_{kind}", full, str(len(chosen)), "number", plan)

    yield query("all", "all", items, {})
    if box is None and len({item.shape for item in items}) == 1:
        yield query("nouns", "all", items, {})
    for color in sorted({item.color for item in items}):
        chosen = [item for item in items if item.color == color]
        yield query("color", color, chosen, {"color": color})
    absent = sorted(set(COLORS) - {item.color for item in items})[0]
    yield query("color", absent, [], {"color": absent})
    for shape in sorted({item.shape for item in items}):
        chosen = [item for item in items if item.shape == shape]
        plural = {"cross": "crosses"}.get(shape, f"{shape}s")
        noun = f"[{plural}|{plural}|{shape} shapes]"
        yield query("shape", shape, chosen, {"shapes": noun})
        for color in sorted({item.color for item in items}):
            both = [item for item in chosen if item.color == color]
            named = {"shapes": f"{color} {noun}"}
            yield query("shape", f"{color} {shape}", both, named)


MAKERS: dict[str, Callable[[Scene], Iterator[Query]]] = {
    "text_extraction": read_queries,
    "attribute_recognition": attribute_queries,
    "object_counting": count_queries,
}


def choose(rng: np.random.Generator, queries: Sequence[Query]) -> Query:
    """One of them: each kind of question equally likely, then each gold answer.

    Without the second step two thirds of all counts would be one.
    """
    kind = _one(rng, [query.kind for query in queries])
    pool = [query for query in queries if query.kind == kind]
    answer = _one(rng, [query.answer for query in pool])
    rest = [query for query in pool if query.answer == answer]
    return rest[int(rng.integers(len(rest)))]


def _one(rng: np.random.Generator, values: Sequence[str]) -> str:
    distinct = sorted(set(values))
    return distinct[int(rng.integers(len(distinct)))]


def difficulty(scene: Scene, query: Query) -> str:
    """easy / medium / hard by how small the target is and how much else there is."""
    points = [item for item in scene.items if item.kind in ("chip", "object", "text")]
    clutter = len(points) + 2 * len([item for item in scene.items if item.kind == "card"])
    small = (
        query.plan.box is not None
        and query.plan.box.area < 0.06 * scene.size.width * scene.size.height
    )
    many = len(query.plan.points) > 4
    level = (clutter > 9) + small + many
    return ("easy", "medium", "hard", "hard")[level]


def draw(
    seed: int, index: int, split: Split = "train", families: tuple[str, ...] | None = None
) -> Task:
    """Task number `index` of a stream; the same arguments give the same task on every machine."""
    if split not in SPLITS:
        raise ConfigError(f"split {split!r}: allowed are {', '.join(SPLITS)}")
    wanted = families or FAMILIES
    for name in wanted:
        if name not in MAKERS:
            raise ConfigError(f"family {name!r}: allowed are {', '.join(MAKERS)}")
    rng = np.random.default_rng([seed, SPLITS[split], index])
    family = wanted[index % len(wanted)]
    shift = split == "shift"
    while True:
        scene = layouts.draw_scene(rng, layouts.draw_domain(rng, held_out=shift))
        queries = list(MAKERS[family](scene))
        if queries:
            break
    query = choose(rng, queries)
    question = phrases.ask(rng, query.kind, query.slots, shift)
    return Task(
        f"{split}-{seed}-{index}", family, scene, question, query.answer, query.answer_type,
        difficulty(scene, query), query.plan,
    )  # fmt: skip
