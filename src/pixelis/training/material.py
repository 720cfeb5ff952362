"""What fine-tuning learns from: files of episodes, one JSON object a line, pictures beside them.

    {"episode": {...}, "gold": "red", "answer_type": "color", "family": "attribute_recognition",
     "kind": "golden", "split": "train", "media": "media/4f2a.png", "images": ["images/0.png"],
     "difficulty": 0.31, "weight": 1.2}

Only `episode` is needed. `media` is the source and `images` what a model was shown, as paths
relative to the file; a number instead of a list says that they are in the `.npz` beside it, as
golden shards have them. Traps are never imitated, so records of that kind are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from pixelis.answers import ANSWER_TYPES, AnswerType, normalize
from pixelis.data.worlds.palette import COLORS
from pixelis.episode import Episode
from pixelis.errors import DataError, MediaError
from pixelis.media import Picture, Video, open_media, open_picture

BANDS = ("easy", "medium", "hard")
TRAP = "trap"
HELD_OUT = ("test", "eval", "held_out", "validation")


@dataclass(frozen=True)
class Sample:
    """An episode to learn, or to be asked about.

    Attributes:
        episode: as recorded.
        file, line: where it stands.
        record: its other fields.
    """

    episode: Episode
    file: Path
    line: int
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def gold(self) -> tuple[str, ...]:
        """Right answers, any of which counts; the episode's own when the record has none."""
        gold = self.record.get("gold")
        if gold is None and self.episode.answer is not None and self.episode.answer.known:
            gold = self.episode.answer.text
        listed = gold if isinstance(gold, list) else [gold]
        return tuple(str(one) for one in listed if one not in (None, ""))

    @property
    def answer_type(self) -> AnswerType:
        """As the record says, or as the gold answer looks."""
        named = self.record.get("answer_type")
        return cast(AnswerType, named) if named in ANSWER_TYPES else _kind_of(self.gold)

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(self.record.get("choices") or ())

    @property
    def family(self) -> str:
        return str(self._either("family") or "unknown")

    @property
    def split(self) -> str:
        return str(self._either("split") or "")

    @property
    def picture(self) -> str:
        """Names the source, so that a picture is never both learned and held out."""
        media = self.episode.media
        return media.sha256 or media.name

    @property
    def weight(self) -> float:
        """How often it is drawn, relative to others; DataError unless it is a positive number."""
        value = self._either("weight")
        if value is None:
            return 1.0
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
            raise DataError(f"{self.place}: weight: came {value!r}; a number above 0 is needed")
        return float(value)

    @property
    def band(self) -> str:
        """`easy`, `medium` or `hard`: as recorded, a score in [0, 1] cut in thirds, or by the
        number of calls (to one, two, more)."""
        value = self._either("difficulty")
        if value in BANDS:
            return str(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return BANDS[min(int(max(value, 0.0) * 3), 2)]
        return BANDS[min(max(len(self.episode.calls) - 1, 0), 2)]

    def images(self) -> list[Image.Image] | None:
        """What a model was shown, in order; None when the record does not hold it."""
        named = self.record.get("images")
        if isinstance(named, int):
            return self._packed(int(named))
        if not isinstance(named, list) or not named:
            return None
        return [open_picture(self.file.parent / str(name)).image for name in named]

    def source(self) -> Path | None:
        """Where the source lies, None when it is nowhere."""
        recorded = self.episode.meta.get("media_path")
        named = [str(name) for name in (self.record.get("media"), recorded) if name]
        name = Path(self.episode.media.name).name
        named += [f"{folder}{name}" for folder in ("", "media/", "images/") if name]
        places = (self.file.parent / name for name in named)
        return next((place for place in places if place.is_file()), None)

    def open(self) -> Picture | Video:
        """The source; without it the first image, as it was shown. MediaError when neither is."""
        found = self.source()
        if found is not None:
            return open_media(found)
        shown = self.images()
        if not shown:
            raise MediaError(f"{self.place}: media: is not there, and no images are recorded")
        media = self.episode.media
        return Picture(shown[0], media.name, media.sha256)

    def _either(self, name: str) -> Any:
        value = self.record.get(name)
        return self.episode.meta.get(name) if value is None else value

    def _packed(self, count: int) -> list[Image.Image]:
        path = self.file.with_suffix(".npz")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return [Image.fromarray(arrays[f"{self.line - 1}_{k}"]) for k in range(count)]
        except (OSError, KeyError, ValueError) as error:
            raise DataError(f"{self.place}: images: {path.name} has them not ({error})") from error


def read(places: Sequence[Path]) -> list[Sample]:
    """Every episode of these files and folders, in order, traps left out.

    Raises DataError naming file, line and field of the first broken record.
    """
    found = [sample for place in places for file in files_of(place) for sample in _lines(file)]
    kept = [sample for sample in found if sample.record.get("kind") != TRAP]
    if not kept:
        told = ", ".join(map(str, places))
        raise DataError(f"{told}: holds no episodes to learn; make some with `pixelis data make`")
    return kept


def files_of(place: Path) -> list[Path]:
    """The JSONL files of a folder, or the one that was given."""
    if place.is_file():
        return [place]
    found = sorted(place.glob("episodes*.jsonl")) or sorted(place.glob("*.jsonl"))
    if not found:
        raise DataError(f"{place}: holds no .jsonl files of episodes; give a folder or a file")
    return found


def split(samples: Sequence[Sample], held_out: int) -> tuple[list[Sample], list[Sample]]:
    """What is learned and what is only asked about: no picture is in both.

    Records whose `split` says so are held out. Without any, pictures are taken from the end until
    `held_out` episodes are kept back, though never more than a quarter.
    """
    named = {sample.picture for sample in samples if sample.split in HELD_OUT}
    if not named:
        most = min(held_out, len(samples) // 4)
        kept = 0
        for sample in reversed(samples):
            if kept < most or sample.picture in named:
                named.add(sample.picture)
                kept += 1
    learned = [sample for sample in samples if sample.picture not in named]
    asked = [sample for sample in samples if sample.picture in named]
    if not learned:
        raise DataError("every episode is held out; give some whose split is train")
    return learned, asked


def _lines(path: Path) -> Iterator[Sample]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _sample(path, number, line)


def _sample(path: Path, number: int, line: str) -> Sample:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}:{number}: not JSON ({error})") from error
    if not isinstance(record, dict):
        raise DataError(f"{path}:{number}: came {type(record).__name__}; an object is needed")
    told = record.get("episode", record if "question" in record else None)
    if told is None:
        raise DataError(f"{path}:{number}: episode: is missing")
    try:
        episode = Episode.from_dict(told)
    except DataError as error:
        raise DataError(f"{path}:{number}: {error}") from error
    others = {} if told is record else {k: v for k, v in record.items() if k != "episode"}
    return Sample(episode, path, number, others)


def _kind_of(gold: Sequence[str]) -> AnswerType:
    first = gold[0].strip().lower() if gold else ""
    if first in ("yes", "no"):
        return "yes_no"
    if first in COLORS:
        return "color"
    return "number" if first and normalize.number(first) is not None else "text"
