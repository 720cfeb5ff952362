"""Clips: things that move, hide behind posts, leave, come back; a camera that shakes.

A clip is encoded with one thread and no time stamp of its making, so the same seed gives the same
file. What the posts hide and what has left the picture is known for every frame.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import av
import cv2
import numpy as np

from pixelis.data.worlds import backgrounds, sprites
from pixelis.data.worlds.domains import Domain
from pixelis.data.worlds.palette import ANCHORS, COLORS, RGB, contrast, draw_color
from pixelis.data.worlds.scene import Item, Scene, surface
from pixelis.geometry import Box

RATE = 8
MARGIN = 16  # px of background beyond the picture, for a camera that shakes
STANDS_OUT = 0.33  # contrast of a thing and its background
VISIBLE = 0.25  # share of its pixels below which a thing counts as hidden
SHAPES = ("circle", "square", "star", "heart", "diamond", "hexagon", "cross", "triangle")
# Without the last, x264 gives other bytes on another processor.
ALIKE = "threads=1:lookahead-threads=1:cpu-independent=1"
QUALITY = {"crf": "20", "preset": "veryfast", "x264-params": ALIKE}


@dataclass(frozen=True)
class Actor:
    """A thing of a clip.

    Attributes:
        boxes: per frame its box in px, clipped to the picture; None where it is hidden or outside.
        why: per frame "" (seen), `hidden` or `gone`.
    """

    color: str
    shape: str
    side: float
    boxes: tuple[Box | None, ...]
    why: tuple[str, ...]


@dataclass(frozen=True)
class Film(Scene):
    """A clip; `pixels` and `items` are those of its first frame.

    Attributes:
        video: the encoded clip (MP4).
        story: what happens; a key of `STORIES`.
        shakes: whether the camera moves.
        posts: how many posts things can hide behind.
    """

    video: bytes = b""
    actors: tuple[Actor, ...] = ()
    story: str = ""
    shakes: bool = False
    posts: int = 0

    @property
    def frames(self) -> int:
        return len(self.actors[0].boxes)


@dataclass
class Role:
    """What a thing is to do: its centre in every frame, float (frames, 2); NaN is not there."""

    way: np.ndarray
    side: float
    color: str = ""
    shape: str = ""


@dataclass
class Stage:
    """Where a story is set."""

    rng: np.random.Generator
    width: int
    height: int
    frames: int
    side: float
    posts: list[tuple[int, int]] = field(default_factory=list)

    def still(self, x: float, y: float, side: float | None = None) -> Role:
        """A thing that stays at x, y in shares of the picture."""
        place = np.array([x * self.width, y * self.height])
        return Role(np.tile(place, (self.frames, 1)), side or self.side)

    def path(self, *stops: tuple[float, float, float], side: float | None = None) -> Role:
        """A thing that goes through stops (share of time, x, y), evenly between them."""
        when, x, y = np.array(stops, np.float64).T
        now = np.linspace(0, 1, self.frames)
        way = np.stack(
            [np.interp(now, when, x * self.width), np.interp(now, when, y * self.height)], 1
        )
        return Role(way, side or self.side)


# stories ------------------------------------------------------------------------------------------
def _rows(stage: Stage, count: int) -> np.ndarray:
    """Heights in shares of the picture, one per thing, far enough apart."""
    even = (np.arange(count) + 0.5) / count
    return stage.rng.permutation(0.08 + 0.84 * even)


def _cross(stage: Stage) -> list[Role]:
    """One thing moves any way, others stand still near the edges."""
    rng = stage.rng
    octant = int(rng.integers(8)) * np.pi / 4 + rng.normal(0, 0.06)
    unit = np.array([np.cos(octant), np.sin(octant)])
    reach = rng.uniform(0.2, 0.32) * np.array([1.0, 1.0])
    shape = np.array([stage.height / stage.width, 1.0])  # equal steps in px on both axes
    a, b = 0.5 - unit * shape * reach, 0.5 + unit * shape * reach
    roles = [stage.path((0, *a), (1, *b))]
    corners = [(0.1, 0.13), (0.9, 0.13), (0.1, 0.87), (0.9, 0.87)]
    for k in rng.permutation(4)[: int(rng.integers(0, 4))]:
        if min(np.linalg.norm((np.array(corners[k]) - p) / shape) for p in (a, b)) > 0.42:
            roles.append(stage.still(*corners[k]))
    return roles


def _leave(stage: Stage) -> list[Role]:
    """One thing goes out of the picture for good, another moves and stays."""
    rng, rows = stage.rng, _rows(stage, 3)
    way = float(rng.choice([-1, 1]))
    when = float(rng.uniform(0.2, 0.85))
    start, out = 0.5 - way * rng.uniform(0.1, 0.35), 0.5 + way * 0.85
    edge = 0.5 + way * 0.5
    pace = (edge - start) / when
    end = start + pace
    roles = [stage.path((0, start, rows[0]), (1, end if abs(end - 0.5) > 0.8 else out, rows[0]))]
    roles.append(stage.path((0, 0.3, rows[1]), (1, 0.7, rows[1])))
    if rng.random() < 0.5:
        roles.append(stage.still(float(rng.uniform(0.2, 0.8)), rows[2]))
    return roles


def _return(stage: Stage) -> list[Role]:
    """One thing leaves and comes back; another leaves for good or stays."""
    rng, rows = stage.rng, _rows(stage, 2)
    way = float(rng.choice([-1, 1]))
    out = 0.5 + way * 0.72
    start, end = 0.5 + way * rng.uniform(-0.1, 0.25), 0.5 + way * rng.uniform(-0.1, 0.2)
    stops = ((0, start, rows[0]), (0.35, out, rows[0]), (0.6, out, rows[0]), (1, end, rows[0]))
    roles = [stage.path(*stops)]
    far = 0.5 - way * float(rng.choice([0.2, 0.72]))
    roles.append(stage.path((0, 0.5, rows[1]), (0.5, far, rows[1]), (1, far, rows[1])))
    return roles


def _hide(stage: Stage) -> list[Role]:
    """One thing passes behind the posts, another does not come near one."""
    rng, rows = stage.rng, _rows(stage, 2)
    count = int(rng.integers(1, 4))
    wide = stage.side * 1.3 / stage.width
    gaps = 1 / (count + 0.2)
    for k in range(count):
        middle = (k + 0.6) * gaps
        stage.posts.append(
            (round((middle - wide / 2) * stage.width), round((middle + wide / 2) * stage.width))
        )
    passed = int(rng.integers(0, count + 1))
    edges = [0.6 * gaps - wide / 2, *((k + 1.1) * gaps for k in range(count))]
    start = edges[0] - stage.side / 2 / stage.width - 0.02
    end = edges[passed] if passed else start
    if rng.random() < 0.5:
        start, end = end, start
    return [stage.path((0, start, rows[0]), (1, end, rows[0]))]


def _race(stage: Stage) -> list[Role]:
    """Two or three things move the same or opposite ways, one clearly fastest."""
    rng, count = stage.rng, int(stage.rng.integers(2, 4))
    rows = _rows(stage, count)
    paces = rng.permutation(np.array([0.66, 0.34, 0.16]))[:count]
    if count == 2 and paces.max() < 0.6:
        paces = paces * 1.9
    roles = []
    for row, pace in zip(rows, paces, strict=True):
        way = float(rng.choice([-1, 1]))
        a = 0.5 - way * (0.38 if pace > 0.5 else rng.uniform(0.1, 0.38))
        roles.append(stage.path((0, a, row), (1, a + way * pace, row)))
    return roles


def _enter(stage: Stage) -> list[Role]:
    """Some things stand still; a new one comes in from outside and stops in the picture."""
    rng, count = stage.rng, int(stage.rng.integers(2, 4))
    rows = _rows(stage, count)
    roles = [stage.still(float(rng.uniform(0.15, 0.85)), row) for row in rows[1:]]
    way = float(rng.choice([-1, 1]))
    when = float(
        rng.choice([rng.uniform(0.1, 0.22), rng.uniform(0.42, 0.55), rng.uniform(0.74, 0.82)])
    )
    out, at = 0.5 - way * 0.75, 0.5 - way * rng.uniform(-0.2, 0.25)
    stops = (
        (0, out, rows[0]),
        (max(when - 0.06, 0.01), out, rows[0]),
        (min(when + 0.14, 1), at, rows[0]),
        (1, at, rows[0]),
    )
    roles.append(stage.path(*stops))
    return roles


STORIES: dict[str, Callable[[Stage], list[Role]]] = {
    "cross": _cross,
    "leave": _leave,
    "return": _return,
    "hide": _hide,
    "race": _race,
    "enter": _enter,
}


# drawing ------------------------------------------------------------------------------------------
def draw_clip(rng: np.random.Generator, domain: Domain, story: str | None = None) -> Film:
    """A clip of the domain, 320 x 240 px or the like, 16 to 22 frames at 8 a second."""
    chosen = story or str(rng.choice(list(STORIES)))
    width, height = ((320, 240), (352, 240), (320, 256), (288, 288))[int(rng.integers(4))]
    side = float(rng.uniform(34, 50))
    stage = Stage(rng, width, height, int(rng.integers(16, 23)), side)
    roles = STORIES[chosen](stage)
    kind = str(rng.choice(domain.backgrounds))
    back = backgrounds.draw(rng, kind, width + 2 * MARGIN, height + 2 * MARGIN)
    _dress(rng, back, roles)
    shakes = bool(rng.random() < 0.3)
    shake = _shaking(rng, stage.frames) if shakes else np.zeros((stage.frames, 2), int)
    front = _posts(rng, stage, back, roles)
    looks = [_look(rng, domain, role) for role in roles]
    noise = float(rng.uniform(0, domain.noise))
    pictures = []
    boxes: list[list[Box | None]] = [[] for _ in roles]
    why: list[list[str]] = [[] for _ in roles]
    for number in range(stage.frames):
        frame = back.copy()
        for k, role in enumerate(roles):
            box, reason = _place(frame, looks[k], role.way[number], front, shake[number], stage)
            boxes[k].append(box)
            why[k].append(reason)
        frame[:, front] = back[:, front]
        pictures.append(_shot(rng, frame, shake[number], stage, noise))
    actors = tuple(
        Actor(role.color, role.shape, role.side, tuple(boxes[k]), tuple(why[k]))
        for k, role in enumerate(roles)
    )
    items = tuple(Item("object", a.color, a.shape, a.boxes[0]) for a in actors if a.boxes[0])
    return Film(
        pictures[0],
        items,
        domain.name,
        "clip",
        encode(pictures),
        actors,
        chosen,
        shakes,
        len(stage.posts),
    )


def _dress(rng: np.random.Generator, back: np.ndarray, roles: list[Role]) -> None:
    """Gives every thing a colour and a shape of its own that show on the background."""
    ground = backgrounds.mean_color(back)
    apart = {name: min(contrast(a, ground) for a in ANCHORS[name]) for name in COLORS}
    ranked = sorted(COLORS, key=lambda name: -apart[name])
    plain = [name for k, name in enumerate(ranked) if k < len(roles) or apart[name] > STANDS_OUT]
    names = rng.permutation(np.array(plain))
    shapes = rng.permutation(np.array(SHAPES))
    for role, color, shape in zip(roles, names, shapes, strict=False):
        role.color, role.shape = str(color), str(shape)


def _shaking(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Offsets of the camera in px, int (frames, 2), first one zero: a hand that trembles."""
    steps = np.cumsum(rng.normal(0, 1.6, (frames, 2)), 0)
    steps -= np.linspace(0, 1, frames)[:, None] * steps[-1]
    return np.clip(np.round(steps - steps[0]), -MARGIN + 2, MARGIN - 2).astype(int)


def _posts(
    rng: np.random.Generator, stage: Stage, back: np.ndarray, roles: list[Role]
) -> np.ndarray:
    """Paints the posts into the background; boolean (width + 2 margins) of their columns."""
    front = np.zeros(back.shape[1], bool)
    taken = {role.color for role in roles}
    free = [name for name in ("grey", "brown", "black", "white") if name not in taken]
    color = np.array(draw_color(rng, str(rng.choice(free or ["grey"]))), np.float32)
    for low, high in stage.posts:
        part = slice(max(low + MARGIN, 0), high + MARGIN)
        front[part] = True
        count = len(front[part])
        light = 1 + 0.12 * np.cos(np.linspace(-2, 2, count))
        back[:, part] = np.clip(color * light[:, None], 0, 255).astype(np.uint8)
    return front


def _look(
    rng: np.random.Generator, domain: Domain, role: Role
) -> tuple[np.ndarray, np.ndarray | RGB]:
    alpha = sprites.shape_alpha(role.shape, role.side, role.side, float(rng.normal(0, 6)))
    pattern = str(rng.choice(domain.patterns))
    return alpha, surface(rng, pattern, draw_color(rng, role.color), alpha.shape)


def _place(
    frame: np.ndarray,
    look: tuple[np.ndarray, np.ndarray | RGB],
    center: np.ndarray,
    front: np.ndarray,
    shake: np.ndarray,
    stage: Stage,
) -> tuple[Box | None, str]:
    """Pastes a thing; gives its box in the picture, and why it cannot be seen if so."""
    alpha, fill = look
    x, y = center[0] + MARGIN - alpha.shape[1] / 2, center[1] + MARGIN - alpha.shape[0] / 2
    there = sprites.paste(frame, alpha, fill, x, y)
    cover = np.zeros(frame.shape[:2], bool)
    left, top = round(x), round(y)
    rows = slice(max(top, 0), max(top + alpha.shape[0], 0))
    columns = slice(max(left, 0), max(left + alpha.shape[1], 0))
    part = alpha[max(-top, 0) :, max(-left, 0) :] > 127
    target = cover[rows, columns]
    target[:] = part[: target.shape[0], : target.shape[1]]
    dx, dy = (int(v) for v in shake)
    seen = np.zeros_like(cover)
    window = (
        slice(MARGIN + dy, MARGIN + dy + stage.height),
        slice(MARGIN + dx, MARGIN + dx + stage.width),
    )
    seen[window] = cover[window]
    total = max(int((alpha > 127).sum()), 1)
    if there is None or seen.sum() < VISIBLE * total:
        return None, "gone"
    box = Box(*there).shift(-MARGIN - dx, -MARGIN - dy)
    seen[:, front] = False
    if seen.sum() < VISIBLE * total:
        return None, "hidden"
    return box.intersect(Box(0, 0, stage.width, stage.height)), ""


def _shot(
    rng: np.random.Generator, frame: np.ndarray, shake: np.ndarray, stage: Stage, noise: float
) -> np.ndarray:
    """What the camera sees, uint8 (height, width, 3)."""
    dx, dy = (int(v) for v in shake)
    part = frame[MARGIN + dy : MARGIN + dy + stage.height, MARGIN + dx : MARGIN + dx + stage.width]
    if noise < 0.5:
        return part.copy()
    grain = rng.normal(0, noise, (stage.height // 2, stage.width // 2)).astype(np.float32)
    grain = cv2.resize(grain, (stage.width, stage.height), interpolation=cv2.INTER_NEAREST)
    return np.clip(part + grain[..., None], 0, 255).astype(np.uint8)


def encode(pictures: list[np.ndarray], rate: int = RATE) -> bytes:
    """RGB uint8 pictures of one even size as MP4 (H.264); the same bytes every time."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(rate), options=QUALITY)
        stream.codec_context.thread_count = 1
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            # The library's own conversion does not give the same bytes every time.
            planes = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2YUV_I420)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            container.mux(list(stream.encode(frame)))
        container.mux(list(stream.encode(None)))
    return file.getvalue()
