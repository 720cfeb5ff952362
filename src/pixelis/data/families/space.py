"""spatial_reasoning: where things are to one another, by locating and segmenting them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from pixelis.answers.types import AnswerType
from pixelis.data.families.naming import Named, measure, plain, things
from pixelis.data.plans import Plan, Query
from pixelis.data.worlds.scene import Item, Scene

FAMILY = "spatial_reasoning"
NEARER = 1.35  # how many times farther the next one must be
SIDES = {
    "left": "[left of|to the left of|on the left of|further left than]",
    "right": "[right of|to the right of|on the right of|further right than]",
    "above": "[above|over|higher up than|further up than]",
    "below": "[below|under|beneath|lower down than]",
}
EDGES = {
    "left": "[leftmost|furthest left|most left]",
    "right": "[rightmost|furthest right|most right]",
    "above": "[topmost|highest|uppermost]",
    "below": "[lowest|bottommost|lowermost]",
}
THIRDS = (1 / 3, 2 / 3)
SLACK = 0.045  # how far from the border between two thirds a thing must be


def queries(scene: Scene) -> Iterator[Query]:
    """Sides, edges, nearest and farthest, between, and where a thing is."""
    named = things(scene)[:8]
    objects = [t for t in named if t.item.kind == "object"]
    for one, other in permutations(named, 2):
        yield from _sides(one, other)
    free = [item for item in scene.items if item.kind in ("object", "card", "bar")]
    if len(objects) == len(free) and len(free) > 2:
        yield from _edges(objects)
        for thing in objects:
            yield from _distances(thing, objects)
            yield from _only(thing, objects)
        yield from _between(objects)
    for thing in objects:
        yield from _where(scene, thing)


def _apart(one: Item, other: Item, side: str) -> bool:
    """Whether the first lies on that side of the second without doubt."""
    a, b = one.box, other.box
    if side in ("right", "below"):
        a, b = b, a
    if side in ("left", "right"):
        step, room = b.center.x - a.center.x, 0.5 * (a.width + b.width)
        return step > 0.7 * room and b.x1 > a.x1 + 0.25 * min(a.width, b.width)
    step, room = b.center.y - a.center.y, 0.5 * (a.height + b.height)
    return step > 0.7 * room and b.y1 > a.y1 + 0.25 * min(a.height, b.height)


def _sides(one: Named, other: Named) -> Iterator[Query]:
    slots = {"a": one.name, "b": other.name}
    target = f"{plain(one)}, {plain(other)}"
    points = (one.point, other.point)
    for axis, pair in (("x", ("left", "right")), ("y", ("above", "below"))):
        side = next((side for side in pair if _apart(one.item, other.item, side)), None)
        if side is None:
            continue
        plan = Plan("side", target, None, points, axis, words=pair, say="words")
        kind = "side_x" if axis == "x" else "side_y"
        yield Query(FAMILY, kind, slots, side, "word", plan)
        for asked, say in zip(pair, ("yes_less", "yes_more"), strict=True):
            plan = Plan("side", target, None, points, axis, words=pair, say=say)
            verdict = "yes" if asked == side else "no"
            full = {**slots, "side": SIDES[asked]}
            yield Query(FAMILY, "side_yes", full, verdict, "yes_no", plan)
        plan = Plan("side", target, None, points, axis, words=("A", "B"), say="words")
        yield Query(FAMILY, f"{kind}_option", slots, "AB"[pair.index(side)], "option", plan)


def _looks(
    kind: str,
    item: Item,
    target: str,
    slots: dict[str, str],
    hard: int = 0,
    anchors: Sequence[Named] = (),
) -> Iterator[Query]:
    """Its colour and its shape; the thought names the other of the two."""
    places = tuple((plain(thing), thing.point) for thing in anchors)
    answers: tuple[tuple[str, AnswerType, str], ...] = (
        ("color", "color", item.shape), ("shape", "word", f"{item.color} one"),
    )  # fmt: skip
    for field, answer_type, seen in answers:
        plan = replace(measure(f"{target}: {seen}", item, field), anchors=places)
        answer = str(getattr(item, field))
        yield Query(FAMILY, f"{field}_{kind}", slots, answer, answer_type, plan, hard)


def _edges(objects: Sequence[Named]) -> Iterator[Query]:
    keys = {
        "left": lambda item: item.box.center.x,
        "right": lambda item: -item.box.center.x,
        "above": lambda item: item.box.center.y,
        "below": lambda item: -item.box.center.y,
    }
    for side, key in keys.items():
        first, second = sorted((t.item for t in objects), key=key)[:2]
        if key(second) - key(first) > 0.5 * max(first.box.width, first.box.height):
            target = EDGES[side][1:-1].split("|")[0]
            yield from _looks("edge", first, target, {"edge": EDGES[side]})


def _distances(thing: Named, objects: Sequence[Named]) -> Iterator[Query]:
    center = thing.item.box.center
    others = sorted(
        (t.item for t in objects if t.item is not thing.item),
        key=lambda item: math.dist(item.box.center, center),
    )
    far = [math.dist(item.box.center, center) for item in others]
    slots = {"a": thing.name}
    if far[1] > NEARER * far[0]:
        target = f"nearest to the {plain(thing)}"
        yield from _looks("near", others[0], target, slots, 1, [thing])
    if far[-1] > NEARER * far[-2]:
        target = f"farthest from the {plain(thing)}"
        yield from _looks("far", others[-1], target, slots, 1, [thing])


def _only(thing: Named, objects: Sequence[Named]) -> Iterator[Query]:
    """The one thing on a side of another."""
    for side, words in SIDES.items():
        there = [t.item for t in objects if _apart(t.item, thing.item, side)]
        doubt = [
            t.item
            for t in objects
            if t.item is not thing.item and t.item not in there and _leans(t.item, thing.item, side)
        ]
        if len(there) == 1 and not doubt:
            target = (
                f"{side} of the {plain(thing)}"
                if side in ("left", "right")
                else f"{side} the {plain(thing)}"
            )
            slots = {"a": thing.name, "side": words}
            yield from _looks("side", there[0], target, slots, 1, [thing])


def _leans(one: Item, other: Item, side: str) -> bool:
    a, b = one.box.center, other.box.center
    return {"left": a.x < b.x, "right": a.x > b.x, "above": a.y < b.y, "below": a.y > b.y}[side]


def _between(objects: Sequence[Named]) -> Iterator[Query]:
    """The one thing near the line that joins two others."""
    for index, one in enumerate(objects):
        for other in objects[index + 1 :]:
            rest = [t.item for t in objects if t is not one and t is not other]
            on = [item for item in rest if _amid(item, one.item, other.item, 0.16)]
            near = [item for item in rest if _amid(item, one.item, other.item, 0.34)]
            if len(on) == len(near) == 1:
                target = f"between the {plain(one)} and the {plain(other)}"
                slots = {"a": one.name, "b": other.name}
                yield from _looks("between", on[0], target, slots, 1, [one, other])


def _amid(item: Item, one: Item, other: Item, off: float) -> bool:
    """Whether it lies between them, at most `off` of their distance beside the line."""
    ax, ay = one.box.center
    dx, dy = other.box.center.x - ax, other.box.center.y - ay
    length = math.hypot(dx, dy)
    px, py = item.box.center.x - ax, item.box.center.y - ay
    along, beside = (px * dx + py * dy) / length**2, abs(px * dy - py * dx) / length**2
    return 0.2 - off / 2 < along < 0.8 + off / 2 and beside < off


def _where(scene: Scene, thing: Named) -> Iterator[Query]:
    """Which of nine parts of the picture it is in, as `get_properties` names them."""
    x, y = thing.item.box.center
    across, down = x / scene.size.width, y / scene.size.height
    if any(abs(value - third) < SLACK for value in (across, down) for third in THIRDS):
        return
    column = ("left", "", "right")[sum(across > third for third in THIRDS)]
    row = ("top", "", "bottom")[sum(down > third for third in THIRDS)]
    answer = f"{row} {column}".strip() or "centre"
    plan = measure(plain(thing), thing.item, "position")
    yield Query(FAMILY, "where", {"a": thing.name}, answer, "word", plan)
