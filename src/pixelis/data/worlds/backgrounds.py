"""Backgrounds: plain, gradients, procedural and photographic textures."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage
from PIL import Image

from pixelis.data.worlds.palette import RGB, draw_color

# Low-saturation tones, so that a background is rarely taken for a coloured object.
_CALM = ("white", "grey", "grey", "white", "brown", "blue", "green")


def _tone(rng: np.random.Generator) -> np.ndarray:
    name = _CALM[rng.integers(len(_CALM))]
    color = np.array(draw_color(rng, name), dtype=np.float32)
    wash = np.array([235, 234, 230], dtype=np.float32)
    return color * 0.35 + wash * 0.65 if name not in ("grey",) else color * 0.7 + wash * 0.3


def _plain(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), _tone(rng), dtype=np.float32)


def _white(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A bright table with a soft fall-off of the light."""
    level = rng.uniform(222, 250)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 1 - rng.uniform(0.02, 0.14) * (xs / width * rng.uniform(-1, 1) + ys / height)
    return (level * np.clip(light, 0.7, 1.02))[..., None] * np.array([1, 1, 0.985], np.float32)


def _gradient(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    a, b = _tone(rng), _tone(rng)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    t = (np.cos(angle) * (xs / width - 0.5) + np.sin(angle) * (ys / height - 0.5)) / 1.42 + 0.5
    return a + (b - a) * t[..., None]


def _soft(rng: np.random.Generator, height: int, width: int, cells: int) -> np.ndarray:
    """Smooth random field in [0, 1], shape (height, width)."""
    small = rng.random((cells, cells)).astype(np.float32)
    return np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)


def _noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    field = sum(_soft(rng, height, width, 4 * 3**k) / 2**k for k in range(4)) / 1.875
    return _tone(rng) + (field[..., None] - 0.5) * rng.uniform(30, 80)


def _clouds(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    field = _soft(rng, height, width, 5) * 0.7 + _soft(rng, height, width, 17) * 0.3
    a, b = _tone(rng), _tone(rng)
    return a + (b - a) * np.clip(field * 2 - 0.5, 0, 1)[..., None]


def _grid(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    ground = _plain(rng, height, width)
    step, shade = int(rng.integers(24, 64)), rng.uniform(12, 35)
    ground[::step] -= shade
    ground[:, ::step] -= shade
    return ground


def _wood(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    ys = np.mgrid[0:height, 0:width][0].astype(np.float32)
    bend = _soft(rng, height, width, 4) * rng.uniform(20, 60)
    grain = np.sin((ys + bend) * rng.uniform(0.15, 0.5)) * rng.uniform(4, 11)
    tone = np.array([rng.uniform(196, 226), rng.uniform(172, 198), rng.uniform(138, 168)])
    return (tone + grain[..., None]).astype(np.float32)


def _rays(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = np.arctan2(ys - height * rng.uniform(0.2, 0.8), xs - width * rng.uniform(0.2, 0.8))
    stripe = (np.sin(angle * rng.integers(6, 20)) > 0).astype(np.float32)
    a = _tone(rng)
    return a + stripe[..., None] * rng.uniform(8, 22) - 10


def _weave(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    step = rng.uniform(0.35, 0.9)
    field = np.sin(xs * step) * rng.uniform(4, 12) + np.sin(ys * step) * rng.uniform(4, 12)
    return _tone(rng) + field[..., None] + (_soft(rng, height, width, 6)[..., None] - 0.5) * 30


def _hills(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Sky over one to three rows of hills."""
    ys = np.mgrid[0:height, 0:width][0].astype(np.float32) / height
    top = np.array([rng.uniform(150, 215), rng.uniform(195, 230), rng.uniform(225, 250)])
    ground = top + (250 - top) * ys[..., None] * rng.uniform(0.2, 0.9)
    line = np.linspace(0, 1, width, dtype=np.float32)
    for level in np.sort(rng.uniform(0.4, 0.9, int(rng.integers(1, 4)))):
        bend = np.sin(line * rng.uniform(3, 12) + rng.uniform(0, 6)) * rng.uniform(0.02, 0.07)
        tone = np.array([rng.uniform(120, 180), rng.uniform(160, 195), rng.uniform(105, 150)])
        ground = np.where((ys > level + bend[None])[..., None], tone, ground)
    return ground


def _chart(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A bright plot area with grid lines, two axes and ticks."""
    ground = np.full((height, width, 3), rng.uniform(235, 254), np.float32)
    left, bottom = int(width * rng.uniform(0.04, 0.1)), int(height * rng.uniform(0.9, 0.96))
    across, down = int(rng.integers(40, 130)), int(rng.integers(40, 130))
    if rng.random() < 0.7:
        ground[bottom % down :: down, left:] -= rng.uniform(10, 30)
        ground[:bottom, left % across :: across] -= rng.uniform(10, 30)
    ink, wide = rng.uniform(20, 90), int(rng.integers(1, 4))
    ground[bottom : bottom + wide, left:] = ink
    ground[:bottom, left : left + wide] = ink
    ground[bottom : bottom + 7, left::across] = ink
    ground[:bottom:down, left - 7 : left] = ink
    return ground


@functools.cache
def _photo(name: str) -> np.ndarray:
    path = Path(skimage.__file__).parent / "data" / f"{name}.png"
    return np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)


def _texture(name: str) -> Callable[[np.random.Generator, int, int], np.ndarray]:
    def draw(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        photo = _photo(name)
        side = int(rng.integers(200, min(photo.shape[:2])))
        y, x = (int(rng.integers(0, s - side + 1)) for s in photo.shape[:2])
        part = cv2.resize(photo[y : y + side, x : x + side], (width, height))
        if rng.random() < 0.5:
            part = part[:, ::-1]
        return _tone(rng) * 0.55 + (part - part.mean() + 128) * 0.45

    return draw


_KINDS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    "plain": _plain,
    "white": _white,
    "gradient": _gradient,
    "noise": _noise,
    "clouds": _clouds,
    "grid": _grid,
    "hills": _hills,
    "chart": _chart,
    "wood": _wood,
    "rays": _rays,
    "weave": _weave,
    "brick": _texture("brick"),
    "grass": _texture("grass"),
    "gravel": _texture("gravel"),
}


def draw(rng: np.random.Generator, kind: str, width: int, height: int) -> np.ndarray:
    """A background as uint8 (height, width, 3)."""
    return np.clip(_KINDS[kind](rng, height, width), 0, 255).astype(np.uint8)


def mean_color(canvas: np.ndarray) -> RGB:
    """The average colour of a canvas."""
    return RGB(*(int(value) for value in canvas.reshape(-1, 3).mean(0)))
