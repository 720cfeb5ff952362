"""Golden episodes: every task solved by the oracle, every observation executed, wrong ones dropped.

A shard is `episodes-00000.jsonl` (episodes with their gold answers) and `episodes-00000.npz` (the
images of each episode at the model's size), written atomically, without pickles.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from pixelis.answers.score import correct
from pixelis.data import phrases, tasks
from pixelis.data.episodes import CORRECTION, GOLDEN, UNKNOWN
from pixelis.data.oracle import slipped, solve
from pixelis.data.slips import FIRST
from pixelis.data.tasks import Plan, Task
from pixelis.data.worlds import layouts, words
from pixelis.data.worlds.clips import Film
from pixelis.data.worlds.palette import COLORS
from pixelis.episode import Episode
from pixelis.media import Picture, Video, open_video
from pixelis.models.resize import fit_image
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import PixelBudget, Workspace

SHARD = 64
UNKNOWN_EVERY = 9
ABSENT = 0.2  # share of them that is looked up in vain
SLIPPING = 0.35  # share of tasks tried with a first call that goes wrong; half of them can


@dataclass(frozen=True)
class Golden:
    """A golden episode with the images the model saw (uint8 RGB) and its task's gold answer."""

    episode: Episode
    gold: str
    images: tuple[np.ndarray, ...]


def draw_unknown(seed: int, index: int) -> Task:
    """A question that looking cannot answer, about a scene of the training domains."""
    rng = np.random.default_rng([seed, 31, index])
    name = f"unknown-{seed}-{index}"
    if rng.random() < ABSENT:
        return _draw_absent(rng, name)
    scene = layouts.draw_scene(rng, layouts.draw_domain(rng))
    absent = sorted(set(COLORS) - {item.color for item in scene.items})
    kind = str(rng.choice(["unknown", "unknown", "unknown", "read_card", "shape_of", "shape_on"]))
    slots = {}
    if kind != "unknown":
        color = str(rng.choice(absent))
        slots = {"card": f"{color} {phrases.CARD}", "color": color}
    question = phrases.ask(rng, kind, slots)
    return Task(name, "unknown", scene, question, "", "text", "easy", Plan("unknown"))


def _draw_absent(rng: np.random.Generator, name: str) -> Task:
    """Something looked up on a page that does not have it: only reading shows that."""
    kind = str(rng.choice(["receipt", "form", "table"]))
    scene = layouts.draw_scene(rng, layouts.draw_domain(rng), kind)
    label = str(rng.choice(words.EVERYDAY)).capitalize()
    question = phrases.ask(rng, "doc_value", {"label": f"[{label}|{label.lower()}]"})
    plan = Plan("read", label, words=(label,))
    return Task(name, "unknown", scene, question, "", "text", "easy", plan)


def media_of(task: Task) -> Picture | Video:
    """The task's picture, or its clip opened."""
    if isinstance(task.scene, Film):
        return open_video(task.scene.video, name=task.id)
    return Picture(task.image, task.id, "")


def make(
    task: Task, budget: PixelBudget, text_limit: int, slip: np.random.Generator | None = None
) -> Golden | None:
    """Solves a task for real, with a first call that goes wrong when `slip` is given.

    None when the operations led to a wrong answer, or the slip was none.
    """
    with media_of(task) as media, Workspace(media, budget, text_limit=text_limit) as workspace:
        if slip is None:
            episode: Episode | None = solve(task, workspace, REGISTRY)
        else:
            form = str(slip.choice(list(FIRST)))
            episode = slipped(task, workspace, REGISTRY, slip, form)
        images = tuple(np.asarray(fit_image(shown, budget)) for shown in workspace.images)
    if episode is None or episode.answer is None:
        return None
    known = bool(task.answer)
    if known != episode.answer.known:
        return None
    if known and not correct(episode.answer.text, task.answer, task.answer_type):
        return None
    told = {"family": task.family, "pixels": asdict(budget), "text_limit": text_limit}
    return Golden(replace(episode, meta={**episode.meta, **told}), task.answer, images)


def write_shard(
    folder: Path, seed: int, number: int, budget: PixelBudget, text_limit: int, size: int = SHARD
) -> None:
    """Shard `number`: the golden episodes of `size` tasks from number*size on."""
    arrays: dict[str, np.ndarray] = {}
    lines: list[str] = []
    for index in range(number * size, (number + 1) * size):
        hidden = index % UNKNOWN_EVERY == UNKNOWN_EVERY - 1
        task = draw_unknown(seed, index) if hidden else tasks.draw(seed, index)
        rng = np.random.default_rng([seed, 37, index])
        golden = None
        if rng.random() < SLIPPING:
            golden = make(task, budget, text_limit, rng)
        golden = golden or make(task, budget, text_limit)
        if golden is None:
            continue
        for place, image in enumerate(golden.images):
            arrays[f"{len(lines)}_{place}"] = image
        record = {
            "episode": golden.episode.to_dict(),
            "gold": golden.gold,
            "answer_type": UNKNOWN if task.plan.kind == "unknown" else task.answer_type,
            "family": task.family,
            "kind": CORRECTION if golden.episode.slips else GOLDEN,
            "split": "train",
            "images": len(golden.images),
        }
        lines.append(json.dumps(record, ensure_ascii=False))
    stem = folder / f"episodes-{number:05d}"
    np.savez(stem.with_suffix(".part.npz"), **arrays)  # type: ignore[arg-type]
    os.replace(stem.with_suffix(".part.npz"), stem.with_suffix(".npz"))
    stem.with_suffix(".part").write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(stem.with_suffix(".part"), stem.with_suffix(".jsonl"))


def read_shard(path: Path) -> Iterator[Golden]:
    """The golden episodes of one `.jsonl` shard."""
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        for place, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            record = json.loads(line)
            images = tuple(arrays[f"{place}_{k}"] for k in range(record["images"]))
            yield Golden(Episode.from_dict(record["episode"]), record["gold"], images)


def fill(
    folder: Path, seed: int, first: int, step: int, last: int, budget: PixelBudget, text_limit: int
) -> None:
    """Writes shards first, first+step, ... below last; existing ones are left alone."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, last, step):
        if not (folder / f"episodes-{number:05d}.jsonl").exists():
            write_shard(folder, seed, number, budget, text_limit)
