"""The episodes of a run, ready to be learned: told for this model, measured, opened when needed.

Episodes made for another model are executed again for this one (`retell`) and kept in a folder
beside the run, so that a restart finds them there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from pixelis.episode import Episode
from pixelis.errors import DataError, MediaError
from pixelis.geometry import Size
from pixelis.models.policy import Profile
from pixelis.training.collator import Collator, Talk, too_long
from pixelis.training.material import Sample
from pixelis.training.retell import Told, retell, same_words


@dataclass(frozen=True)
class Item:
    """One episode.

    Attributes:
        sample: as it stands in its file, with weight, band and family.
        episode: as this model has it.
        images: opens what it is shown.
        tokens: of the whole episode; `learned` of them are.
    """

    sample: Sample
    episode: Episode
    images: Callable[[], Sequence[Image.Image]]
    tokens: int
    learned: int


@dataclass(frozen=True)
class Stock:
    """What a run learns from.

    Attributes:
        skipped: how many were left out, by reason.
        broken: the first picture that could not be opened, empty when all could.
    """

    items: tuple[Item, ...]
    skipped: Counter[str]
    broken: str = ""

    def talks(self, collator: Collator, chosen: Sequence[int]) -> list[Talk]:
        """The conversations of these episodes, images opened."""
        picked = (self.items[index] for index in chosen)
        return [collator.talk(item.episode, list(item.images())) for item in picked]


def build(
    samples: Sequence[Sample],
    collator: Collator,
    folder: Path,
    skip_long: bool = False,
    on_item: Callable[[int, int], None] | None = None,
) -> Stock:
    """Every sample as this model has it.

    Args:
        folder: where episodes that had to be executed again are kept.
        skip_long: leaves out what is longer than the collator's room instead of refusing it.
        on_item: told how many are done, and of how many.

    Raises:
        DataError: an episode is too long, or none is left.
    """
    items: list[Item] = []
    skipped: Counter[str] = Counter()
    broken = ""
    for number, sample in enumerate(samples, start=1):
        try:
            items.append(_item(sample, collator, folder, skip_long))
        except _SkippedError as error:
            skipped[str(error)] += 1
        except MediaError as error:
            skipped["its pictures cannot be opened"] += 1
            broken = broken or str(sample.broken(error))
        if on_item is not None:
            on_item(number, len(samples))
    if not items:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in skipped.items())
        told = f"; the first: {broken}" if broken else ""
        raise DataError(f"no episode can be learned: {reasons}{told}")
    return Stock(tuple(items), skipped, broken)


class _SkippedError(Exception):
    """Why an episode is left out; counted by its text."""


def _item(sample: Sample, collator: Collator, folder: Path, skip_long: bool) -> Item:
    episode, shown = _told(sample, collator.profile, folder)
    length = collator.length(episode, shown.sizes())
    if length.tokens > collator.room:
        if skip_long:
            raise _SkippedError("longer than the model's room")
        raise DataError(too_long(sample.place, length.tokens, collator.room))
    if not length.learned:
        raise _SkippedError("nothing in it is learned")
    return Item(sample, episode, shown.load, length.tokens, length.learned)


class _Shown(NamedTuple):
    """The images of an episode: in files of their own, or wherever the sample has them."""

    sample: Sample
    paths: tuple[Path, ...] = ()

    def load(self) -> list[Image.Image]:
        if not self.paths:
            return self.sample.stored_images() or []
        return [_load(path) for path in self.paths]

    def sizes(self) -> list[tuple[int, int]]:
        """Width and height of each; files are not decoded for that."""
        if not self.paths:
            return [image.size for image in self.load()]
        found = []
        for path in self.paths:
            with Image.open(path) as image:
                found.append(image.size)
        return found


def _told(sample: Sample, profile: Profile, folder: Path) -> tuple[Episode, _Shown]:
    """The episode for this profile, and its images."""
    if same_words(sample.episode, profile) and sample.row.value.get("images"):
        return sample.episode, _Shown(sample)
    if sample.has_source():
        return _again(sample, profile, folder)
    shown = sample.stored_images()
    fits = shown and all(profile.budget.keeps(Size(*image.size)) for image in shown)
    if not fits or sample.episode.dialect != profile.dialect:
        raise _SkippedError("made for another model, and its source picture is not there")
    return sample.episode, _Shown(sample)


def _again(sample: Sample, profile: Profile, folder: Path) -> tuple[Episode, _Shown]:
    """The sample retold, from the folder when it was before."""
    key = json.dumps([sample.episode.to_dict(), asdict(profile)], sort_keys=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:20]
    kept = folder / f"{name}.json"
    if not kept.is_file():
        try:
            with sample.open_source() as media:
                told = retell(sample.episode, media, profile)
        except DataError as error:
            raise _SkippedError("cannot be told to this model") from error
        _keep(told, folder, name)
    record = json.loads(kept.read_text(encoding="utf-8"))
    episode = Episode.from_dict(record["episode"])
    if not sample.is_right(episode.answer):
        raise _SkippedError("its operations lead elsewhere for this model")
    paths = tuple(folder / f"{name}-{place}.png" for place in range(record["images"]))
    return episode, _Shown(sample, paths)


def _keep(told: Told, folder: Path, name: str) -> None:
    """Writes an episode and its images, each file whole or not at all: processes that train
    together may tell the same one at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}-{os.getpid()}.part"
    for place, image in enumerate(told.images):
        image.save(part, format="PNG")
        part.replace(folder / f"{name}-{place}.png")
    record = {"episode": told.episode.to_dict(), "images": len(told.images)}
    part.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    part.replace(folder / f"{name}.json")


def _load(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")
