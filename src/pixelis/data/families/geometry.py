"""geometric_comparison: which of two named things is larger, wider or taller, by measuring both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from pixelis.data.families.naming import Named, answer_type, plain, things
from pixelis.data.plans import Plan, Query
from pixelis.data.worlds.scene import Scene

FAMILY = "geometric_comparison"
MARGIN = 1.3  # least ratio of the measures of two things that are compared
CLEAR = 1.7  # above it the question is easy
TINY_PX = 24.0
WORDS = {
    ("size", "more"): "[bigger|larger|greater in size|of greater size]",
    ("size", "less"): "[smaller|tinier|lesser in size|less big]",
    ("width", "more"): "[wider|broader|longer from left to right|of greater width]",
    ("width", "less"): "[narrower|less wide|shorter from left to right|of smaller width]",
    ("height", "more"): "[taller|higher from top to bottom|longer from top to bottom]",
    ("height", "less"): "[shorter from top to bottom|less tall|lower from top to bottom]",
}  # fmt: skip


def queries(scene: Scene) -> Iterator[Query]:
    """Every pair of things whose measures differ clearly."""
    named = [thing for thing in things(scene) if min(_sides(thing)) >= TINY_PX]
    for one, other in permutations(named[:7], 2):
        for field in ("size", "width", "height"):
            if field == "width" and "bar" in (one.item.kind, other.item.kind):
                continue
            ratio = _ratio(field, one, other)
            if max(ratio, 1 / ratio) >= MARGIN:
                yield from _pair(scene, field, one, other, ratio > 1)


def _sides(thing: Named) -> tuple[float, float]:
    return thing.item.box.width, thing.item.box.height


def _ratio(field: str, one: Named, other: Named) -> float:
    """How many times the first is the second; 1 when one is wider and the other taller."""
    across, down = (a / b for a, b in zip(_sides(one), _sides(other), strict=True))
    if field != "size":
        return across if field == "width" else down
    if (across > 1) != (down > 1) or min(max(across, 1 / across), max(down, 1 / down)) < 1.1:
        return 1.0
    return across * down


def _pair(scene: Scene, field: str, one: Named, other: Named, first: bool) -> Iterator[Query]:
    ratio = _ratio(field, one, other)
    hard = int(max(ratio, 1 / ratio) < CLEAR)
    names = (one.answer, other.answer)
    kind = answer_type(one, other)
    for say in ("more", "less"):
        target = f"{plain(one)}, {plain(other)}"
        points = (one.point, other.point)
        slots = {"a": one.name, "b": other.name, "more": WORDS[field, say]}
        picked = names[first != (say == "more")]
        if one.answer != other.answer:
            plan = Plan("compare", target, None, points, field, names=names, say=say)
            yield Query(FAMILY, "compare_pick", slots, picked, kind, plan, hard)
            letter = "AB"[first != (say == "more")]
            plan = Plan("compare", target, None, points, field, names=("A", "B"), say=say)
            yield Query(FAMILY, "compare_option", slots, letter, "option", plan, hard)
        verdict = "yes" if first == (say == "more") else "no"
        plan = Plan("compare", target, None, points, field, names=names, say=f"yes_{say}")
        yield Query(FAMILY, "compare_yes", slots, verdict, "yes_no", plan, hard)
