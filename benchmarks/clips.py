"""Clips with exact truth for the tracking benchmark: walking people and moving objects.

Frames are drawn over photographic textures, with sensor noise and JPEG artefacts. A truth box is
the whole object clipped to the frame, or None while less than a quarter of it can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import skimage.data

Truth = tuple[float, float, float, float] | None
VISIBLE = 0.25


class Clip(NamedTuple):
    """RGB frames of shape (height, width, 3), the target's truth per frame, and why frames hide it.

    `hidden` holds, per frame, "" (seen), "occluded" or "gone".
    """

    name: str
    frames: list[np.ndarray]
    boxes: list[Truth]
    hidden: list[str]


@dataclass
class Layer:
    """One drawn thing: colours (h, w, 3) and opacity (h, w) in [0, 1] with its top-left corner."""

    colour: np.ndarray
    alpha: np.ndarray
    x: float
    y: float
    order: float


@dataclass
class Walker:
    """A person seen from a surveillance camera; x, y is the point between the feet at frame 0."""

    x: float
    y: float
    dx: float
    dy: float
    height: float
    coat: tuple[int, int, int]
    trousers: tuple[int, int, int]
    hair: tuple[int, int, int]
    phase: float
    growth: float = 0.0
    bag: tuple[int, int, int] | None = None

    def layer(self, frame: int, rng_seed: int) -> Layer:
        scale = self.height * (1 + self.growth * frame) / 80
        canvas, alpha = _person(self, self.phase + frame * 0.75, scale, rng_seed)
        x, y = self.x + self.dx * frame, self.y + self.dy * frame
        return Layer(canvas, alpha, x - canvas.shape[1] / 2, y - canvas.shape[0], y)


def _person(who: Walker, phase: float, scale: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An articulated walker, drawn four times too large and shrunk: colours and opacity."""
    big = 4 * scale
    width, height = round(60 * big), round(84 * big)
    colour, alpha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    middle, swing = 30.0, np.sin(phase)
    facing = 1 if who.dx >= 0 else -1

    def at(x: float, y: float) -> tuple[int, int]:
        return round((middle + facing * x) * big), round(y * big)

    def limb(points: list[tuple[float, float]], thick: float, paint: tuple[int, int, int]) -> None:
        for a, b in pairwise(points):
            cv2.line(colour, at(*a), at(*b), paint, round(thick * big), cv2.LINE_AA)
            cv2.line(alpha, at(*a), at(*b), 255, round(thick * big))

    def oval(x: float, y: float, a: float, b: float, paint: tuple[int, int, int]) -> None:
        axes = (round(a * big), round(b * big))
        cv2.ellipse(colour, at(x, y), axes, 0, 0, 360, paint, -1)
        cv2.ellipse(alpha, at(x, y), axes, 0, 0, 360, 255, -1)

    dark = tuple(int(c * 0.75) for c in who.coat)
    for side, shade in ((-1, 0.8), (1, 1.0)):
        stride = 10 * swing * side
        leg = tuple(int(c * shade) for c in who.trousers)
        limb([(0, 46), (stride * 0.6, 62), (stride - 2 * abs(swing), 79)], 7.5, leg)
        limb([(stride - 2 * abs(swing), 80.5), (stride + 4, 80.5)], 4, (25, 22, 20))
    limb([(0, 24), (-8 * swing, 36), (-9 * swing + 2, 46)], 5.5, dark)
    oval(0, 36, 10.5, 18, who.coat)
    oval(0, 24, 10, 8, who.coat)
    limb([(0, 24), (9 * swing, 36), (10 * swing + 2, 46)], 5.5, who.coat)
    oval(0, 10, 6, 8, (170, 130, 110))
    oval(-1.2, 7.5, 6, 6.5, who.hair)
    if who.bag:
        oval(-9, 40, 5, 7, who.bag)
    noise = np.random.default_rng(seed).normal(0, 7, (height // 8 + 1, width // 8 + 1))
    cloth = cv2.resize(noise.astype(np.float32), (width, height))[:, :, None]
    size = (max(4, round(60 * scale)), max(6, round(84 * scale)))
    colour = np.clip(colour + cloth, 0, 255).astype(np.float32)
    return (
        cv2.resize(colour, size, interpolation=cv2.INTER_AREA),
        cv2.resize(alpha.astype(np.float32) / 255, size, interpolation=cv2.INTER_AREA),
    )


def compose(back: np.ndarray, layers: list[Layer], front: np.ndarray | None) -> np.ndarray:
    """The layers over the background, farther first, then the mask of posts in front, float32."""
    frame = back.copy()
    for layer in sorted(layers, key=lambda item: item.order):
        _paste(frame, layer)
    if front is not None:
        frame[front] = back[front]
    return frame


def _paste(frame: np.ndarray, layer: Layer) -> None:
    height, width = layer.alpha.shape
    x, y = int(np.floor(layer.x)), int(np.floor(layer.y))
    shift = np.float32([[1, 0, layer.x - x], [0, 1, layer.y - y]])
    colour = cv2.warpAffine(layer.colour, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(layer.alpha, shift, (width, height))
    x1, y1 = max(x, 0), max(y, 0)
    x2, y2 = min(x + width, frame.shape[1]), min(y + height, frame.shape[0])
    if x1 >= x2 or y1 >= y2:
        return
    part = slice(y1 - y, y2 - y), slice(x1 - x, x2 - x)
    weight = alpha[part][:, :, None]
    place = frame[y1:y2, x1:x2]
    place[:] = place * (1 - weight) + colour[part] * weight


def truth(
    layers: list[Layer], target: int, size: tuple[int, int], front: np.ndarray | None
) -> tuple[Truth, str]:
    """The target's box in px and "", or None and whether it is hidden or outside."""
    height, width = size
    me = layers[target]
    rows, cols = np.flatnonzero(me.alpha.max(1) > 0.3), np.flatnonzero(me.alpha.max(0) > 0.3)
    x1, x2, y1, y2 = me.x + cols[0], me.x + cols[-1] + 1, me.y + rows[0], me.y + rows[-1] + 1
    seen, covered = np.zeros(size, np.float32), np.zeros(size, np.float32)
    _mask(seen, me)
    inside = float(seen.sum()) / float(me.alpha.sum())
    for other in layers:
        if other is not me and other.order > me.order:
            _mask(covered, other)
    if front is not None:
        covered[front] = 1
    visible = float((seen * (1 - np.minimum(covered, 1))).sum()) / float(me.alpha.sum())
    if inside < VISIBLE:
        return None, "gone"
    if visible < VISIBLE:
        return None, "occluded"
    return (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))), ""


def _mask(into: np.ndarray, layer: Layer) -> None:
    height, width = layer.alpha.shape
    x, y = round(layer.x), round(layer.y)
    x1, y1 = max(x, 0), max(y, 0)
    x2, y2 = min(x + width, into.shape[1]), min(y + height, into.shape[0])
    if x1 < x2 and y1 < y2:
        into[y1:y2, x1:x2] += layer.alpha[y1 - y : y2 - y, x1 - x : x2 - x]


def camera(rng: np.random.Generator, frame: np.ndarray, quality: int) -> np.ndarray:
    """Sensor noise, a little flicker and JPEG artefacts; RGB uint8."""
    noisy = frame * rng.normal(1, 0.008) + rng.normal(0, 3, frame.shape)
    pixels = np.clip(noisy, 0, 255).astype(np.uint8)[:, :, ::-1]
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])


def texture(name: str, size: tuple[int, int], zoom: float = 1.0) -> np.ndarray:
    """A photograph from scikit-image mirrored out to (height, width), RGB float32."""
    photo = getattr(skimage.data, name)()
    photo = np.stack([photo] * 3, -1) if photo.ndim == 2 else photo
    photo = cv2.resize(photo, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    tall, wide = -(-size[0] // photo.shape[0]), -(-size[1] // photo.shape[1])
    both = np.concatenate([photo, photo[:, ::-1]], 1)
    both = np.concatenate([both, both[::-1]], 0)
    return np.tile(both, (tall, wide, 1))[: size[0], : size[1]].astype(np.float32)


def street(rng: np.random.Generator, height: int = 576, width: int = 768) -> np.ndarray:
    """A square with lawn, paving and a wall, as a fixed camera on a mast sees it."""
    size = (height, width)
    paving = texture("gravel", size, 0.5) * 0.35 + 95
    lawn = texture("grass", size, 0.5) * np.float32([0.45, 0.55, 0.35]) + np.float32([25, 40, 20])
    wall = texture("brick", size, 0.6) * np.float32([0.6, 0.5, 0.45]) + 30
    rows, cols = np.mgrid[:height, :width]
    edge = height * rng.uniform(0.55, 0.75) + 40 * np.sin(cols / 170 + rng.uniform(0, 6))
    scene = np.where((rows > edge)[:, :, None], lawn, paving)
    scene = np.where((rows < height * rng.uniform(0.12, 0.22))[:, :, None], wall, scene)
    for x in rng.integers(60, width - 60, 4):  # trees and cars' shade
        cv2.ellipse(
            scene,
            (int(x), int(rng.integers(150, height))),
            (int(rng.integers(40, 110)), int(rng.integers(8, 26))),
            0,
            0,
            360,
            tuple(float(v) for v in rng.uniform(40, 100, 3)),
            -1,
        )
    return cv2.GaussianBlur(scene * (0.8 + 0.4 * cols[:, :, None] / width), (0, 0), 0.8)


def _walker(rng: np.random.Generator, x: float, y: float, dx: float, dy: float) -> Walker:
    """Someone in dark clothes."""
    coat = rng.integers(18, 52) + rng.integers(-6, 10, 3)
    trousers = rng.integers(25, 80) + rng.integers(-8, 12, 3)
    hair = rng.integers(20, 90) * np.array([1.0, 0.8, 0.6])
    bag = tuple(int(v) for v in rng.integers(20, 160, 3)) if rng.random() < 0.3 else None
    return Walker(
        x,
        y,
        dx,
        dy,
        float(rng.uniform(74, 86)),
        tuple(int(v) for v in coat),
        tuple(int(v) for v in trousers),
        tuple(int(v) for v in hair),
        float(rng.uniform(0, 6)),
        float(rng.uniform(-0.006, 0.008)),
        bag,
    )


def pedestrians(seed: int, frames: int = 20, poles: bool = True, leave: bool = False) -> Clip:
    """A person in a dark coat among others like it, before a fixed camera at 10 frames a second."""
    rng = np.random.default_rng([seed, 1])
    back = street(rng)
    height, width = back.shape[:2]
    way = rng.choice([-1, 1])
    speed, slope = rng.uniform(3, 8), rng.uniform(-0.35, 0.35)
    dx, dy = way * speed, slope * speed
    x = width / 2 - dx * frames / 2 + rng.uniform(-60, 60)
    if leave:
        dx = way * rng.uniform(6, 8)
        x = (width - 60 if way > 0 else 60) - dx * frames * 0.4
    y = rng.uniform(230, 480)
    people = [_walker(rng, x, y, dx, dy)]
    half = frames / 2
    meet = (x + dx * half, y + dy * half)
    for near, order in ((rng.uniform(2, 14), 1), (-rng.uniform(2, 14), -1)):
        ox, oy = -way * rng.uniform(3, 7), rng.uniform(-0.6, 0.6)
        shift = rng.uniform(-4, 4)
        people.append(
            _walker(rng, meet[0] - ox * (half + shift * order), meet[1] + near - oy * half, ox, oy)
        )
    people.append(_walker(rng, x - way * rng.uniform(50, 75), y + rng.uniform(-25, 25), dx, dy))
    for _ in range(3):
        go = rng.choice([-1, 1]) * rng.uniform(2, 7)
        people.append(
            _walker(rng, rng.uniform(80, width - 80), rng.uniform(180, 540), go, rng.uniform(-1, 1))
        )
    front = np.zeros((height, width), bool)
    if poles:
        post = int(x + dx * frames * rng.uniform(0.3, 0.75))
        thick = int(rng.integers(9, 16))
        back[:, post : post + thick] = back[:, post : post + thick] * 0.3 + 60
        front[:, post : post + thick] = True
    name = "pedestrian leaves" if leave else "pedestrian"
    return _film(name, rng, back, people, front, frames)


def _film(
    name: str,
    rng: np.random.Generator,
    back: np.ndarray,
    people: list[Walker],
    front: np.ndarray | None,
    frames: int,
) -> Clip:
    pictures, boxes, hidden = [], [], []
    quality = int(rng.integers(35, 65))
    for number in range(frames):
        layers = [who.layer(number, 77 + index) for index, who in enumerate(people)]
        pictures.append(camera(rng, compose(back, layers, front), quality))
        box, why = truth(layers, 0, back.shape[:2], front)
        boxes.append(box)
        hidden.append(why)
    return Clip(name, pictures, boxes, hidden)


def objects(seed: int, frames: int = 48, pan: bool = False, leave: bool = False) -> Clip:
    """A patterned object on a curved way over a photograph, behind a bar, with a twin about.

    With `pan` the camera moves too; with `leave` the object goes out of the frame and stays out.
    """
    rng = np.random.default_rng([seed, 2])
    height, width = 360, 480
    wide = texture(str(rng.choice(["coffee", "astronaut", "chelsea", "rocket"])), (700, 1000), 1.4)
    skin = texture(str(rng.choice(["brick", "coins", "hubble_deep_field"])), (64, 64), 0.5)
    tints = [rng.uniform(0.3, 1.25, 3).astype(np.float32) for _ in range(2)]
    side, round_one = rng.uniform(34, 60), rng.random() < 0.5
    start, velocity = _journey(rng, frames, height, width, leave)
    wave, growth, turn = rng.uniform(0, 18), rng.uniform(-0.006, 0.008), rng.uniform(-1.2, 1.2)
    bar = _bar(start, velocity, frames, rng) if not leave else None
    drift = rng.uniform(-2.5, 2.5, 2) if pan else np.zeros(2)
    pictures, boxes, hidden = [], [], []
    for number in range(frames):
        corner = np.array([500 - width / 2, 350 - height / 2]) + drift * (number - frames / 2)
        x1, y1 = (int(v) for v in np.clip(corner, 0, [1000 - width, 700 - height]))
        back = wide[y1 : y1 + height, x1 : x1 + width].copy()
        front = None
        if bar:
            front = np.zeros((height, width), bool)
            front[:, bar[0] : bar[1]] = True
            back[front] = np.float32([70, 80, 95])
        here = start + velocity * number + [0, wave * np.sin(number / 7)]
        twin = np.array([width - here[0] + 30, height - here[1] + 25])
        size = side * (1 + growth * number)
        layers = [
            _thing(skin * tints[0], here, size, turn * number, round_one, 1),
            _thing(skin * tints[1], twin, size * 0.9, -turn * number, round_one, 0),
        ]
        pictures.append(camera(rng, compose(back, layers, front), 70))
        box, why = truth(layers, 0, (height, width), front)
        boxes.append(box)
        hidden.append(why)
    name = "object" + (" leaves" if leave else "") + (", moving camera" if pan else "")
    return Clip(name, pictures, boxes, hidden)


def _journey(
    rng: np.random.Generator, frames: int, height: int, width: int, leave: bool
) -> tuple[np.ndarray, np.ndarray]:
    way = rng.choice([-1, 1])
    start = np.array([width / 2 - way * width * 0.34, rng.uniform(0.3, 0.7) * height])
    reach = width * (1.3 if leave else 0.66)
    drop = rng.uniform(-0.12, 0.12) * height
    return start, np.array([way * reach / frames, drop / frames])


def _bar(
    start: np.ndarray, velocity: np.ndarray, frames: int, rng: np.random.Generator
) -> tuple[int, int]:
    middle = start[0] + velocity[0] * frames * rng.uniform(0.4, 0.6)
    half = rng.uniform(22, 42)
    return int(middle - half), int(middle + half)


def _thing(
    skin: np.ndarray, center: np.ndarray, side: float, degrees: float, disc: bool, order: float
) -> Layer:
    span = int(side * 1.5)
    matrix = cv2.getRotationMatrix2D((32, 32), degrees, side / 64)
    matrix[:, 2] += span / 2 - 32
    alpha = np.zeros((64, 64), np.float32)
    if disc:
        cv2.circle(alpha, (32, 32), 31, 1.0, -1)
    else:
        alpha[1:63, 1:63] = 1
    colour = cv2.warpAffine(np.clip(skin, 0, 255), matrix, (span, span))
    shown = cv2.warpAffine(alpha, matrix, (span, span))
    return Layer(colour, shown, center[0] - span / 2, center[1] - span / 2, order)
