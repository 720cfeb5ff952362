"""The operations themselves, without a model: on worlds, on COCO's masks, on MOT17's tracks.

Every figure comes from running an operation on places that the truth gives: clicks inside true
objects, boxes of true texts, the first box of a true track. So they say how good the tools are, not
how well a model uses them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from pixelis.data import tasks
from pixelis.data.clips import clip_of
from pixelis.data.readers import read_records
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import Rejections
from pixelis.data.worlds.clips import Film
from pixelis.data.worlds.scene import Item, Scene
from pixelis.episode import Call, Observation
from pixelis.errors import ConfigError, DataError
from pixelis.evals.metrics.masks import boundary_f1, dice, iou
from pixelis.evals.metrics.names import named
from pixelis.evals.metrics.texts import character_errors, rate, word_errors
from pixelis.evals.metrics.tracks import Clear, clear
from pixelis.evals.worlds import FROZEN_SEED
from pixelis.geometry import Box
from pixelis.media import open_media
from pixelis.ops.convention import Convention
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Workspace

SOURCES = ("worlds", "coco", "mot17")
PER_PICTURE = 4  # things and texts looked at in one picture
LEAST_AREA_PX = 400
PAD_PX = 3.0
MOST_FRAMES = 120  # of a sequence; longer ones are cut

OnPicture = Callable[[int], None]


@dataclass
class Tally:
    """What was measured so far."""

    masks: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    letters: list[tuple[int, int]] = field(default_factory=list)
    words: list[tuple[int, int]] = field(default_factory=list)
    properties: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)
    tracks: Clear = field(default_factory=Clear)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def run(self, workspace: Workspace, op: str, **arguments: Any) -> Observation:
        """Runs an operation on source pixels, timed; its failures are counted."""
        start = time.perf_counter()
        seen = REGISTRY.run(Call(op, arguments), workspace)
        self.seconds[op].append(time.perf_counter() - start)
        self.errors[op] += seen.error is not None
        return seen

    def report(self) -> dict[str, Any]:
        """Figures by operation, plain JSON values; an operation that was not run is left out."""
        figures: dict[str, dict[str, Any]] = {
            "segment_object_at": {name: float(np.mean(v)) for name, v in self.masks.items()},
            "read_text": {"cer": rate(self.letters), "wer": rate(self.words)},
            "get_properties": self._named(),
            "track_object": {
                "mota": self.tracks.mota,
                "motp": self.tracks.motp,
                "misses": self.tracks.misses,
                "false": self.tracks.false,
                "switches": self.tracks.switches,
                "boxes": self.tracks.truths,
            },
        }
        return {
            op: {
                **figures[op],
                "n": len(times),
                "errors": self.errors[op],
                "seconds_median": float(np.median(times)),
            }
            for op, times in sorted(self.seconds.items())
        }

    def _named(self) -> dict[str, Any]:
        counts = named(self.properties)
        found: dict[str, Any] = {"precision": counts.precision, "recall": counts.recall}
        for name in ("color", "shape"):
            alone: list[tuple[dict[str, str], dict[str, str]]] = [
                ({name: said[name]} if name in said else {}, {name: true[name]})
                for said, true in self.properties
                if name in true
            ]
            found[f"{name}_precision"] = named(alone).precision
        return found


def measure(
    source: str,
    path: Path | None = None,
    limit: int = 100,
    seed: int | None = None,
    split: str = "test",
    media: Sequence[Path] = (),
    told: OnPicture = lambda count: None,
) -> dict[str, Any]:
    """Figures by operation over the first `limit` pictures or sequences of a source.

    Args:
        source: `worlds` (boxes, texts, names and tracks are known), `coco` (masks) or `mot17`.
        path: where the dataset lies, for all but worlds.
        told: called with how many pictures are done.

    Raises ConfigError for another source or no path, DataError when nothing can be used.
    """
    if source not in SOURCES:
        raise ConfigError(f"source {source!r} is not known; give {', '.join(SOURCES)}")
    tally = Tally()
    if source == "worlds":
        _worlds(tally, FROZEN_SEED if seed is None else seed, limit, split, told)
        return tally.report()
    if path is None:
        raise ConfigError(f"--source {source} needs --data DIR, where the dataset lies")
    rejections = Rejections()
    records = read_records(source, path, rejections, media)
    examine = _masks if source == "coco" else _sequence
    for count, record in enumerate(_first(records, limit), start=1):
        examine(tally, record)
        told(count)
    if not tally.seconds:
        reason = rejections.first[0] if rejections.first else "no annotation can be used"
        raise DataError(f"{path}: {reason}")
    return {**tally.report(), "rejected": rejections.rejected}


# worlds -------------------------------------------------------------------------------------------
def _worlds(tally: Tally, seed: int, limit: int, split: str, told: OnPicture) -> None:
    for index in range(limit):
        task = tasks.draw(seed, index, split)  # type: ignore[arg-type]
        with open_media(task.source) as media, Workspace(media, convention=PIXELS) as workspace:
            if isinstance(task.scene, Film):
                _film(tally, workspace, task.scene)
            else:
                _scene(tally, workspace, task.scene)
        told(index + 1)


def _scene(tally: Tally, workspace: Workspace, scene: Scene) -> None:
    rng = np.random.default_rng(len(scene.items))
    for item in _some([one for one in scene.items if one.kind == "object"], rng):
        _object(tally, workspace, item)
    for item in _some([one for one in scene.items if one.kind == "text" and one.text], rng):
        box = item.box.pad(PAD_PX).clip(workspace.media.size)
        seen = tally.run(workspace, "read_text", bbox_2d=list(box))
        said = " ".join(str(seen.data.get("text", "")).split())
        tally.letters.append(character_errors(said, item.text))
        tally.words.append(word_errors(said, item.text))


def _object(tally: Tally, workspace: Workspace, item: Item) -> None:
    middle = [(item.box.x1 + item.box.x2) / 2, (item.box.y1 + item.box.y2) / 2]
    seen = tally.run(workspace, "segment_object_at", point_2d=middle)
    tally.masks["found"].append(float(seen.handle is not None))
    tally.masks["box_iou"].append(seen.box.iou(item.box) if seen.handle and seen.box else 0.0)
    box = list(item.box.pad(PAD_PX).clip(workspace.media.size))
    told = tally.run(workspace, "get_properties", bbox_2d=box, properties=["color", "shape"])
    said = {"shape": str(told.data["shape"])} if told.data.get("shape") else {}
    said |= {"color": str(told.data["color"]["name"])} if told.data.get("color") else {}
    tally.properties.append((said, {"color": item.color, "shape": item.shape}))


def _film(tally: Tally, workspace: Workspace, film: Film) -> None:
    truth = {
        str(number): {n: box for n, box in enumerate(actor.boxes) if box is not None}
        for number, actor in enumerate(film.actors)
    }
    tally.tracks += _followed(tally, workspace, truth, film.frames - 1)


def _followed(
    tally: Tally, workspace: Workspace, truth: dict[str, dict[int, Box]], last: int
) -> Clear:
    """Each true object followed from its first box; the boxes it was given count for neither."""
    found: dict[str, dict[int, Box]] = {}
    after: dict[str, dict[int, Box]] = {}
    for name, boxes in truth.items():
        first = min(boxes, default=last)
        if first >= last:
            continue
        box = list(boxes[first])
        seen = tally.run(workspace, "track_object", bbox_2d=box, start_frame=first, end_frame=last)
        found[name] = {n: b for n, b in _boxes(seen).items() if n > first}
        after[name] = {n: b for n, b in boxes.items() if first < n <= last}
    return clear(found, after)


def _boxes(seen: Observation) -> dict[int, Box]:
    """The boxes of a track by frame number; none when it failed."""
    boxes = seen.data.get("boxes", {})
    return {int(number): Box(*box) for number, box in boxes.items()}


# datasets -----------------------------------------------------------------------------------------
def _masks(tally: Tally, record: Record) -> None:
    """Clicks at the deepest point of each annotated object."""
    rng = np.random.default_rng(len(record.things))
    with open_media(record.media[0]) as media, Workspace(media, convention=PIXELS) as workspace:
        usable = [one for one in record.things if one.outline is not None and not one.crowd]
        for thing in _some(usable, rng):
            truth = thing.mask
            if truth is None or np.count_nonzero(truth) < LEAST_AREA_PX:
                continue
            depth = cv2.distanceTransform(np.pad(truth, 1).astype(np.uint8), cv2.DIST_L2, 5)
            y, x = np.unravel_index(int(depth.argmax()), depth.shape)
            seen = tally.run(workspace, "segment_object_at", point_2d=[float(x) - 1, float(y) - 1])
            mask = workspace.handles[seen.handle].mask if seen.handle else None
            found = np.zeros_like(truth) if mask is None else mask
            tally.masks["found"].append(float(mask is not None))
            for name, score in (("iou", iou), ("dice", dice), ("boundary_f1", boundary_f1)):
                tally.masks[name].append(score(found, truth))


def _sequence(tally: Tally, record: Record) -> None:
    """People and vehicles of a sequence, each followed from its first box."""
    last = min(len(record.media), MOST_FRAMES) - 1
    truth = {
        track.id: {number: box for number, box in track.boxes.items() if number <= last}
        for track in record.tracks
    }
    with TemporaryDirectory(prefix="pixelis-mot-") as folder:
        path = Path(folder) / "clip.mp4"
        clip_of(record, path, (0, last))
        with open_media(path) as media, Workspace(media, convention=PIXELS) as workspace:
            chosen = {name: boxes for name, boxes in truth.items() if len(boxes) > 1}
            tally.tracks += _followed(tally, workspace, chosen, last)


PIXELS = Convention(units="px")


def _some(things: Sequence[Any], rng: np.random.Generator) -> Iterator[Any]:
    """Up to PER_PICTURE of them, drawn without repeats."""
    for index in sorted(rng.permutation(len(things))[:PER_PICTURE]):
        yield things[index]


def _first(records: Iterable[Record], limit: int) -> Iterator[Record]:
    for count, record in enumerate(records):
        if count >= limit:
            return
        yield record
