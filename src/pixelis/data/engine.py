"""The synthesis engine: executed episodes in shards that are the same for the same recipe.

`DIR/episodes-00000.jsonl` has one record a line and `DIR/episodes-00000.npz` the images the model
was shown; `DIR/media` the pictures and clips they are about; `DIR/reports` what was rejected and
why. A shard depends on nothing but the recipe and its number, so any worker may make it and a run
that was cut off goes on with the shards that are missing.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from pixelis.agent.replay import replay
from pixelis.answers.score import correct
from pixelis.data import synthesis, tasks
from pixelis.data.episodes import CORRECTION, GOLDEN, KINDS, TRAP, UNKNOWN
from pixelis.data.oracle import slipped, solve
from pixelis.data.slips import FORMS
from pixelis.data.tasks import Task
from pixelis.data.traps import trapped
from pixelis.data.worlds.clips import Film
from pixelis.data.writer import Writer
from pixelis.episode import Episode
from pixelis.errors import ConfigError, DataError
from pixelis.media import Picture, Video, open_media
from pixelis.models.resize import fit_image
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import PixelBudget, Workspace

GENERATOR = "worlds 3"  # changes when the same seed would give other tasks
MIX = (0.6, 0.2, 0.2)
SHARD = 50
APART = 9973  # between the first tasks of two shards; more than a shard can use up
MOST_STEPS = 20
PATIENCE_S = 1800.0
JPEG: dict[str, Any] = {"format": "JPEG", "quality": 92, "subsampling": 0}
FORM_SHARES = (0.3, 0.2, 0.25, 0.1, 0.15)  # of the forms of slips, in the order of `FORMS`
SETTINGS = "make.json"


@dataclass(frozen=True)
class Recipe:
    """What a data set is made by.

    Attributes:
        count: how many episodes.
        mix: shares of golden, self-correcting and trapped episodes; they add up to 1.
        families, domains: only these; None for all.
        side_px: images are shown to the model at about this many pixels a side.
        replayed: share of the episodes that are executed a second time to compare.
        writer: a server that rephrases thoughts; empty for none.
    """

    count: int
    seed: int
    mix: tuple[float, float, float] = MIX
    families: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None
    difficulty: str | None = None
    split: str = "train"
    side_px: int = 256
    text_limit: int = 60
    replayed: float = 0.05
    writer: str = ""

    def __post_init__(self) -> None:
        if len(self.mix) != 3 or min(self.mix) < 0 or abs(sum(self.mix) - 1) > 1e-6:
            raise ConfigError(f"mix {list(self.mix)}: give three shares that add up to 1")
        if self.count < 1:
            raise ConfigError(f"count {self.count}: give 1 or more")

    @property
    def shards(self) -> int:
        return -(-self.count // SHARD)

    @property
    def budget(self) -> PixelBudget:
        return PixelBudget(self.side_px**2, self.side_px**2, 32)

    def check(self) -> None:
        """ConfigError when a name in it is not known; draws one task to see."""
        tasks.draw(self.seed, 0, self.split, self.families, self.difficulty, self.domains)  # type: ignore[arg-type]


@dataclass
class Report:
    """What became of the tasks of some shards: counts by name."""

    written: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    replays: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)

    def add(self, other: Report) -> None:
        """Adds the counts of another report."""
        for name, counts in vars(other).items():
            getattr(self, name).update(counts)

    @property
    def rejection(self) -> float:
        """Share of the attempts that were thrown away."""
        lost = self.rejected.total()
        return lost / max(lost + self.written.total(), 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        counts = {name: dict(sorted(value.items())) for name, value in vars(self).items()}
        return {**counts, "rejection": round(self.rejection, 4)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Report:
        """What `to_dict` gave."""
        return cls(**{name: Counter(value[name]) for name in vars(cls())})


class Base(NamedTuple):
    """A task with its media as they are kept: the file's bytes, its name, and the opened media."""

    task: Task
    data: bytes
    name: str
    media: Picture | Video


class Made(NamedTuple):
    """An executed episode of a base, with the images the model was shown."""

    kind: str
    episode: Episode
    images: tuple[np.ndarray, ...]


def quotas(size: int, mix: tuple[float, float, float]) -> dict[str, int]:
    """How many episodes of each kind are in a shard: largest remainders."""
    exact = [size * share for share in mix]
    whole = [int(value + 1e-9) for value in exact]
    order = sorted(range(len(mix)), key=lambda k: whole[k] - exact[k])
    for k in order[: size - sum(whole)]:
        whole[k] += 1
    return dict(zip(KINDS, whole, strict=True))


# one shard ----------------------------------------------------------------------------------------
class Shard:
    """A shard being made."""

    def __init__(self, recipe: Recipe, number: int, writer: Writer | None = None) -> None:
        self.recipe, self.number, self.writer = recipe, number, writer
        size = min(SHARD, recipe.count - number * SHARD)
        self.quotas = quotas(size, recipe.mix)
        self.made: Counter[str] = Counter()
        self.report = Report()

    def run(self) -> Iterator[tuple[Base, list[Made]]]:
        """Bases with the episodes made of them, until every quota is filled."""
        index = self.number * APART
        bases = max(self.quotas.values())
        for step in range(APART):
            if all(self.made[kind] >= count for kind, count in self.quotas.items()):
                return
            due = [kind for kind in KINDS if self._due(kind, step, bases)]
            base = self._base(index + step) if due else None
            if base is not None:
                found = list(self._episodes(base, due, index + step))
                if found:
                    yield base, found
        raise DataError(f"shard {self.number}: {APART} tasks did not fill it; widen the recipe")

    def _due(self, kind: str, step: int, bases: int) -> bool:
        quota = self.quotas[kind]
        return self.made[kind] < min(quota, -(-quota * (step + 1) // bases))

    def _base(self, index: int) -> Base | None:
        recipe = self.recipe
        hidden = recipe.families is None and index % synthesis.UNKNOWN_EVERY == 4
        if hidden and recipe.difficulty is None and recipe.domains is None:
            task = synthesis.draw_unknown(recipe.seed, index)
        else:
            task = tasks.draw(
                recipe.seed, index, recipe.split, recipe.families, recipe.difficulty, recipe.domains  # type: ignore[arg-type]
            )  # fmt: skip
            tasks.validate(task)
        return base_of(task)

    def _episodes(self, base: Base, due: list[str], index: int) -> Iterator[Made]:
        golden = execute(base, self.recipe)
        assert golden is not None
        fault = fault_of(base.task, golden.episode)
        if fault:
            self.report.rejected[f"{base.task.family}: {fault}"] += 1
            return
        rng = np.random.default_rng([self.recipe.seed, 41, index])
        if GOLDEN in due:
            yield self._kept(base, golden, rng)
        if CORRECTION in due:
            mended = self._correction(base, rng)
            if mended is not None:
                yield self._kept(base, mended, rng)
        if TRAP in due:
            episode = trapped(base.task, golden.episode, rng)
            if episode is None:
                self.report.passed_over["trap: nothing to be wrong about"] += 1
            else:
                episode = replace(episode, id=f"{episode.id}-{TRAP}")
                yield self._kept(base, golden._replace(kind=TRAP, episode=episode), rng)

    def _correction(self, base: Base, rng: np.random.Generator) -> Made | None:
        """An episode with a slip and its correction; of the forms, those that can be, in turn."""
        for form in rng.choice(list(FORMS), len(FORMS), replace=False, p=FORM_SHARES):
            seed = int(rng.integers(2**31))
            made = execute(base, self.recipe, str(form), np.random.default_rng(seed))
            if made is None:
                self.report.passed_over[f"no visible slip: {form}"] += 1
                continue
            fault = fault_of(base.task, made.episode)
            if not fault:
                return made
            self.report.rejected[f"{base.task.family}, after a slip: {fault}"] += 1
        return None

    def _kept(self, base: Base, made: Made, rng: np.random.Generator) -> Made:
        self.made[made.kind] += 1
        self.report.written[made.kind] += 1
        self.report.families[base.task.family] += 1
        if rng.random() < self.recipe.replayed:
            with _workspace(base, self.recipe) as workspace:
                same = replay(made.episode, base.media, workspace=workspace).same
            self.report.replays["identical" if same else "different"] += 1
        if self.writer is None or made.kind == TRAP:
            return made
        return made._replace(episode=self.writer.rephrase(made.episode, self.recipe.seed))


def base_of(task: Task) -> Base:
    """The task with its media as a file holds them: episodes are executed on those very bytes."""
    if isinstance(task.scene, Film):
        data, ending = task.scene.video, "mp4"
    else:
        file = io.BytesIO()
        task.image.save(file, **JPEG)
        data, ending = file.getvalue(), "jpg"
    name = f"{hashlib.sha256(data).hexdigest()[:20]}.{ending}"
    return Base(task, data, name, open_media(data, name=name))


def _workspace(base: Base, recipe: Recipe) -> Workspace:
    """A fresh one; its time limit is so wide that no episode depends on how busy a machine is."""
    limit = recipe.text_limit
    return Workspace(base.media, recipe.budget, text_limit=limit, time_limit_s=PATIENCE_S)


def execute(
    base: Base, recipe: Recipe, form: str = "", rng: np.random.Generator | None = None
) -> Made | None:
    """The golden episode of a base, or one with a slip of that form (None when it is none)."""
    task = base.task
    with _workspace(base, recipe) as workspace:
        if rng is None:
            episode: Episode | None = solve(task, workspace, REGISTRY)
        else:
            episode = slipped(task, workspace, REGISTRY, rng, form)
        if episode is None:
            return None
        images = tuple(np.asarray(fit_image(one, recipe.budget)) for one in workspace.images)
    meta = {
        **episode.meta,
        "family": task.family,
        "pixels": asdict(recipe.budget),
        "text_limit": recipe.text_limit,
    }
    name = f"{task.id}-{form}" if form else task.id
    episode = replace(episode, id=name, meta=meta)
    return Made(CORRECTION if form else GOLDEN, episode, images)


def fault_of(task: Task, episode: Episode) -> str:
    """Why an episode is no good; empty when it is."""
    answer = episode.answer
    calls = [call.key() for call in episode.calls]
    if answer is None or episode.ended != "answered":
        return "no answer"
    if not 1 <= len(episode.steps) <= MOST_STEPS:
        return "too many steps"
    if len(set(calls)) < len(calls):
        return "the same call twice"
    if any(seen.error for seen in episode.observations):
        return "a call was refused"
    if task.plan.kind == "unknown":
        return "" if not answer.known else "knows what cannot be known"
    if not answer.known:
        return "not found"
    if not correct(answer.text, task.answer, task.answer_type):
        return "wrong answer"
    return "" if answer.evidence or task.plan.kind == "count" else "answer without evidence"


def hardness(task: Task, episode: Episode) -> float:
    """How hard an episode is, in [0, 1]: its calls, how small its target is, what else there is."""
    size = task.scene.size
    box = task.plan.box or next(iter(task.plan.boxes), None)
    share = box.area / (size.width * size.height) if box else 0.05
    small = min(max(-np.log10(max(share, 1e-4)) / 3, 0.0), 1.0)
    clutter = min(len(task.scene.items) / 20, 1.0)
    calls = min(len(episode.calls) / 6, 1.0)
    return round(float(0.4 * calls + 0.3 * small + 0.3 * clutter), 3)


# files --------------------------------------------------------------------------------------------
def record_of(base: Base, made: Made, recipe: Recipe) -> dict[str, Any]:
    """The line of a data file; `images` are counted, they are in the `.npz` beside it."""
    task, episode = base.task, made.episode
    provenance = {
        "generator": GENERATOR,
        "seed": recipe.seed,
        "domain": task.domain,
        "parent": task.id,
        "licence": "Apache-2.0",
        "media_sha256": episode.media.sha256,
        **({"writer": recipe.writer} if recipe.writer and made.kind != TRAP else {}),
    }
    return {
        "episode": episode.to_dict(),
        "gold": task.answer,
        "answer_type": UNKNOWN if task.plan.kind == "unknown" else task.answer_type,
        "family": task.family,
        "question_kind": task.kind or UNKNOWN,
        "kind": made.kind,
        "split": recipe.split,
        "media": f"media/{base.name}",
        "images": len(made.images),
        "difficulty": hardness(task, episode),
        "band": task.difficulty,
        "provenance": provenance,
    }


def write_shard(recipe: Recipe, number: int, folder: Path, writer: Writer | None = None) -> Report:
    """Makes a shard and writes it; its `.jsonl` appears last, whole."""
    shard = Shard(recipe, number, writer)
    lines: list[str] = []
    arrays: dict[str, np.ndarray] = {}
    for base, found in shard.run():
        _keep(folder / "media" / base.name, base.data)
        for made in found:
            for place, image in enumerate(made.images):
                arrays[f"{len(lines)}_{place}"] = image
            lines.append(json.dumps(record_of(base, made, recipe), ensure_ascii=False))
        if isinstance(base.media, Video):
            base.media.close()
    stem = folder / f"episodes-{number:05d}"
    part = stem.with_suffix(".part.npz")
    np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
    os.replace(part, stem.with_suffix(".npz"))
    report = json.dumps(shard.report.to_dict(), indent=1)
    _keep(folder / "reports" / f"{number:05d}.json", report.encode())
    _keep(stem.with_suffix(".jsonl"), ("\n".join(lines) + "\n").encode())
    return shard.report


def _keep(path: Path, data: bytes) -> None:
    """Writes a file as a whole; two workers may write the same bytes at once."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    os.replace(part, path)


def prepare(recipe: Recipe, folder: Path) -> list[int]:
    """Makes the folder ready and gives the shards still to be made.

    Raises:
        ConfigError: the folder belongs to another recipe, or a name in the recipe is not known.
        DataError: the folder cannot be written.
    """
    recipe.check()
    settings = json.loads(json.dumps({"generator": GENERATOR, **asdict(recipe)}))
    place = folder / SETTINGS
    try:
        for name in ("media", "reports"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        if place.exists():
            there = json.loads(place.read_text(encoding="utf-8"))
            for name in settings:
                if there.get(name) != settings[name]:
                    raise ConfigError(
                        f"{folder} was made with {name} = {there.get(name)!r}, not "
                        f"{settings[name]!r}; choose another --out"
                    )
        _keep(place, json.dumps(settings, indent=1).encode())
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: not JSON; choose another --out") from error
    stems = (folder / f"episodes-{number:05d}.jsonl" for number in range(recipe.shards))
    return [number for number, stem in enumerate(stems) if not stem.exists()]


def report_of(folder: Path) -> Report:
    """The report over all shards there are."""
    whole = Report()
    for path in sorted((folder / "reports").glob("?????.json")):
        whole.add(Report.from_dict(json.loads(path.read_text(encoding="utf-8"))))
    return whole


def work(recipe: Recipe, number: int, folder: Path) -> tuple[int, Report]:
    """`write_shard` for a worker process, which loads its own writer."""
    cv2.setNumThreads(1)
    writer = None
    if recipe.writer:
        from pixelis.models.load import load_policy

        writer = Writer(load_policy(recipe.writer))
    return number, write_shard(recipe, number, folder, writer)
