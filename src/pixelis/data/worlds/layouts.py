"""Layouts: what a scene of each kind holds. `draw_scene` is the door."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pixelis.data.worlds import documents, domains, relations, scene, words
from pixelis.data.worlds.domains import Domain
from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.scene import Canvas, Card, Scene
from pixelis.data.worlds.sprites import SHAPES

CONTENTS = ("text", "emblem", "chips")


def _pick(rng: np.random.Generator, values: tuple[str, ...], count: int) -> list[str]:
    return [str(value) for value in rng.choice(values, size=count, replace=False)]


def fill_text(canvas: Canvas, card: Card) -> bool:
    """One to three words or a number."""
    rng = canvas.rng
    lines = words.draw_lines(rng)
    letter_px = int(rng.uniform(14, max(16, min(card.height * 0.5, 44))))
    if len(lines) == 1 and len(lines[0]) == 1:
        letter_px = int(card.height * rng.uniform(0.4, 0.8))
    return scene.write_on(canvas, card, lines, letter_px)


def fill_emblem(canvas: Canvas, card: Card) -> bool:
    """One small shape, down to 14 px."""
    rng = canvas.rng
    least = min(card.width, card.height)
    side = float(rng.uniform(max(14, least * 0.16), max(20, least * 0.45)))
    dx = float(rng.uniform(-1, 1) * (card.width * 0.42 - side / 2))
    dy = float(rng.uniform(-1, 1) * (card.height * 0.42 - side / 2))
    return stamp_any(canvas, card, str(rng.choice(SHAPES)), side, (dx, dy))


def stamp_any(
    canvas: Canvas, card: Card, shape: str, side: float, offset: tuple[float, float]
) -> bool:
    """A chip in any colour that shows on the card."""
    for color in _pick(canvas.rng, COLORS, len(COLORS)):
        if color != card.color and scene.stamp(
            canvas, "chip", shape, color, side, card.place(*offset), card.index, card.ground
        ):
            return True
    return False


def fill_chips(canvas: Canvas, card: Card) -> bool:
    """One to nine small shapes of one to three colours on a loose grid."""
    rng = canvas.rng
    columns = int(rng.integers(2, 5))
    rows = max(1, round(columns * card.height / card.width))
    cell_w, cell_h = card.width * 0.94 / columns, card.height * 0.94 / rows
    side_most = min(cell_w, cell_h) * 0.8
    if side_most < 13:
        return False
    count = int(rng.integers(1, min(9, rows * columns) + 1))
    colors = _pick(rng, tuple(c for c in COLORS if c != card.color), int(rng.integers(1, 4)))
    shapes = _pick(rng, SHAPES, int(rng.integers(1, 4)))
    done = 0
    for cell in rng.permutation(rows * columns)[:count]:
        side = float(rng.uniform(max(12, side_most * 0.6), side_most))
        row, column = divmod(int(cell), columns)
        dx = (
            (column + 0.5) * cell_w - card.width * 0.47 + rng.uniform(-1, 1) * (cell_w - side) * 0.3
        )
        dy = (row + 0.5) * cell_h - card.height * 0.47 + rng.uniform(-1, 1) * (cell_h - side) * 0.3
        place = card.place(float(dx), float(dy))
        shape, color = str(rng.choice(shapes)), str(rng.choice(colors))
        done += scene.stamp(canvas, "chip", shape, color, side, place, card.index, card.ground)
    return done > 0


_FILL: dict[str, Callable[[Canvas, Card], bool]] = {
    "text": fill_text,
    "emblem": fill_emblem,
    "chips": fill_chips,
}


def _cards(canvas: Canvas, count: int, contents: tuple[str, ...]) -> None:
    rng = canvas.rng
    least = min(canvas.width, canvas.height)
    largest = 0.62 if count == 1 else 0.5 if count == 2 else 0.36
    for color in _pick(rng, COLORS, count):
        content = str(rng.choice(contents))
        height = float(rng.uniform(0.12, largest * 0.8)) * least
        ratio = rng.uniform(1.2, 2.8) if content == "text" else rng.uniform(0.8, 1.5)
        width = float(min(height * ratio, canvas.width * 0.8, largest * 1.6 * least))
        if content == "chips":
            width, height = max(width, 110.0), max(height, 90.0)
        form = "plain"
        if content != "chips":
            form = str(rng.choice(list(scene.FORMS), p=(0.7, 0.15, 0.15)))
        card = scene.add_card(canvas, color, max(width, 64.0), max(height, 48.0), form)
        if card is not None:
            _FILL[content](canvas, card)


def _objects(canvas: Canvas, count: int, low: float = 0.06, high: float = 0.22) -> None:
    rng = canvas.rng
    least = min(canvas.width, canvas.height)
    colors = _pick(rng, COLORS, int(rng.integers(1, 6)))
    shapes = _pick(rng, SHAPES, int(rng.integers(1, 5)))
    scale = float(rng.uniform(low, high))
    for _ in range(count):
        side = max(22.0, least * scale * float(rng.uniform(0.7, 1.3)))
        center = canvas.free_place(side * 1.1, side * 1.1, gap=4)
        if center is not None:
            scene.stamp(
                canvas, "object", str(rng.choice(shapes)), str(rng.choice(colors)), side, center
            )


def _draw_cards(canvas: Canvas) -> None:
    _cards(canvas, int(canvas.rng.integers(1, 6)), CONTENTS)


def _draw_objects(canvas: Canvas) -> None:
    _objects(canvas, int(canvas.rng.integers(1, 11)))


def _draw_few(canvas: Canvas) -> None:
    """Few, clearly different objects: for questions about one of them."""
    rng = canvas.rng
    count = int(rng.integers(1, 6))
    least = min(canvas.width, canvas.height)
    shapes = _pick(rng, SHAPES, count)
    for color, shape in zip(_pick(rng, COLORS, count), shapes, strict=True):
        side = least * float(rng.uniform(0.07, 0.3))
        center = canvas.free_place(side * 1.1, side * 1.1, gap=4)
        if center is not None:
            scene.stamp(canvas, "object", shape, color, side, center)


def _draw_mixed(canvas: Canvas) -> None:
    _cards(canvas, int(canvas.rng.integers(1, 4)), CONTENTS)
    _objects(canvas, int(canvas.rng.integers(1, 5)), 0.06, 0.14)


def _draw_sign(canvas: Canvas) -> None:
    _cards(canvas, 1, ("text",))


def _draw_page(canvas: Canvas) -> None:
    """A page: lines of text on paper, the whole of it to be read."""
    rng = canvas.rng
    card = scene.add_card(
        canvas, str(rng.choice(["white", "white", "yellow", "grey"])),
        canvas.width * float(rng.uniform(0.6, 0.85)), canvas.height * float(rng.uniform(0.4, 0.85)),
    )  # fmt: skip
    if card is not None:
        scene.write_on(canvas, card, words.draw_page(rng), int(rng.integers(16, 30)))


KINDS: dict[str, Callable[[Canvas], None]] = {
    "cards": _draw_cards,
    "objects": _draw_objects,
    "few": _draw_few,
    "mixed": _draw_mixed,
    "sign": _draw_sign,
    "page": _draw_page,
}
SHARES = (0.36, 0.2, 0.16, 0.16, 0.08, 0.04)
NAMED = {**KINDS, **documents.KINDS, **relations.KINDS}  # kinds that must be asked for by name


def draw_scene(rng: np.random.Generator, domain: Domain, kind: str | None = None) -> Scene:
    """A scene of the domain; of a random one of `KINDS` when no kind of `NAMED` is given."""
    for _ in range(20):
        chosen = kind or str(rng.choice(list(KINDS), p=SHARES))
        side = int(rng.integers(448, 900))
        ratio = float(rng.choice([1.0, 1.0, 4 / 3, 3 / 4, 1.5, 16 / 9]))
        width, height = round(side * ratio**0.5), round(side / ratio**0.5)
        canvas = scene.new_canvas(rng, domain, width, height)
        NAMED[chosen](canvas)
        if canvas.items:
            return scene.finish(canvas, chosen)
    raise RuntimeError(f"could not draw a scene of domain {domain.name}")


def draw_domain(rng: np.random.Generator, held_out: bool = False) -> Domain:
    """A random training domain, or a random held-out one."""
    pool = domains.SHIFT if held_out else domains.TRAIN
    return pool[rng.integers(len(pool))]
