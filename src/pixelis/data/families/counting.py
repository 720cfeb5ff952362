"""object_counting: how many on a card, in the open, or how many bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pixelis.data.families.naming import card_names, middle
from pixelis.data.plans import Plan, Query
from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.scene import Item, Scene
from pixelis.geometry import Box


def queries(scene: Scene) -> Iterator[Query]:
    """How many: on a card after a look closer, or free objects in scenes without cards."""
    for index, name in card_names(scene).items():
        chips = [item for item in scene.children(index) if item.kind == "chip"]
        if len(chips) > 1:
            where = f" on the {scene.items[index].color} sign"
            yield from _counts(chips, where, {"card": name}, "count_on", scene.items[index].box)
    bars = [item for item in scene.items if item.kind == "bar"]
    if bars:
        yield _bars(bars)
        return
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


def _bars(bars: Sequence[Item]) -> Query:
    """How many bars a chart has."""
    places = tuple(middle(bar) for bar in sorted(bars, key=lambda bar: bar.box.x1))
    among = tuple((f"{bar.color} bar", middle(bar)) for bar in bars)
    plan = Plan("count", "all bars", None, places, among=among)
    return Query("object_counting", "count_bars", {}, str(len(bars)), "number", plan)
