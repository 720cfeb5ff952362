"""relationship_detection: what belongs to what, touches, carries or looks like what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from pixelis.answers.types import AnswerType
from pixelis.data import phrases
from pixelis.data.families.naming import bare, card_names, measure, middle, unique
from pixelis.data.plans import Place, Plan, Query
from pixelis.data.worlds.scene import Item, Scene

FAMILY = "relationship_detection"
Anchor = tuple[str, Place]
LINKS = {
    "touch": "[touching|next to|right beside|in contact with|leaning against|pressed against]",
    "tied": "[tied to|on the string of|connected to|joined by a string to|attached to|held by]",
}


def queries(scene: Scene) -> Iterator[Query]:
    """Links, cards and what is on them, what a sign says, likeness, and labels of a chart."""
    yield from _links(scene)
    yield from _shelves(scene)
    yield from _carriers(scene)
    yield from _signs(scene)
    yield from _likeness(scene)
    yield from _labels(scene)


def _looks(
    kind: str, item: Item, target: str, slots: dict[str, str], anchor: Anchor, hard: int = 0
) -> Iterator[Query]:
    """Its colour and its shape; the thought names the other of the two."""
    answers: tuple[tuple[str, AnswerType, str], ...] = (
        ("color", "color", item.shape), ("shape", "word", f"{item.color} one"),
    )  # fmt: skip
    for field, answer_type, seen in answers:
        plan = replace(measure(f"{target}: {seen}", item, field), anchors=(anchor,))
        answer = str(getattr(item, field))
        yield Query(FAMILY, f"{field}_{kind}", slots, answer, answer_type, plan, hard)


def _links(scene: Scene) -> Iterator[Query]:
    """What touches or is tied to a thing, both ways round."""
    for item in scene.items:
        if item.role not in LINKS:
            continue
        first = scene.items[item.link]
        verb = LINKS[item.role]
        for one, other in ((item, first), (first, item)):
            noun = f"[{one.shape}|{phrases.THING[1:-1]}]"
            slots = {"a": f"{one.color} {noun}", "link": verb}
            name = f"{one.color} {one.shape}"
            target = f"{verb[1:-1].split('|')[0]} the {name}"
            yield from _looks("linked", other, target, slots, (name, middle(one)), 1)


def _shelves(scene: Scene) -> Iterator[Query]:
    for item in scene.items:
        if item.role == "top":
            shelf = scene.items[item.link]
            slots = {"card": f"{shelf.color} {phrases.SHELF}"}
            named = f"{shelf.color} shelf"
            place = (shelf.box.center.x, shelf.box.center.y)
            yield from _looks("shelf", item, f"on the {named}", slots, (named, place))
            noun = f"{item.color} [{item.shape}|{phrases.THING[1:-1]}]"
            name = f"{item.color} {item.shape}"
            target = f"color of the shelf under the {name}"
            anchors = ((name, middle(item)),)
            plan = Plan("measure", target, None, (place,), "color", anchors=anchors)
            slots = {"a": noun}
            yield Query(FAMILY, "shelf_of", slots, shelf.color, "color", plan, 1)


def _carriers(scene: Scene) -> Iterator[Query]:
    """Which card a mark is on: the card's colour. Marks are small, so cards are looked at closer,
    one after another from the top."""
    chips = [item for item in scene.items if item.kind == "chip"]
    objects = [item for item in scene.items if item.kind == "object"]
    shapes = unique([item.shape for item in chips + objects])
    both = unique([f"{item.color} {item.shape}" for item in chips + objects])
    names = card_names(scene)
    if len(names) < 2:
        return
    cards = sorted((scene.items[index] for index in names), key=lambda card: card.box.center.y)
    for chip in chips:
        card = scene.items[chip.parent]
        if chip.parent not in names or bare(card, scene.children(chip.parent)) is None:
            continue
        name = sought = f"{chip.color} {chip.shape}"
        if chip.shape in shapes:
            name, sought = f"[{chip.shape}|{sought}]", chip.shape
        elif sought not in both:
            continue
        plan = Plan(
            "seek", f"{cards[0].color} sign", cards[0].box, (middle(chip),),
            names=tuple(card.color for card in cards),
            boxes=tuple(card.box for card in cards), words=(sought,),
        )  # fmt: skip
        hard = int(chip.box.width < scene.size.width / 16)
        yield Query(FAMILY, "carrier", {"a": name}, card.color, "color", plan, hard)


def _signs(scene: Scene) -> Iterator[Query]:
    """Which sign says something: they are read one after another until one does."""
    names = card_names(scene)
    texts = [i for i in scene.items if i.kind == "text" and i.parent in names and not i.role]
    if len(texts) < 2 or len({item.text.lower() for item in texts}) < len(texts):
        return
    texts = sorted(texts, key=lambda item: scene.items[item.parent].box.center.y)
    cards = [scene.items[item.parent] for item in texts]
    for item, card in zip(texts, cards, strict=True):
        said = item.text.replace("\n", " ")
        if len(said) < 3 or any(said.lower() in t.text.lower() for t in texts if t is not item):
            continue
        plan = Plan(
            "read",
            f"{cards[0].color} sign",
            cards[0].box,
            names=tuple(card.color for card in cards),
            boxes=tuple(card.box for card in cards),
            words=(said,),
        )
        yield Query(FAMILY, "says", {"said": said}, card.color, "color", plan, 1)


def _likeness(scene: Scene) -> Iterator[Query]:
    """Whether two things have one colour or shape, and what else has that of a thing."""
    objects = [item for item in scene.items if item.kind == "object"]
    if len(objects) != len([i for i in scene.items if i.kind in ("object", "chip", "card")]):
        return
    shapes, colors = unique([i.shape for i in objects]), unique([i.color for i in objects])
    for one, other in combinations(objects[:7], 2):
        points = (middle(one), middle(other))
        alone = one.shape in shapes and other.shape in shapes
        if alone:
            yield _same("color", one, other, points, (one.shape, other.shape))
        if one.color in colors and other.color in colors:
            words = (f"{one.color} {phrases.THING}", f"{other.color} {phrases.THING}")
            yield _same("shape", one, other, points, words)
        if one.color == other.color and sum(i.color == one.color for i in objects) == 2 and alone:
            for this, that in ((one, other), (other, one)):
                target = f"{this.color} like the {this.shape}: other {this.color} thing"
                anchors = ((this.shape, middle(this)),)
                plan = replace(measure(target, that, "shape"), anchors=anchors)
                slots = {"a": this.shape}
                yield Query(FAMILY, "twin", slots, that.shape, "word", plan, 1)


def _same(
    field: str,
    one: Item,
    other: Item,
    points: tuple[tuple[float, float], ...],
    names: tuple[str, str],
) -> Query:
    equal = getattr(one, field) == getattr(other, field)
    known = "shape" if field == "color" else "color"
    target = f"{getattr(one, known)}, {getattr(other, known)}"
    plan = Plan("same", target, None, points, field)
    slots = {"a": names[0], "b": names[1]}
    return Query(FAMILY, f"same_{field}", slots, "yes" if equal else "no", "yes_no", plan, 1)


def _labels(scene: Scene) -> Iterator[Query]:
    """Which bar stands above a label: found by reading, then measured."""
    for item in scene.items:
        if item.role != "label" or item.link < 0:
            continue
        bar = scene.items[item.link]
        point = (
            item.box.center.x,
            bar.box.y2 - min(0.4 * bar.box.height, 0.05 * scene.size.height),
        )
        plan = Plan("label", f"label {item.text}", None, (point,), "color", words=(item.text,))
        yield Query(FAMILY, "bar_of", {"said": item.text}, bar.color, "color", plan, 1)
