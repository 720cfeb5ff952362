"""Draws the pictures of the exam with Pillow: signs with words and coloured objects on tables.

Everything is drawn at twice the size and shrunk, so edges are smooth. Positions are whole pixels
of the finished picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
FONTS = ("archivo-black", "bitter", "oswald", "pacifico", "patrick-hand")
SCALE = 2

# Several paints per colour name; each is what most people would call by that name.
PAINTS = {
    "red": ["#d3202f", "#c8102e", "#e0312c"],
    "orange": ["#f58220", "#ff8c1a", "#ee7a10"],
    "yellow": ["#f9d71c", "#ffd92e", "#f4d00c"],
    "green": ["#1f9a48", "#2e8b3d", "#3aa655"],
    "blue": ["#1f5fbf", "#2a6fdb", "#1b4fa3"],
    "purple": ["#7b2fa0", "#8136b3", "#6d2c91"],
    "pink": ["#f58fb8", "#ff9ec4", "#f27eb0"],
    "brown": ["#7a4a21", "#6f4420", "#84511f"],
    "black": ["#1b1b1d", "#222222"],
    "white": ["#fbfbf8", "#ffffff"],
    "grey": ["#8b8d90", "#97999b"],
}
SHAPES = ("circle", "square", "triangle", "star", "heart", "hexagon", "cross", "diamond", "oval")
# Colours that would not be told apart from the ground they lie on.
GROUNDS = {
    "wood": {"brown", "orange"},
    "bricks": {"red", "brown", "pink"},
    "grass": {"green"},
    "gravel": {"grey", "white", "black"},
    "cloth": {"blue", "white"},
    "paper": {"white", "grey"},
    "sky": {"blue", "white", "green"},
    "slate": {"grey", "black"},
    "sand": {"yellow", "brown", "white"},
    "mint": {"green", "white"},
}


@dataclass(frozen=True)
class Thing:
    """Something in a picture: a plain object, or a sign when it carries a word."""

    shape: str
    color: str
    word: str = ""


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(HERE / "fonts" / f"{name}.woff"), size)


def outline(shape: str, x: float, y: float, r: float, turn: float = 0.0) -> list[tuple]:
    """Corner points of a shape about (x, y) with outer radius r, turned by `turn` radians."""
    points = _POLYGONS[shape]()
    cos, sin = math.cos(turn), math.sin(turn)
    return [(x + r * (a * cos - b * sin), y + r * (a * sin + b * cos)) for a, b in points]


def _ring(count: int, start: float, radii: tuple[float, ...] = (1.0,)) -> list[tuple]:
    return [
        (
            radii[i % len(radii)] * math.cos(start + 2 * math.pi * i / count),
            radii[i % len(radii)] * math.sin(start + 2 * math.pi * i / count),
        )
        for i in range(count)
    ]


def _heart() -> list[tuple]:
    points = []
    for i in range(80):
        t = 2 * math.pi * i / 80
        a = 16 * math.sin(t) ** 3
        b = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((a / 17, -b / 17))
    return points


def _cross(arm: float = 0.34) -> list[tuple]:
    edge = [(-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)]
    return edge + [(-a, -b) for a, b in edge]


_POLYGONS = {
    "circle": lambda: _ring(90, 0),
    "oval": lambda: [(a, 0.6 * b) for a, b in _ring(90, 0)],
    "square": lambda: [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
    "diamond": lambda: [(0, -1), (0.68, 0), (0, 1), (-0.68, 0)],
    "triangle": lambda: _ring(3, -math.pi / 2),
    "hexagon": lambda: _ring(6, 0),
    "star": lambda: _ring(10, -math.pi / 2, (1.0, 0.42)),
    "heart": _heart,
    "cross": _cross,
    "plate": lambda: [(-1, -0.45), (1, -0.45), (1, 0.45), (-1, 0.45)],
    "pointer": lambda: [(-1, -0.4), (0.7, -0.4), (1, 0), (0.7, 0.4), (-1, 0.4)],
}
# Shapes that look the same after a free turn; the others are only tilted a little.
_FREE = {"circle", "star", "heart", "triangle", "hexagon"}


def ground(kind: str, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A surface for things to lie on, RGB."""
    width, height = size
    if kind in {"bricks", "grass", "gravel"}:
        name = {"bricks": "brick"}.get(kind, kind)
        tone = {"bricks": (190, 110, 92), "grass": (120, 170, 78), "gravel": (176, 172, 166)}[kind]
        folder = Path(skimage.__file__).parent / "data"
        grain = Image.open(folder / f"{name}.png").convert("L").resize((max(size), max(size)))
        grain = np.asarray(grain.crop((0, 0, width, height)), float)
        grain = 1 + 0.45 * (grain - grain.mean()) / 128
        return Image.fromarray(np.clip(grain[..., None] * tone, 0, 255).astype(np.uint8))
    if kind == "wood":
        return _wood(size, rng)
    flat = {
        "cloth": (206, 222, 240),
        "paper": (250, 247, 238),
        "slate": (88, 94, 102),
        "sand": (232, 214, 176),
        "mint": (205, 236, 218),
        "sky": (150, 200, 240),
    }[kind]
    picture = np.full((height, width, 3), flat, float)
    picture += rng.normal(0, 3, (height, width, 1))
    if kind == "cloth":
        stripes = (np.arange(width) // 34 % 2) * 10
        picture += stripes[None, :, None] - (np.arange(height) // 34 % 2 * 10)[:, None, None]
    if kind == "paper":
        picture[::38] = (208, 216, 228)
    if kind == "sky":
        picture += np.linspace(-25, 35, height)[:, None, None]
        hill = height * (0.82 + 0.06 * np.sin(np.arange(width) / 90 + rng.random() * 6))
        picture[np.arange(height)[:, None] > hill[None]] = (126, 168, 96)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def _wood(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    width, height = size
    rows = np.arange(height)[:, None]
    columns = np.arange(width)[None]
    picture = np.zeros((height, width, 3))
    plank = 96
    for top in range(0, height, plank):
        shade = rng.uniform(0.88, 1.06)
        wave = np.sin(rows / 5.0 + 3 * np.sin(columns / rng.uniform(60, 140) + rng.random() * 9))
        tone = shade * (1 + 0.05 * wave)[..., None] * np.array((214, 178, 132))
        picture[top : top + plank] = tone[top : top + plank]
        picture[top : top + 2] *= 0.6
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def places(
    count: int, size: tuple[int, int], low: float, high: float, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """`count` discs (x, y, radius) that neither touch each other nor the edge."""
    found: list[tuple[float, float, float]] = []
    shrink = 1.0
    while len(found) < count:
        r = rng.uniform(low, high) * shrink
        x, y = rng.uniform(r + 8, size[0] - r - 8), rng.uniform(r + 8, size[1] - r - 8)
        if all(math.hypot(x - a, y - b) > r + c + 8 for a, b, c in found):
            found.append((x, y, r))
        else:
            shrink = max(shrink * 0.997, 0.35)
    return found


def objects(
    things: list[Thing], kind: str, size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    """The things scattered over a ground."""
    picture = ground(kind, size, rng).resize((size[0] * SCALE, size[1] * SCALE), Image.BICUBIC)
    most = 0.95 * math.sqrt(size[0] * size[1] / (math.pi * max(len(things), 4)) * 0.45)
    style = str(rng.choice(["flat", "outlined", "shaded"]))
    spots = places(len(things), size, most * 0.6, most, rng)
    for thing, (x, y, r) in zip(things, spots, strict=True):
        turn = rng.uniform(0, 6.28) if thing.shape in _FREE else rng.uniform(-0.2, 0.2)
        points = outline(thing.shape, x * SCALE, y * SCALE, r * SCALE, turn)
        _paint(picture, points, str(rng.choice(PAINTS[thing.color])), style)
    return picture.resize(size, Image.LANCZOS)


def _paint(picture: Image.Image, points: list[tuple], color: str, style: str) -> None:
    shadow = Image.new("L", picture.size, 0)
    ImageDraw.Draw(shadow).polygon([(x + 6, y + 8) for x, y in points], fill=110)
    shadow = shadow.filter(ImageFilter.GaussianBlur(8))
    picture.paste((20, 20, 25), (0, 0), shadow)
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).polygon(points, fill=255)
    picture.paste(color, (0, 0), mask)
    if style == "outlined":
        ImageDraw.Draw(picture).line([*points, *points[:2]], fill="#2b2b2b", width=6, joint="curve")
    if style == "shaded":
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        shine = Image.new("L", picture.size, 0)
        box = (min(xs), min(ys), (min(xs) + 2 * max(xs)) / 3, (min(ys) + max(ys)) / 2)
        ImageDraw.Draw(shine).ellipse(box, fill=60)
        shine = ImageChops.multiply(shine.filter(ImageFilter.GaussianBlur(14)), mask)
        picture.paste("white", (0, 0), shine)


def signs(
    things: list[Thing], kind: str, size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    """The signs in a grid of cells, each anywhere within its cell, some on posts or strings."""
    picture = ground(kind, size, rng).resize((size[0] * SCALE, size[1] * SCALE), Image.BICUBIC)
    columns = math.ceil(math.sqrt(len(things) * size[0] / size[1] / 1.6))
    rows = math.ceil(len(things) / columns)
    wide, tall = size[0] * SCALE / columns, size[1] * SCALE / rows
    cells = rng.permutation(columns * rows)[: len(things)]
    for thing, cell in zip(things, cells, strict=True):
        r = min(wide * 0.45, tall * (0.8 if thing.shape in {"plate", "pointer"} else 0.42), 330)
        r *= rng.uniform(0.75, 1.0)
        half = r * (0.5 if thing.shape in {"plate", "pointer"} else 1.0)
        x = (cell % columns + 0.5) * wide + rng.uniform(-1, 1) * (wide / 2 - r) * 0.8
        y = (cell // columns + 0.5) * tall + rng.uniform(-1, 1) * max(tall / 2 - half, 0) * 0.7
        _sign(picture, thing, (x, y, r), rng)
    return picture.resize(size, Image.LANCZOS)


def _sign(
    picture: Image.Image, thing: Thing, spot: tuple[float, float, float], rng: np.random.Generator
) -> None:
    x, y, r = spot
    draw = ImageDraw.Draw(picture)
    hold = str(rng.choice(["none", "strings", "none"]))
    if hold == "strings":
        for side in (-0.5, 0.5):
            draw.line((x + side * r, y, x, y - r * 0.85), fill="#4b4237", width=5)
    paint = str(rng.choice(PAINTS[thing.color]))
    points = outline(thing.shape, x, y, r, rng.uniform(-0.06, 0.06))
    _paint(picture, points, paint, "flat")
    ink = "#161616" if thing.color in {"white", "yellow", "pink", "orange"} else "#fdfdf5"
    if rng.random() < 0.5:
        inner = outline(thing.shape, x, y, r * 0.9, 0)
        draw.line([*inner, *inner[:2]], fill=ink, width=4, joint="curve")
    room = (1.55 if thing.shape in {"plate", "pointer"} else 1.2) * r
    name = str(rng.choice(FONTS))
    lines = thing.word.split(" ") if thing.shape in {"circle", "hexagon"} else [thing.word]
    _write(draw, lines, (x - (0.1 * r if thing.shape == "pointer" else 0), y), room, name, ink)


def _write(
    draw: ImageDraw.ImageDraw,
    lines: list[str],
    center: tuple[float, float],
    room: float,
    name: str,
    ink: str,
) -> None:
    """Lines centred on a point, as large as fits into `room` pixels of width."""
    size = 110
    while size > 24 and max(font(name, size).getlength(line) for line in lines) > room:
        size -= 2
    size = min(size, int(room * 0.42 / len(lines)))
    step = size * 1.1
    for row, line in enumerate(lines):
        y = center[1] + (row - (len(lines) - 1) / 2) * step
        draw.text((center[0], y), line, fill=ink, font=font(name, size), anchor="mm")
