"""Files of episodes: one JSON object a line, pictures beside them.

    {"episode": {...}, "gold": "red", "answer_type": "color", "choices": [], "family": "...",
     "kind": "golden", "split": "train", "media": "media/4f2a.png", "images": ["images/..."],
     "difficulty": 0.31, "weight": 1.2, "provenance": {"licence": "...", "parent": "coco-139"}}

Only `episode` is needed, and a line may be an episode alone; without `gold` its own answer counts
as right. `media` is the source picture or video and `images` what the model was shown, as paths
relative to the file; a number instead of a list means that they are in the `.npz` beside it.
Fields not named here are kept as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from pixelis.answers.score import correct
from pixelis.answers.types import ANSWER_TYPES, AnswerType
from pixelis.data.readers.record import type_of
from pixelis.data.readers.row import RecordError, Rejections, Row, is_number
from pixelis.data.readers.stream import json_lines
from pixelis.episode import Answer, Episode
from pixelis.errors import DataError, MediaError, PixelisError
from pixelis.media import Picture, Video, open_media, open_picture

GOLDEN, CORRECTION, TRAP = "golden", "self_correction", "trap"
KINDS = (GOLDEN, CORRECTION, TRAP)
BANDS = ("easy", "medium", "hard")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sample:
    """An episode with what it is to teach.

    Attributes:
        row: the record as it stands in its file.
        episode: the steps.
        gold: right answers, any of which counts; empty when nobody can know.
    """

    row: Row
    episode: Episode
    gold: tuple[str, ...]

    @property
    def file(self) -> Path:
        return self.row.file

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return self.row.where

    @property
    def id(self) -> str:
        return self.episode.id or self.row.place

    @property
    def family(self) -> str:
        return self._word("family") or UNKNOWN

    @property
    def kind(self) -> str:
        return self._word("kind") or GOLDEN

    @property
    def split(self) -> str:
        return self._word("split")

    @property
    def provenance(self) -> Mapping[str, Any]:
        value = self.row.value.get("provenance")
        return value if isinstance(value, Mapping) else {}

    @property
    def answer_type(self) -> AnswerType:
        """How the answer is scored; guessed from gold when the record does not say."""
        named = self._word("answer_type")
        for kind in ANSWER_TYPES:
            if kind == named:
                return kind  # type: ignore[return-value]
        return type_of(self.gold) if self.gold else "text"

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(self.row.value.get("choices") or ())

    @cached_property
    def media_path(self) -> Path:
        """Where the source picture or video lies; MediaError when it is nowhere."""
        named = [self._word("media"), str(self.episode.meta.get("media_path") or "")]
        places = [self.file.parent / name for name in named if name]
        name = Path(self.episode.media.name).name
        places += [self.file.parent / folder / name for folder in ("", "media", "images") if name]
        for place in places:
            if place.is_file():
                return place
        tried = " nor at ".join(dict.fromkeys(map(str, places)))
        raise MediaError(f"{self.row.where}: media: is not at {tried}")

    @property
    def picture(self) -> str:
        """Names the source, so that a picture is never both learned and held out."""
        media = self.episode.media
        return media.sha256 or media.name or self.place

    @property
    def weight(self) -> float:
        """How often it is drawn, relative to others; DataError unless it is a positive number."""
        value = self._either("weight")
        if value is None:
            return 1.0
        if not is_number(value) or not 0 < value < 1e6:
            raise self.row.mistyped("weight", value, "a number above 0")
        return float(value)

    @property
    def band(self) -> str:
        """`easy`, `medium` or `hard`: as recorded, a score in [0, 1] cut in thirds, or by the
        number of calls (to one, two, more)."""
        for name in ("band", "difficulty"):
            if self._either(name) in BANDS:
                return str(self._either(name))
        if self.score is not None:
            return BANDS[min(int(max(self.score, 0.0) * 3), 2)]
        return BANDS[min(max(len(self.episode.calls) - 1, 0), 2)]

    @property
    def score(self) -> float | None:
        """The recorded difficulty in [0, 1]; None where a word stands for it, or nothing."""
        value = self._either("difficulty")
        worded = self._either("band") in BANDS
        return float(value) if is_number(value) and not worded else None

    def is_right(self, answer: Answer | None) -> bool:
        """Whether this answers the question rightly; where nobody can know, only saying so does."""
        if answer is None or not answer.known:
            return answer is not None and not self.gold
        choices = self.choices or None
        return bool(self.gold) and correct(answer.text, self.gold, self.answer_type, choices)

    def broken(self, error: PixelisError) -> RecordError:
        """What is wrong with its media, with file and line once."""
        told = str(error).removeprefix(f"{self.place}: ").removeprefix("media: ")
        return RecordError(self.place, "media", told, "cannot be opened")

    def has_source(self) -> bool:
        """Whether the source lies where the record says, or beside it."""
        try:
            return self.media_path.is_file()
        except MediaError:
            return False

    def open_source(self) -> Picture | Video:
        """The source, opened; MediaError when it is missing or broken. Close it."""
        return open_media(self.media_path)

    def open(self) -> Picture | Video:
        """The source; where it is missing the first image, as it was shown. Close it.

        MediaError when neither is there.
        """
        shown = None if self.has_source() else self.stored_images()
        if not shown:
            return self.open_source()
        media = self.episode.media
        return Picture(shown[0], media.name, media.sha256)

    def image_paths(self) -> list[Path]:
        """Files of what the model was shown; empty when the record names none."""
        named = self.row.value.get("images")
        if not isinstance(named, list):
            return []
        return [self.file.parent / str(name) for name in named]

    def stored_images(self) -> list[Image.Image] | None:
        """What the model was shown, in order, RGB; None when the record does not hold it."""
        named = self.row.value.get("images")
        if isinstance(named, int):
            return self._packed(named)
        paths = self.image_paths()
        return [open_picture(path).image for path in paths] if paths else None

    def to_record(self, **changes: Any) -> dict[str, Any]:
        """The record with some fields changed; a value of None takes the field away."""
        merged = {**self.row.value, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def _either(self, name: str) -> Any:
        value = self.row.value.get(name)
        return self.episode.meta.get(name) if value is None else value

    def _word(self, name: str) -> str:
        value = self.row.value.get(name) or self.episode.meta.get(name)
        return value if isinstance(value, str) else ""

    def _packed(self, count: int) -> list[Image.Image]:
        path, line = self.file.with_suffix(".npz"), int(self.row.place.split()[-1]) - 1
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return [Image.fromarray(arrays[f"{line}_{k}"]) for k in range(count)]
        except (OSError, KeyError, ValueError) as error:
            told = f"{self.row.where}: images: cannot be read from {path.name} ({error})"
            raise MediaError(told) from error


def files_of(place: Path) -> list[Path]:
    """The JSONL files of a folder, or the one that was given; DataError when there is none."""
    if place.is_file():
        return [place]
    if not place.exists():
        raise DataError(f"{place}: is neither a file nor a folder")
    found = sorted(place.glob("episodes*.jsonl")) or sorted(place.glob("*.jsonl"))
    if not found:
        raise DataError(f"{place}: holds no .jsonl files of episodes; give a folder or a file")
    return found


def read_samples(place: Path, rejections: Rejections | None = None) -> Iterator[Sample]:
    """The good records of a file or folder; the others go into `rejections`, or end it."""
    for path in files_of(place):
        for row in json_lines(path):
            made = row if isinstance(row, RecordError) else sample_of(row)
            if isinstance(made, Sample):
                if rejections is not None:
                    rejections.kept += 1
                yield made
            elif rejections is None:
                raise made
            else:
                rejections.add(made)


def drawn(samples: Iterable[Sample], count: int, seed: int = 0) -> list[Sample]:
    """So many of them, each equally likely, in their order; one pass, only those are held.

    Reservoir sampling (Vitter 1985, algorithm R).
    """
    rng = np.random.default_rng(seed)
    kept: list[tuple[int, Sample]] = []
    for number, sample in enumerate(samples):
        if number < count:
            kept.append((number, sample))
        elif (place := int(rng.integers(number + 1))) < count:
            kept[place] = (number, sample)
    return [sample for _, sample in sorted(kept, key=lambda entry: entry[0])]


def sample_of(row: Row) -> Sample | RecordError:
    """A row as a sample, or what is wrong with it."""
    bare = "episode" not in row.value and "question" in row.value
    try:
        record = row.value if bare else row.inner("episode").value
        episode = Episode.from_dict(record)
        _ = episode.slips
        gold = _gold(row) if row.has("gold") else _own(episode)
    except RecordError as error:
        return error
    except DataError as error:
        told = str(error).removeprefix("episode ")
        return row.wrong("episode", told, "not an episode")
    if (kind := row.value.get("kind")) is not None and kind not in KINDS:
        told = f"came {kind!r}; allowed are {', '.join(KINDS)}"
        return row.wrong("kind", told, "unknown kind")
    value = {"episode": record} if bare else row.value
    return Sample(Row(value, row.file, row.place), episode, gold)


def _gold(row: Row) -> tuple[str, ...]:
    return () if row.value["gold"] in ("", []) else row.texts("gold")


def _own(episode: Episode) -> tuple[str, ...]:
    """The episode's own answer; nothing when it says that it cannot know."""
    answer = episode.answer
    return (answer.text,) if answer is not None and answer.known and answer.text else ()


class Writer:
    """Writes records to `FOLDER/NAME.jsonl` and their media beside it, each file once.

    Records are written as they come; the file takes its name when the writer is closed without
    an error, so that no half-written file is taken for a whole one.
    """

    def __init__(self, folder: Path, name: str = "episodes") -> None:
        self.folder, self.name = folder, name
        self._media: dict[str, str] = {}
        try:
            (folder / "media").mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = (folder / f"{name}.part").open("w", encoding="utf-8")
        except OSError as error:
            raise DataError(f"{folder}: cannot be written ({error.strerror})") from error

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        part = self.folder / f"{self.name}.part"
        if kind is None:
            part.replace(self.path)
        else:
            with suppress(OSError):
                part.unlink()

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.jsonl"

    def add(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(dict(record), ensure_ascii=False) + "\n")

    def keep(self, source: Path, sha256: str) -> str:
        """Copies a file into `media`, once, under its hash; gives its path for a record."""
        if sha256 not in self._media:
            name = f"media/{sha256[:20]}{source.suffix.lower()}"
            target = self.folder / name
            if not target.exists():
                target.write_bytes(source.read_bytes())
            self._media[sha256] = name
        return self._media[sha256]

    def move(self, sample: Sample, **changes: Any) -> None:
        """Writes a sample of another folder here, with its media and images."""
        if sample.row.value.get("media") or sample.episode.media.sha256:
            with suppress(MediaError):  # a check tells of missing media; a move does not invent it
                path = sample.media_path
                changes["media"] = self.keep(path, sample.episode.media.sha256 or path.name)
        shown: Sequence[str] = []
        paths = sample.image_paths()
        if paths and all(path.is_file() for path in paths):
            shown = [self.keep(path, _hash(path)) for path in paths]
        elif isinstance(sample.row.value.get("images"), int):
            shown = [self._picture(image) for image in sample.stored_images() or ()]
        self.add(sample.to_record(images=list(shown) or None, **changes))

    def _picture(self, image: Image.Image) -> str:
        digest = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()
        name = f"media/{digest[:20]}.png"
        if not (self.folder / name).exists():
            image.save(self.folder / name)
        return name


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
