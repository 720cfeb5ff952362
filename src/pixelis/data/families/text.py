"""text_extraction: what a card says, and single lines of pages and documents."""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.families import document
from pixelis.data.families.naming import card_names, place_of
from pixelis.data.plans import Plan, Query
from pixelis.data.worlds import documents
from pixelis.data.worlds.scene import Scene


def queries(scene: Scene) -> Iterator[Query]:
    """What a card says; everything there is to read when only one thing is written."""
    if scene.kind in documents.KINDS:
        yield from document.queries(scene)
        return
    texts = [item for item in scene.items if item.kind == "text"]
    names = card_names(scene)
    for item in texts:
        if item.parent in names:
            card = scene.items[item.parent]
            plan = Plan("read", f"the {card.color} sign", card.box)
            slots = {"card": names[item.parent]}
            yield Query("text_extraction", "read_card", slots, item.text, "text", plan)
        place = place_of(scene, scene.items[item.parent], [scene.items[t.parent] for t in texts])
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
