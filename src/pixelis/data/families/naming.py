"""How things of a scene are named so that there is no doubt which one is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pixelis.answers.types import AnswerType
from pixelis.data import phrases
from pixelis.data.plans import Place, Plan
from pixelis.data.worlds.scene import Item, Scene
from pixelis.geometry import Box


def unique(values: Sequence[str]) -> set[str]:
    """Those that stand there once."""
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


def card_names(scene: Scene) -> dict[int, str]:
    """Unambiguous names of cards: by colour, or just the noun when there is one card only."""
    cards = [(index, item) for index, item in enumerate(scene.items) if item.kind == "card"]
    free = [item.color for item in scene.items if item.kind == "object"]
    alone = unique([item.color for _, item in cards])
    names = {
        index: f"{item.color} {phrases.CARD}"
        for index, item in cards
        if item.color in alone and (item.color not in free)
    }
    return names


_ROWS = ("top", "", "bottom")
_COLUMNS = ("left", "", "right")


def region(scene: Scene, item: Item) -> str:
    """`top left`, `middle`, ...; empty between two regions."""
    x = item.box.center.x / scene.size.width
    y = item.box.center.y / scene.size.height
    row = 0 if y < 0.36 else 2 if y > 0.64 else 1 if 0.42 < y < 0.58 else -1
    column = 0 if x < 0.36 else 2 if x > 0.64 else 1 if 0.42 < x < 0.58 else -1
    if row < 0 or column < 0:
        return ""
    return f"{_ROWS[row]} {_COLUMNS[column]}".strip() or "middle"


def place_of(scene: Scene, item: Item, rivals: Sequence[Item]) -> str:
    """Words for where it is, empty when a rival is there as well or it is between regions."""
    where = region(scene, item)
    if not where or sum(region(scene, rival) in (where, "") for rival in rivals) > 1:
        return ""
    if where == "middle":
        return "[in the middle|in the center|in the centre]"
    if " " in where:
        row, column = where.split()
        corner = f"in the {row}-{column} corner|in the {where} corner"
        return f"[at the {where}|in the {where}|{corner}|{where}]"
    if where in ("left", "right"):
        return f"[on the {where}|at the {where}|on the {where} side]"
    word = {
        "top": "[at the top|at the top|up top]",
        "bottom": "[at the bottom|at the bottom|down below]",
    }
    return word[where]


def size_word(item: Item, rivals: Sequence[Item]) -> str:
    """`biggest` or `smallest` when it is so by a clear margin."""
    areas = sorted(rival.box.area for rival in rivals)
    if len(areas) < 2:
        return ""
    if item.box.area == areas[-1] and areas[-1] > 1.7 * areas[-2]:
        return "[biggest|largest]"
    if item.box.area == areas[0] and areas[1] > 1.7 * areas[0]:
        return "[smallest|tiniest|smallest]"
    return ""


def measure(target: str, item: Item, field: str, box: Box | None = None) -> Plan:
    """Looks at one thing (after a zoom to `box`) and says its `field`."""
    return Plan("measure", f"{field} of the {target}", box, (middle(item),), field)


def bare(card: Item, inside: Sequence[Item]) -> tuple[float, float] | None:
    """A point on a card with nothing on it: left, right, above or below what it carries."""
    box = card.box
    for fx, fy in ((0.5, 0.14), (0.5, 0.86), (0.12, 0.5), (0.88, 0.5)):
        x, y = box.x1 + fx * box.width, box.y1 + fy * box.height
        near = Box(x, y, x, y).pad(0.04 * min(box.width, box.height) + 2)
        if all(near.intersect(item.box).area == 0 for item in inside):
            return x, y
    return None


class Named(NamedTuple):
    """A thing that a question can name without doubt, and the word that answers with it."""

    item: Item
    name: str
    answer: str
    point: Place


def things(scene: Scene) -> list[Named]:
    """Free objects and bars by colour and shape, and cards with a bare spot by colour."""
    objects = [item for item in scene.items if item.kind in ("object", "bar")]
    cards = [item for item in scene.items if item.kind == "card" and item.role != "shelf"]
    if any(item.kind == "bar" for item in objects):
        cards = []
    colors = unique([item.color for item in objects + cards])
    shapes = unique([item.shape for item in objects if item.kind == "object"])
    twice = unique([f"{item.color} {item.shape}" for item in objects])
    found = []
    for item in objects:
        if item.kind == "bar":
            found.append(Named(item, f"{item.color} [bar|column]", item.color, item.box.center))
        elif item.color in colors:
            noun = f"[{item.shape}|{phrases.THING[1:-1]}]" if item.shape in shapes else item.shape
            found.append(Named(item, f"{item.color} {noun}", item.color, middle(item)))
        elif item.shape in shapes:
            found.append(Named(item, item.shape, item.shape, middle(item)))
        elif f"{item.color} {item.shape}" in twice:
            name = f"{item.color} {item.shape}"
            found.append(Named(item, name, name, middle(item)))
    for index, name in card_names(scene).items():
        card = scene.items[index]
        point = bare(card, scene.children(index)) if card in cards else None
        if point and card.color in colors:
            found.append(Named(card, name, card.color, point))
    return found


def plain(named: Named) -> str:
    """The name in a thought: colour and shape in two words."""
    if named.item.kind == "card":
        return f"{named.item.color} sign"
    return f"{named.item.color} {'bar' if named.item.kind == 'bar' else named.item.shape}"


def answer_type(*things: Named) -> AnswerType:
    """How an answer that names one of them is scored."""
    return "color" if all(thing.answer == thing.item.color for thing in things) else "word"
