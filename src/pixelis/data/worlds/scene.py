"""Scenes: coloured cards with small content, free objects and pages, with exact truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from pixelis.data.worlds import backgrounds, sprites
from pixelis.data.worlds.domains import Domain
from pixelis.data.worlds.palette import COLORS, RGB, contrast, draw_color, luminance
from pixelis.geometry import Box, Size


@dataclass(frozen=True)
class Item:
    """One drawn thing.

    Attributes:
        kind: `card`, `object` (free on the background), `chip` (small, on a card), `bar` (of a
            chart) or `text`.
        color: its basic colour name (of the ink for texts).
        shape: shape name; `card` for cards, `text` for texts.
        box: of its visible ink, in scene pixels.
        text: what a text says.
        parent: index of the card it lies on, -1 when free.
        role: what it is in a document or to another thing (`title`, `label`, `touch`, ...).
        link: index of that other thing, -1 without one.
        row, column: its place in a table, -1 outside.
    """

    kind: str
    color: str
    shape: str
    box: Box
    text: str = ""
    parent: int = -1
    role: str = ""
    link: int = -1
    row: int = -1
    column: int = -1


@dataclass(frozen=True)
class Scene:
    """A finished picture with its truth; `pixels` is uint8 RGB of shape (height, width, 3)."""

    pixels: np.ndarray
    items: tuple[Item, ...]
    domain: str
    kind: str

    @property
    def size(self) -> Size:
        return Size(self.pixels.shape[1], self.pixels.shape[0])

    def children(self, index: int) -> tuple[Item, ...]:
        """What lies on card number `index`."""
        return tuple(item for item in self.items if item.parent == index)


@dataclass
class Canvas:
    """A scene being drawn."""

    rng: np.random.Generator
    domain: Domain
    pixels: np.ndarray
    items: list[Item] = field(default_factory=list)
    taken: list[Box] = field(default_factory=list)

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    def free_place(
        self, width: float, height: float, gap: float, tries: int = 40
    ) -> tuple[float, float] | None:
        """A centre where a box of that size overlaps nothing placed so far, or None."""
        for _ in range(tries):
            if width + 2 * gap >= self.width or height + 2 * gap >= self.height:
                return None
            x = self.rng.uniform(width / 2 + gap, self.width - width / 2 - gap)
            y = self.rng.uniform(height / 2 + gap, self.height - height / 2 - gap)
            box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            if all(box.pad(gap).intersect(other).area == 0 for other in self.taken):
                self.taken.append(box)
                return x, y
        return None

    def note(self, **changes: Any) -> int:
        """Changes the item drawn last; gives its index."""
        self.items[-1] = replace(self.items[-1], **changes)
        return len(self.items) - 1

    def ink(
        self,
        alpha: np.ndarray,
        fill: np.ndarray | tuple[int, int, int],
        center: tuple[float, float],
    ) -> Box | None:
        """Pastes an alpha mask centred there; gives the box of its visible ink."""
        x, y = center[0] - alpha.shape[1] / 2, center[1] - alpha.shape[0] / 2
        box = sprites.paste(self.pixels, alpha, fill, x, y)
        return None if box is None else Box(*box)


def surface(
    rng: np.random.Generator, pattern: str, color: RGB, shape: tuple[int, ...]
) -> np.ndarray | RGB:
    """What an object is filled with: its colour, shaded, patterned or glossy; float (h, w, 3)."""
    if pattern == "solid":
        return color
    height, width = shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    ys, xs = ys / max(height, 1) - 0.5, xs / max(width, 1) - 0.5
    base = np.array(color, np.float32)
    if pattern in ("shaded", "glossy"):
        angle = rng.uniform(0, 2 * np.pi)
        light = 1 + rng.uniform(0.1, 0.3) * (np.cos(angle) * xs + np.sin(angle) * ys)
        if pattern == "glossy":
            light = light * (1.06 - 0.7 * (xs**2 + ys**2))
        filled = base * light[..., None]
        if pattern == "glossy":
            cx, cy = rng.uniform(-0.22, 0.05), rng.uniform(-0.25, -0.08)
            spot = np.exp(-(((xs - cx) / 0.1) ** 2 + ((ys - cy) / 0.07) ** 2))
            filled = filled + (255 - filled) * (spot * rng.uniform(0.5, 0.95))[..., None]
        return np.clip(filled, 0, 255)
    step = rng.uniform(0.12, 0.25)
    if pattern == "striped":
        wave = np.sin((xs * rng.uniform(-1, 1) + ys) * 2 * np.pi / step) > 0
    else:  # dotted
        wave = np.hypot((xs / step) % 1 - 0.5, (ys / step) % 1 - 0.5) < 0.28
    dark = base * 0.78 if luminance(color) > 0.25 else base * 0.75 + 20
    return np.where(wave[..., None], base, dark)


def _rotate(dx: float, dy: float, angle: float) -> tuple[float, float]:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return cos * dx + sin * dy, -sin * dx + cos * dy


def _ink_color(rng: np.random.Generator, ground: RGB) -> tuple[str, RGB]:
    """A colour that is readable on the ground: mostly black or white."""
    names = ["black", "white"] if rng.random() < 0.75 else list(COLORS)
    rng.shuffle(names)
    for name in (*names, "black", "white"):
        color = draw_color(rng, name)
        if abs(luminance(color) - luminance(ground)) > 0.38:
            return name, color
    return ("black", RGB(10, 10, 10)) if luminance(ground) > 0.5 else ("white", RGB(250, 250, 250))


@dataclass(frozen=True)
class Card:
    """Where a card lies: centre, size in px, rotation in degrees, its index and ground colour."""

    center: tuple[float, float]
    width: float
    height: float
    angle: float
    index: int
    color: str
    ground: RGB

    def place(self, dx: float, dy: float) -> tuple[float, float]:
        """A point given relative to the card's centre, on the canvas."""
        x, y = _rotate(dx, dy, self.angle)
        return self.center[0] + x, self.center[1] + y


FORMS = {"plain": 1.0, "oval": 0.7, "arrow": 0.74}  # share of a card's sides that can carry marks


def add_card(
    canvas: Canvas, color: str, width: float, height: float, form: str = "plain"
) -> Card | None:
    """Draws an empty coloured card where there is room; None when there is none.

    `form` is one of `FORMS`. The card given back spans what may be written on, so an oval or an
    arrow gives a smaller one than is drawn.
    """
    rng = canvas.rng
    angle = float(rng.uniform(-1, 1) * canvas.domain.turn)
    bound_w = width + height * abs(math.sin(math.radians(angle)))
    bound_h = height + width * abs(math.sin(math.radians(angle)))
    center = canvas.free_place(bound_w, bound_h, gap=8)
    if center is None:
        return None
    ground = draw_color(rng, color)
    mask = np.zeros((round(height), round(width)), np.uint8)
    _cut(rng, mask, form)
    _hold(canvas, center, height)
    _edge(canvas, mask, ground, center, angle)
    alpha = sprites.turned(mask, width, height, angle)
    pattern = "shaded" if "shaded" in canvas.domain.patterns and rng.random() < 0.4 else "solid"
    box = canvas.ink(alpha, surface(rng, pattern, ground, alpha.shape), center)
    if box is None:
        return None
    canvas.items.append(Item("card", color, "card", box))
    room = FORMS[form]
    index = len(canvas.items) - 1
    return Card(center, width * room, height * room, angle, index, color, ground)


def _cut(rng: np.random.Generator, mask: np.ndarray, form: str) -> None:
    """Cuts an empty card mask to its form."""
    height, width = mask.shape
    if form == "oval":
        middle = ((width - 1) / 2, (height - 1) / 2)
        cv2.ellipse(mask, (middle, (width - 1, height - 1), 0), 255, -1, cv2.LINE_AA)
    elif form == "arrow":
        right, low, neck = width - 1, height - 1, 0.84 * width - 1
        outline = np.array([(0, 0), (neck, 0), (right, low / 2), (neck, low), (0, low)])
        if rng.random() < 0.5:
            outline[:, 0] = width - 1 - outline[:, 0]
        cv2.fillPoly(mask, [outline.astype(np.int32)], 255, cv2.LINE_AA)
    else:
        _rounded(mask, float(rng.choice([0, 0, 0.12, 0.25])))


def _hold(canvas: Canvas, center: tuple[float, float], height: float) -> None:
    """Sometimes a post below or a string above, as signs have; drawn before the card."""
    rng = canvas.rng
    if rng.random() > 0.2:
        return
    x, y = round(center[0]), round(center[1])
    reach = round(height * rng.uniform(0.6, 0.9)) * int(rng.choice([-1, 1]))
    width = int(rng.integers(2, 7))
    tone = tuple(int(v) for v in rng.uniform(50, 130) * np.array([1.0, 0.93, 0.85]))
    far = (x + round(rng.normal(0, 4)), y + reach)
    cv2.line(canvas.pixels, (x, y), far, tone, width, cv2.LINE_AA)


def _edge(
    canvas: Canvas, mask: np.ndarray, ground: RGB, center: tuple[float, float], angle: float
) -> None:
    """A border or a drop shadow around a card, always when the ground hardly stands out."""
    height, width = mask.shape
    x, y = (
        int(min(max(c, 0), n - 1)) for c, n in zip(center, canvas.pixels.shape[1::-1], strict=True)
    )
    under = RGB(*(int(v) for v in canvas.pixels[y, x]))
    weak = contrast(ground, under) < 0.2
    if weak or canvas.rng.random() < 0.35:
        grow = float(canvas.rng.uniform(3, 8))
        rim = RGB(30, 30, 30) if luminance(ground) > 0.45 else RGB(225, 225, 225)
        canvas.ink(sprites.turned(mask, width + grow, height + grow, angle), rim, center)


def _rounded(mask: np.ndarray, share: float) -> None:
    height, width = mask.shape
    radius = int(min(height, width) * share)
    cv2.rectangle(mask, (radius, 0), (width - 1 - radius, height - 1), 255, -1)
    cv2.rectangle(mask, (0, radius), (width - 1, height - 1 - radius), 255, -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)


def write_on(canvas: Canvas, card: Card, lines: Sequence[str], letter_px: int) -> bool:
    """Writes lines centred on a card, smaller when they do not fit; False when unreadable."""
    font = str(canvas.rng.choice(canvas.domain.fonts))
    size = letter_px
    while size >= 13:
        masks = [sprites.text_alpha(line, font, size) for line in lines]
        pitch = max(mask.shape[0] for mask in masks) * 1.35
        wide = max(mask.shape[1] for mask in masks) <= card.width * 0.9
        if wide and pitch * len(lines) <= card.height * 0.95:
            break
        size -= 1
    else:
        return False
    name, color = _ink_color(canvas.rng, card.ground)
    top = -pitch * (len(lines) - 1) / 2
    boxes = []
    for number, mask in enumerate(masks):
        height, width = mask.shape
        alpha = mask if card.angle == 0 else sprites.turned(mask, width, height, card.angle)
        boxes.append(canvas.ink(alpha, color, card.place(0, top + number * pitch)))
    seen = [box for box in boxes if box is not None]
    whole = seen[0]
    for box in seen[1:]:
        whole = whole.union(box)
    canvas.items.append(Item("text", name, "text", whole, "\n".join(lines), card.index))
    return True


def stamp(
    canvas: Canvas,
    kind: str,
    shape: str,
    color: str,
    side: float,
    center: tuple[float, float],
    parent: int = -1,
    ground: RGB | None = None,
) -> bool:
    """Draws one shape of about `side` px there; False when it would not be visible."""
    rng = canvas.rng
    x, y = (
        int(min(max(c, 0), n - 1)) for c, n in zip(center, canvas.pixels.shape[1::-1], strict=True)
    )
    under = ground or RGB(*(int(v) for v in canvas.pixels[y, x]))
    fill = draw_color(rng, color)
    if contrast(fill, under) < 0.16:
        return False
    upright = shape in ("square", "diamond", "cross", "heart", "crescent")
    angle = float(rng.normal(0, 6) if upright else rng.uniform(-25, 25))
    alpha = sprites.shape_alpha(shape, side, side, angle)
    pattern = str(rng.choice(canvas.domain.patterns))
    if rng.random() < 0.15:
        _rim(canvas, shape, side, angle, center, fill)
    if canvas.domain.name == "table" and kind == "object":
        shadow = cv2.GaussianBlur(alpha, (0, 0), max(side / 12, 1)) // 3
        canvas.ink(shadow, (60, 60, 60), (center[0] + side / 14, center[1] + side / 12))
    box = canvas.ink(alpha, surface(rng, pattern, fill, alpha.shape), center)
    if box is None:
        return False
    canvas.items.append(Item(kind, color, shape, box, parent=parent))
    return True


def _rim(
    canvas: Canvas,
    shape: str,
    side: float,
    angle: float,
    center: tuple[float, float],
    fill: RGB,
) -> None:
    """A thin outline around a shape, as on stickers: white around dark ones, dark around bright."""
    bright = luminance(fill) > 0.55
    rim = RGB(40, 40, 40) if bright else RGB(250, 250, 250)
    grow = max(2.0, side * float(canvas.rng.uniform(0.05, 0.12)))
    grown = sprites.shape_alpha(shape, side, side, angle)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round(grow) | 1, round(grow) | 1))
    margin = round(grow)
    grown = cv2.dilate(np.pad(grown, margin), kernel)
    canvas.ink(grown, rim, center)


def add_noise(canvas: Canvas) -> None:
    """Sensor noise of the domain's strength, one tile repeated (full noise costs 40 ms)."""
    level = float(canvas.rng.uniform(0, canvas.domain.noise))
    if level < 0.5:
        return
    tile = canvas.rng.normal(0, level, (193, 211, 1)).astype(np.int16)
    rows, columns = -(-canvas.height // 193), -(-canvas.width // 211)
    full = np.tile(tile, (rows, columns, 1))[: canvas.height, : canvas.width]
    canvas.pixels = np.clip(canvas.pixels.astype(np.int16) + full, 0, 255).astype(np.uint8)


def new_canvas(rng: np.random.Generator, domain: Domain, width: int, height: int) -> Canvas:
    """A canvas with a background of the domain and nothing on it."""
    kind = str(rng.choice(domain.backgrounds))
    return Canvas(rng, domain, backgrounds.draw(rng, kind, width, height))


def finish(canvas: Canvas, kind: str) -> Scene:
    """The scene drawn so far, with noise."""
    add_noise(canvas)
    return Scene(canvas.pixels, tuple(canvas.items), canvas.domain.name, kind)
