"""Seeded scenes with exact masks for measuring: shapes on many backgrounds, candies on a table.

Everything is drawn at four times the size and averaged down, so edges are antialiased; a mask is
where an object covers at least half of a pixel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import skimage
from PIL import Image, ImageDraw

SUPER = 4
PALETTE: dict[str, tuple[tuple[int, int, int], ...]] = {
    "black": ((18, 18, 20), (35, 33, 34)),
    "white": ((245, 245, 243), (250, 248, 250)),
    "grey": ((128, 128, 130), (150, 152, 150), (105, 106, 108)),
    "red": ((205, 25, 30), (225, 40, 35), (170, 15, 25)),
    "orange": ((245, 130, 20), (250, 145, 35), (235, 115, 25)),
    "yellow": ((245, 215, 40), (250, 225, 60), (235, 205, 25)),
    "green": ((40, 150, 60), (70, 175, 50), (20, 110, 50)),
    "blue": ((30, 80, 200), (50, 110, 220), (25, 50, 150)),
    "purple": ((120, 45, 150), (140, 70, 180), (95, 35, 125)),
    "pink": ((245, 140, 180), (250, 165, 195), (240, 115, 165)),
    "brown": ((110, 65, 30), (130, 80, 45), (90, 50, 25)),
}
NAMES = tuple(PALETTE)
FILLS = ("solid", "striped", "dotted", "checkered", "outlined", "shaded")
BACKGROUNDS = ("plain", "gradient", "noise", "texture", "photo")


@dataclass(frozen=True)
class Thing:
    """One drawn object: its exact mask over the scene and what it was drawn as."""

    mask: np.ndarray
    shape: str
    color: str
    fill: str
    background: str


@dataclass(frozen=True)
class Scene:
    """uint8 RGB pixels and the things on them (visible parts, front ones cover back ones)."""

    image: np.ndarray
    things: tuple[Thing, ...]


# shapes ---------------------------------------------------------------------------------------
def _regular(corners: int, turn: float = 0.0) -> np.ndarray:
    angles = np.arange(corners) * 2 * np.pi / corners - np.pi / 2 + turn
    return np.stack([np.cos(angles), np.sin(angles)], 1)


def _star(points: int = 5, inner: float = 0.42) -> np.ndarray:
    outline = _regular(2 * points)
    outline[1::2] *= inner
    return outline


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, -y - 2], 1) / 16.5


def _crescent() -> np.ndarray:
    start = np.deg2rad(50)
    outer = np.linspace(start, 2 * np.pi - start, 60)
    tip = np.array([np.cos(start), np.sin(start)])
    centre = np.array([0.55, 0.0])
    radius = np.linalg.norm(tip - centre)
    angle = np.arctan2(tip[1], tip[0] - centre[0])
    inner = np.linspace(2 * np.pi - angle, angle, 60)
    arcs = [
        np.stack([np.cos(outer), np.sin(outer)], 1),
        centre + radius * np.stack([np.cos(inner), np.sin(inner)], 1),
    ]
    return np.concatenate(arcs) + np.array([0.15, 0])


def _stretched(outline: np.ndarray, aspect: float) -> np.ndarray:
    return outline * [1.0, 1.0 / aspect]


def _blob(rng: np.random.Generator) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = np.ones_like(t)
    for wave in (2, 3, 5, 7):
        radius += rng.uniform(0.14, 0.3) / wave**0.35 * np.sin(wave * t + rng.uniform(0, 6.3))
    radius = np.clip(radius, 0.25, None)
    return (np.stack([np.cos(t), np.sin(t)], 1) * radius[:, None]) / radius.max()


_CROSS = np.array(
    [(-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1),
     (1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1)], float
) / 3.1  # fmt: skip
_ARROW = np.array(
    [(-1, -0.3), (0.2, -0.3), (0.2, -0.75), (1, 0), (0.2, 0.75), (0.2, 0.3), (-1, 0.3)]
)

SHAPES: dict[str, Callable[[np.random.Generator], list[np.ndarray]]] = {
    "circle": lambda rng: [_regular(90)],
    "ellipse": lambda rng: [_stretched(_regular(90), rng.uniform(1.4, 2.2))],
    "square": lambda rng: [_regular(4, np.pi / 4)],
    "rectangle": lambda rng: [_stretched(_regular(4, np.pi / 4) * 1.25, rng.uniform(1.5, 2.6))],
    "triangle": lambda rng: [_stretched(_regular(3), rng.uniform(0.8, 1.15))],
    "pentagon": lambda rng: [_regular(5)],
    "hexagon": lambda rng: [_regular(6)],
    "star": lambda rng: [_star(5, rng.uniform(0.38, 0.48))],
    "cross": lambda rng: [_CROSS],
    "heart": lambda rng: [_heart()],
    "diamond": lambda rng: [_stretched(_regular(4), rng.uniform(1.4, 1.9))],
    "crescent": lambda rng: [_crescent()],
    "arrow": lambda rng: [_ARROW],
    "ring": lambda rng: [_regular(90), _regular(90) * rng.uniform(0.5, 0.65)],
    "irregular": lambda rng: [_blob(rng)],
}


def coverage(
    outlines: Sequence[np.ndarray], side: float, angle: float, centre: tuple[float, float],
    size: tuple[int, int],
) -> np.ndarray:  # fmt: skip
    """Share of each pixel covered, float32 (height, width); later outlines are holes."""
    width, height = size
    canvas = Image.new("L", (width * SUPER, height * SUPER))
    draw = ImageDraw.Draw(canvas)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for index, outline in enumerate(outlines):
        points = (outline @ turn * side / 2 + centre) * SUPER
        draw.polygon([tuple(point) for point in points], fill=0 if index else 255)
    small = np.asarray(canvas, np.float32).reshape(height, SUPER, width, SUPER)
    return small.mean((1, 3)) / 255


# surfaces -------------------------------------------------------------------------------------
def fill(
    kind: str, color: Sequence[float], second: Sequence[float], alpha: np.ndarray, side: float,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Colours of an object's surface, float32 (height, width, 3)."""
    height, width = alpha.shape
    first, other = np.array(color, np.float32), np.array(second, np.float32)
    yy, xx = np.mgrid[:height, :width].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    u = xx * np.cos(angle) + yy * np.sin(angle)
    v = -xx * np.sin(angle) + yy * np.cos(angle)
    step = max(side / rng.uniform(4, 8), 3.0)
    share = np.zeros_like(u)
    if kind == "striped":
        share = _soft(np.sin(2 * np.pi * u / step) - 0.2, step)
    elif kind == "dotted":
        share = _soft(np.cos(2 * np.pi * u / step) + np.cos(2 * np.pi * v / step) - 0.7, step)
    elif kind == "checkered":
        share = _soft(np.sin(np.pi * u / step) * np.sin(np.pi * v / step), step)
    elif kind == "outlined":
        inner = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        share = np.clip(max(side * 0.05, 1.5) - inner + 0.5, 0, 1)
    surface = first * (1 - share[..., None]) + other * share[..., None]
    if kind == "shaded":
        ys, xs = np.nonzero(alpha > 0.5)
        slope = (u - u[ys, xs].mean()) / max(side, 1)
        surface = surface * (1 + 0.5 * slope[..., None])
    return surface


def _soft(wave: np.ndarray, step: float) -> np.ndarray:
    return np.clip(wave * step / 6 + 0.5, 0, 1).astype(np.float32)


@cache
def _asset(name: str) -> np.ndarray:
    return np.asarray(Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB"))


PHOTOS = {"fit": ("coffee.png", "ihc.png", "motorcycle_left.png"),
          "test": ("chelsea.png", "astronaut.png", "rocket.jpg")}  # fmt: skip
TEXTURES = ("brick.png", "grass.png", "gravel.png")


def background(
    kind: str, size: tuple[int, int], rng: np.random.Generator, split: str = "test"
) -> np.ndarray:
    """A background, float32 (height, width, 3); `split` keeps fitting and test photos apart."""
    width, height = size
    base = rng.uniform(40, 225, 3)
    yy, xx = np.mgrid[:height, :width].astype(np.float32)
    flat = np.ones((height, width, 3), np.float32) * base
    if kind == "plain":
        return flat + rng.normal(0, rng.uniform(0, 3), flat.shape)
    if kind == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        slope = ((xx / width - 0.5) * np.cos(angle) + (yy / height - 0.5) * np.sin(angle))[
            ..., None
        ]
        return np.clip(flat + slope * rng.uniform(-140, 140, 3), 0, 255)
    if kind == "noise":
        grain = rng.normal(0, 1, flat.shape)
        grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.4, 2.5))
        return np.clip(flat + grain / grain.std() * rng.uniform(10, 28), 0, 255)
    names = TEXTURES if kind == "texture" else PHOTOS[split]
    cut = _cut(_asset(str(rng.choice(names))), size, rng)
    return cut * (0.55 + base / 500) if kind == "texture" else cut


def _cut(picture: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    width, height = size
    scale = max(width / picture.shape[1], height / picture.shape[0]) * rng.uniform(1.0, 1.6)
    big = cv2.resize(picture, None, fx=scale + 0.01, fy=scale + 0.01, interpolation=cv2.INTER_AREA)
    x = rng.integers(big.shape[1] - width + 1)
    y = rng.integers(big.shape[0] - height + 1)
    return big[y : y + height, x : x + width].astype(np.float32)


# scenes ---------------------------------------------------------------------------------------
def lab(rgb: np.ndarray | Sequence[float]) -> np.ndarray:
    """CIE Lab of uint8-range colours, any leading shape."""
    array = np.asarray(rgb, np.float32).reshape(-1, 1, 3) / 255
    return cv2.cvtColor(np.clip(array, 0, 1), cv2.COLOR_RGB2LAB).reshape(*np.shape(rgb))


def _colors(under: np.ndarray, kind: str, rng: np.random.Generator) -> tuple[str, list]:
    """A colour name and the two RGB colours to paint with, visible against what lies under."""
    ground = lab(under.reshape(-1, 3)[:: max(len(under) // 400, 1)])
    best: tuple[float, str, list] = (-1.0, "", [])
    for _ in range(40):
        name, other = (str(n) for n in rng.choice(NAMES, 2, replace=False))
        pair = [rng.choice(PALETTE[name]), rng.choice(PALETTE[other])]
        needed = pair if kind in ("striped", "dotted", "checkered") else [pair[kind == "outlined"]]
        far = [np.median(np.linalg.norm(ground - lab(c), axis=1)) for c in needed]
        far.append(np.linalg.norm(lab(pair[0]) - lab(pair[1])))
        best = max(best, (float(min(far)), name, pair), key=lambda entry: entry[0])
        if min(far) > 28:
            return name, pair
    return best[1], best[2]


def procedural(
    seed: int, background_kind: str, fill_kind: str, shape: str | None = None, split: str = "test",
) -> Scene:  # fmt: skip
    """One asked object (the first thing) and a few distractors that do not cover it."""
    rng = np.random.default_rng([seed, BACKGROUNDS.index(background_kind), FILLS.index(fill_kind)])
    size = (int(rng.integers(360, 800)), int(rng.integers(320, 640)))
    image = background(background_kind, size, rng, split)
    taken = np.zeros(size[::-1], bool)
    things = []
    for index in range(1 + int(rng.integers(0, 4))):
        kind = fill_kind if index == 0 else str(rng.choice(FILLS))
        name = shape if shape and index == 0 else str(rng.choice(list(SHAPES)))
        side = float(np.exp(rng.uniform(np.log(14), np.log(0.55 * min(size)))))
        reach = side * 0.64
        if 2 * reach >= min(size):
            continue
        centre = (rng.uniform(reach, size[0] - reach), rng.uniform(reach, size[1] - reach))
        alpha = coverage(SHAPES[name](rng), side, rng.uniform(0, 6.3), centre, size)
        mask = alpha >= 0.5
        if (cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) & taken).any():
            continue
        taken |= mask
        color, pair = _colors(image[mask], kind, rng)
        surface = fill(kind, pair[0], pair[1], alpha, side, rng)
        image = image * (1 - alpha[..., None]) + surface * alpha[..., None]
        things.append(Thing(mask, name, color, kind, background_kind))
    image = image + rng.normal(0, rng.uniform(0.5, 4), image.shape)
    return Scene(np.clip(image, 0, 255).astype(np.uint8), tuple(things))


def candies(seed: int, count: int = 14, side: float = 52.0, touch: bool = True) -> Scene:
    """Glossy balls, lentils and pills on a white table: highlights, soft shadows, some touching."""
    rng = np.random.default_rng([7, seed])
    size = (640, 480)
    yy, xx = np.mgrid[: size[1], : size[0]].astype(np.float32)
    light = np.array([rng.uniform(-0.6, 0.6), rng.uniform(-0.6, -0.2), 1.0])
    table = np.array([rng.uniform(228, 246)] * 3) + rng.uniform(-5, 5, 3)
    fall = ((xx - size[0] / 2) ** 2 + (yy - size[1] / 2) ** 2) / (size[0] ** 2)
    image = table * (1 - rng.uniform(0.05, 0.3) * fall[..., None])
    things: list[Thing] = []
    placed: list[tuple[float, float, float]] = []
    names = [name for name in NAMES if name not in ("white", "grey")]
    for _ in range(count):
        spot = _place(placed, side, size, rng, touch)
        if spot is None:
            continue
        placed.append(spot)
        name = str(rng.choice(names))
        image, mask = _candy(image, spot, rng.choice(PALETTE[name]), light, rng)
        things = [_covered(thing, mask) for thing in things]
        kind = "touching" if touch else "apart"
        things.append(Thing(mask, "ellipse", name, "glossy", f"table {kind}"))
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9))
    image = image + rng.normal(0, rng.uniform(0.5, 3), image.shape)
    return Scene(np.clip(image, 0, 255).astype(np.uint8), tuple(things))


def _covered(thing: Thing, front: np.ndarray) -> Thing:
    return Thing(thing.mask & ~front, thing.shape, thing.color, thing.fill, thing.background)


def _place(placed, side, size, rng, touch):  # type: ignore[no-untyped-def]
    for _ in range(60):
        radius = side * rng.uniform(0.42, 0.6)
        if touch and placed and rng.random() < 0.6:
            x0, y0, r0 = placed[rng.integers(len(placed))]
            angle = rng.uniform(0, 6.3)
            reach = (radius + r0) * rng.uniform(0.93, 1.05)
            x, y = x0 + reach * np.cos(angle), y0 + reach * np.sin(angle)
        else:
            x, y = rng.uniform(radius, size[0] - radius), rng.uniform(radius, size[1] - radius)
        inside = radius < x < size[0] - radius and radius < y < size[1] - radius
        gap = 0.9 if touch else 1.35
        if inside and all(np.hypot(x - a, y - b) > gap * (radius + r) for a, b, r in placed):
            return float(x), float(y), float(radius)
    return None


def _candy(image, spot, color, light, rng):  # type: ignore[no-untyped-def]
    """The picture with one more candy and its shadow, and the candy's mask."""
    x, y, radius = spot
    height, width = image.shape[:2]
    aspect = rng.choice([1.0, rng.uniform(1.0, 1.25), rng.uniform(1.5, 2.0)], p=[0.4, 0.35, 0.25])
    angle = rng.uniform(0, np.pi)
    outline = _stretched(_regular(120), aspect)
    alpha = coverage([outline], 2 * radius, angle, (x, y), (width, height))[..., None]
    shift = radius * 0.35
    away = (x - light[0] * shift, y - light[1] * shift)
    shade = coverage([outline], 2.05 * radius, angle, away, (width, height))
    shade = cv2.GaussianBlur(shade, (0, 0), radius * rng.uniform(0.12, 0.25))
    image = image * (1 - rng.uniform(0.25, 0.5) * shade[..., None])
    yy, xx = np.mgrid[:height, :width].astype(np.float32)
    u = ((xx - x) * np.cos(angle) + (yy - y) * np.sin(angle)) / radius
    v = (-(xx - x) * np.sin(angle) + (yy - y) * np.cos(angle)) / radius * aspect
    z = np.sqrt(np.clip(1 - u**2 - v**2, 0, 1))
    nx, ny = u * np.cos(angle) - v * np.sin(angle), u * np.sin(angle) + v * np.cos(angle)
    unit = light / np.linalg.norm(light)
    diffuse = np.clip(nx * unit[0] + ny * unit[1] + z * unit[2], 0, 1)
    half = unit + np.array([0, 0, 1])
    half = half / np.linalg.norm(half)
    shine = np.clip(nx * half[0] + ny * half[1] + z * half[2], 0, 1) ** rng.uniform(25, 90)
    surface = np.array(color, np.float32) * (0.42 + 0.65 * diffuse[..., None])
    surface = surface + (255 - surface) * np.clip(1.3 * shine, 0, 1)[..., None]
    return image * (1 - alpha) + surface * alpha, alpha[..., 0] >= 0.5


def click(mask: np.ndarray, rng: np.random.Generator, depth: float = 0.45) -> tuple[int, int]:
    """A random point well inside a mask: at least `depth` of the largest distance to its edge."""
    inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    ys, xs = np.nonzero((inner > 0) & (inner >= depth * inner.max()))
    index = int(rng.integers(len(xs)))
    return int(xs[index]), int(ys[index])


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two boolean masks; 0 when both are empty."""
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 0.0


class Outlined(NamedTuple):
    """A thing in a real photograph: uint8 RGB pixels and its hand-drawn mask."""

    file: str
    name: str
    image: np.ndarray
    mask: np.ndarray


def photographs() -> list[Outlined]:
    """The hand-outlined things in pictures that scikit-image ships."""
    table = Path(__file__).parents[1] / "tests" / "ops" / "data" / "outlines.json"
    things = []
    for record in json.loads(table.read_text(encoding="utf-8"))["things"]:
        image = _asset(record["file"])
        canvas = Image.new("1", (image.shape[1], image.shape[0]))
        draw = ImageDraw.Draw(canvas)
        if "ellipse" in record:
            draw.ellipse(record["ellipse"], fill=1)
        else:
            draw.polygon([tuple(point) for point in record["polygon"]], fill=1)
        things.append(Outlined(record["file"], record["name"], image, np.asarray(canvas)))
    return things


class Question(NamedTuple):
    """A click in a scene: `mask` is the thing under it, empty (all False) on the background."""

    image: np.ndarray
    mask: np.ndarray
    point: tuple[int, int]
    tag: str
    thing: Thing | None = None


def questions(first: int, count: int, split: str = "test") -> Iterator[Question]:
    """`count` rounds over every background, fill and candy table, one click on nothing for each."""
    rng = np.random.default_rng(first)
    for seed in range(first, first + count):
        for ground in BACKGROUNDS:
            for index, kind in enumerate(FILLS):
                scene = worn(procedural(seed, ground, kind, split=split), rng)
                yield _ask(scene, scene.things[0], f"{ground}/{kind}", rng)
                if index == seed % len(FILLS):
                    yield _ask(scene, None, f"{ground}/nothing", rng)
        for touch in (True, False):
            scene = worn(candies(seed, touch=touch), rng)
            for thing in scene.things[::4]:
                if np.count_nonzero(thing.mask) > 400:
                    yield _ask(scene, thing, f"{thing.background}/glossy", rng)
            yield _ask(scene, None, "table/nothing", rng)


def _ask(scene: Scene, thing: Thing | None, tag: str, rng: np.random.Generator) -> Question:
    if thing is not None:
        point = click(thing.mask, rng, rng.uniform(0.2, 0.9))
        return Question(scene.image, thing.mask, point, tag, thing)
    empty = ~np.any([thing.mask for thing in scene.things], axis=0)
    safe = cv2.erode(empty.astype(np.uint8), np.ones((15, 15))) > 0
    return Question(scene.image, np.zeros_like(empty), click(safe, rng, 0.0), tag)


def worn(scene: Scene, rng: np.random.Generator) -> Scene:
    """Half of the scenes as a camera would give them: a little blurred, stored as JPEG."""
    if rng.random() < 0.5:
        return scene
    soft = cv2.GaussianBlur(scene.image, (0, 0), rng.uniform(0.3, 1.2))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 96))]
    coded = cv2.imencode(".jpg", soft[..., ::-1], quality)[1]
    return Scene(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].copy(), scene.things)
