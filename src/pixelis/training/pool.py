"""A pool of drawn pictures on disk, filled by worker processes while training reads it.

Drawing a scene costs about 50 ms, a training step consumes dozens a second, so pictures are drawn
ahead, kept, and asked about many times in ever new words. A shard is one `.npz` without pickles.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixelis.data import tasks
from pixelis.data.tasks import Query
from pixelis.data.worlds import crowd, layouts
from pixelis.data.worlds.domains import Domain
from pixelis.data.worlds.scene import Item, Scene
from pixelis.geometry import Box, Size, View, whole
from pixelis.models.nano import SIDE_PX
from pixelis.ops.workspace import PixelBudget
from pixelis.training.views import Seen, see

SHARD = 128
NAMED = 0.6  # share of scenes drawn for some family; a part of them is the usual mixture again
BUDGET = PixelBudget(SIDE_PX * SIDE_PX, SIDE_PX * SIDE_PX, 32)


@dataclass(frozen=True)
class Record:
    """One drawn scene as the model may see it: the overview, a zoom per card, the queries."""

    kind: str
    domain: str
    views: tuple[Seen, ...]
    queries: tuple[Query, ...]


def zoom_box(rng: np.random.Generator, box: Box, size: Size, slack: float = 0.04) -> Box:
    """The box a model that finds it roughly would zoom into: its corners a little off."""
    amount = np.array([box.width, box.height, box.width, box.height]) * slack
    grown = np.array(box) + np.array([-1, -1, 1, 1]) * amount * 0.6 + rng.normal(0, 0.5, 4) * amount
    return Box(*(float(v) for v in grown)).clip(size)


def draw_record(seed: int, number: int) -> Record:
    """Record `number` of the stream; every other one is a crowded canvas."""
    rng = np.random.default_rng([seed, 1000, number])
    domain = layouts.draw_domain(rng)
    if number % 2:
        scene = crowd.draw_crowd(rng, domain)
        return Record("crowd", domain.name, (see(scene, whole(scene.size), BUDGET),), ())
    scene = _draw_scene(rng, domain)
    views = [see(scene, whole(scene.size), BUDGET)]
    for index, item in enumerate(scene.items):
        inside = scene.children(index)
        if item.kind == "card" and inside and _wants_zoom(inside):
            views.append(see(scene, zoom_box(rng, item.box, scene.size), BUDGET, index))
    return Record(scene.kind, domain.name, tuple(views), _queries(scene))


def _draw_scene(rng: np.random.Generator, domain: Domain) -> Scene:
    """Of the usual mixture, or every other time one that some family is asked about by name."""
    kind = ""
    if rng.random() < NAMED:
        shares = list(tasks.SCENES.values())[int(rng.integers(len(tasks.SCENES)))]
        kind = str(rng.choice(list(shares), p=list(shares.values())))
    return tasks.draw_kind(rng, domain, kind)


def _queries(scene: Scene) -> tuple[Query, ...]:
    """All that can be asked about a scene; its pixels are not looked at."""
    return tuple(query for maker in tasks.MAKERS.values() for query in maker(scene))


def _wants_zoom(inside: Sequence[Item]) -> bool:
    return any(item.kind == "chip" or len(item.text) == 1 for item in inside)


# writing and reading shards
def write_shard(path: Path, seed: int, start: int, count: int = SHARD) -> None:
    """Draws records start..start+count and writes them atomically."""
    arrays: dict[str, np.ndarray] = {}
    described = []
    for number in range(start, start + count):
        record = draw_record(seed, number)
        views = []
        for place, seen in enumerate(record.views):
            key = f"{number}_{place}"
            arrays[f"p{key}"], arrays[f"c{key}"] = seen.pixels, seen.cover
            views.append({"key": key, "box": seen.view.box, "card": seen.card})
        items = [asdict(item) for item in record.views[0].items]
        entry = {"kind": record.kind, "domain": record.domain, "views": views}
        described.append({**entry, "items": items})
    text = json.dumps(described).encode()
    arrays["index"] = np.frombuffer(text, np.uint8)
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)  # type: ignore[arg-type]
    os.replace(part, path)


def read_shard(path: Path) -> Iterator[Record]:
    """The records of a shard."""
    with np.load(path, allow_pickle=False) as arrays:
        for entry in json.loads(arrays["index"].tobytes()):
            items = tuple(_item(value) for value in entry["items"])
            views = tuple(_seen(arrays, value, items) for value in entry["views"])
            yield _record(entry, views, items)


def _item(value: dict[str, Any]) -> Item:
    return Item(**{**value, "box": Box(*value["box"])})


def _seen(arrays: Any, value: dict[str, Any], items: tuple[Item, ...]) -> Seen:
    pixels = arrays[f"p{value['key']}"]
    view = View(Box(*value["box"]), Size(pixels.shape[1], pixels.shape[0]))
    return Seen(pixels, view, arrays[f"c{value['key']}"], items, value["card"])


def _record(entry: dict[str, Any], views: tuple[Seen, ...], items: tuple[Item, ...]) -> Record:
    """Questions are made anew from the items, so that a pool outlives a new kind of question."""
    if entry["kind"] == "crowd":
        return Record("crowd", entry["domain"], views, ())
    part = views[0].view.box
    nothing = np.empty((round(part.height), round(part.width), 0), np.uint8)
    scene = Scene(nothing, items, entry["domain"], entry["kind"])
    return Record(entry["kind"], entry["domain"], views, _queries(scene))


def fill(folder: Path, seed: int, first: int, step: int, last: int) -> None:
    """Writes shards first, first+step, ... below last; existing ones are left alone."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, last, step):
        path = folder / f"shard-{number:05d}.npz"
        if not path.exists():
            write_shard(path, seed, number * SHARD)
