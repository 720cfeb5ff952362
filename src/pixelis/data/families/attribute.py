"""attribute_recognition: colour and shape of marks, free objects, cards and bars."""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.answers.types import AnswerType
from pixelis.data import phrases
from pixelis.data.families.naming import bare, card_names, measure, place_of, size_word, unique
from pixelis.data.plans import Plan, Query
from pixelis.data.worlds.scene import Item, Scene


def queries(scene: Scene) -> Iterator[Query]:
    """Colour and shape of small marks on cards and of free objects."""
    yield from _mark_queries(scene)
    yield from _object_queries(scene)
    yield from _card_queries(scene)


def _mark_queries(scene: Scene) -> Iterator[Query]:
    family = "attribute_recognition"
    for index, name in card_names(scene).items():
        card = scene.items[index]
        chips = [item for item in scene.children(index) if item.kind == "chip"]
        shapes, colors = unique([c.shape for c in chips]), unique([c.color for c in chips])
        for chip in chips:
            base = {"card": name}
            where = f"{chip.color} {chip.shape} on the {card.color} sign"
            if len(chips) == 1:
                plan = measure(f"thing on the {card.color} sign", chip, "shape", card.box)
                yield Query(family, "shape_on", base, chip.shape, "word", plan)
            elif chip.color in colors:
                plan = measure(f"{chip.color} on the {card.color} sign", chip, "shape", card.box)
                slots = {**base, "chip": chip.color}
                yield Query(family, "shape_on_color", slots, chip.shape, "word", plan)
            if chip.shape in shapes:
                noun = (
                    chip.shape
                    if len(chips) > 1
                    else f"[{chip.shape}|{chip.shape}|{phrases.THING[1:-1]}]"
                )
                target = where.split(" ", 1)[1]
                plan = measure(target, chip, "color", card.box)
                yield Query(family, "color_on", {**base, "chip": noun}, chip.color, "color", plan)


def _object_queries(scene: Scene) -> Iterator[Query]:
    family = "attribute_recognition"
    objects = [item for item in scene.items if item.kind == "object"]
    cards = [item for item in scene.items if item.kind == "card"]
    colors = unique([item.color for item in objects + cards])
    shapes = unique([item.shape for item in objects])
    taken = {item.shape for item in scene.items if item.kind == "chip"}
    if len(objects) == 1 and not cards:
        yield from _both(objects[0], "only", {}, "the")
    square = any(card.box.width < 1.3 * card.box.height for card in cards)
    for item in objects:
        if item.color in colors:
            plan = measure(f"{item.color} object", item, "shape")
            yield Query(family, "shape_of", {"color": item.color}, item.shape, "word", plan)
        if item.shape in shapes - taken and not (item.shape == "square" and square):
            plan = measure(item.shape, item, "color")
            yield Query(family, "color_of", {"shape": item.shape}, item.color, "color", plan)
        place = place_of(scene, item, objects + cards)
        if place:
            yield from _both(item, "place", {"place": place}, place)
        size = "" if cards else size_word(item, objects)
        if size:
            yield from _both(item, "size", {"size": size}, size)


def _card_queries(scene: Scene) -> Iterator[Query]:
    """The colour of the only card, named as such or by what is written on it."""
    cards = [(index, item) for index, item in enumerate(scene.items) if item.kind == "card"]
    if len(cards) != 1 or any(item.kind == "object" for item in scene.items):
        return
    index, card = cards[0]
    place = bare(card, scene.children(index))
    if place is None:
        return
    plan = Plan("measure", "color of the sign", None, (place,), "color")
    texts = [item.text for item in scene.children(index) if item.kind == "text"]
    said = texts[0].split("\n")[0] if texts else ""
    slots = {
        "card": phrases.CARD + (f"[| [that says|with the text|reading] {said}]" if said else "")
    }
    yield Query("attribute_recognition", "color_card", slots, card.color, "color", plan)


def _both(item: Item, kind: str, slots: dict[str, str], words: str) -> Iterator[Query]:
    """Its colour and its shape, asked for by where it is or how large it is."""
    target = f"{words.split('|')[0].strip('[]')} object"
    kinds: tuple[tuple[str, AnswerType], ...] = (("color", "color"), ("shape", "word"))
    for field, answer_type in kinds:
        plan = measure(target, item, field)
        answer = str(getattr(item, field))
        yield Query("attribute_recognition", f"{field}_{kind}", slots, answer, answer_type, plan)
