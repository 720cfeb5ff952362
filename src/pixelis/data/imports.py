"""Records of real datasets as evaluation questions, as tasks with plans, or as episodes.

Question files are what `pixelis eval jsonl` reads. A task line is a question line and beside it
the plan (where to look, what to do there), the split, the licence and where it comes from. An
episode is a task that the oracle solved by executing operations, kept only when it is right.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from pixelis.answers.score import correct
from pixelis.answers.types import AnswerType
from pixelis.data.asking import Asked, Way, ask
from pixelis.data.clips import clip_of
from pixelis.data.episodes import GOLDEN, Writer
from pixelis.data.readers.record import Record
from pixelis.data.solving import solve
from pixelis.errors import DataError, MediaError
from pixelis.media import open_media, open_picture
from pixelis.media.sniff import HEAD_BYTES, sniff
from pixelis.models.nano import TEXT_LIMIT
from pixelis.ops.workspace import PixelBudget

PER_PICTURE = 3
BUDGET = PixelBudget(256 * 256, 256 * 256, 32)
ENDINGS = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "BMP": ".bmp", "WEBP": ".webp",
           "TIFF": ".tiff", "PPM": ".ppm"}  # fmt: skip


@dataclass
class Imported:
    """What became of the records.

    Attributes:
        records: how many good ones there were.
        written: how many questions, tasks or episodes came of them, by family.
        skipped: why others did not become any.
    """

    records: int = 0
    written: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.written.total()

    def report(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "records": self.records,
            "written": self.total,
            "by_family": dict(self.written.most_common()),
            "skipped": dict(self.skipped.most_common()),
        }


@dataclass(frozen=True)
class Question:
    """One question with the media it is about, ready to be written.

    Attributes:
        path: of the picture or video.
        way: the plan, its frames counted from the start of a clip that was cut.
    """

    id: str
    record: Record
    asked: Asked
    path: Path
    video: bool
    way: Way | None

    def line(self, folder: Path) -> dict[str, Any]:
        """The line of a question file that lies in `folder`."""
        asked = self.asked
        answer: Any = list(asked.answer) if len(asked.answer) > 1 else asked.answer[0]
        values = {
            "id": self.id,
            "video" if self.video else "image": os.path.relpath(self.path, folder),
            "question": asked.question,
            "answer": answer,
            "answer_type": asked.answer_type,
            "choices": list(asked.choices) or None,
            "family": asked.family,
            "kind": asked.kind,
            "difficulty": asked.difficulty,
            "source": self.record.source,
        }
        return {name: value for name, value in values.items() if value is not None}

    def task(self, folder: Path) -> dict[str, Any]:
        """The line of a task file that lies in `folder`."""
        return {
            **self.line(folder),
            "plan": None if self.way is None else self.way.to_dict(),
            "split": self.record.split,
            "provenance": self.provenance(),
            **({"truth": self.asked.meta} if self.asked.meta else {}),
        }

    def provenance(self) -> dict[str, Any]:
        """Licence, and the record behind it."""
        return {
            **asdict(self.record.provenance),
            "source": self.record.source,
            "parent": self.record.id,
            "licence": self.record.licence,
        }


def questions(
    records: Iterable[Record],
    media: Path,
    imported: Imported,
    per_picture: int = PER_PICTURE,
    seed: int = 0,
) -> Iterator[Question]:
    """The questions of many records, up to `per_picture` of each; the same for the same seed.

    Args:
        media: folder for pictures that lay inside a table, and for clips; made when needed.
        imported: told what was skipped and why.
    """
    for record in records:
        imported.records += 1
        if len(record.media) > 1 and record.kind == "picture":
            imported.skipped["several pictures in one question"] += 1
            continue
        found = [one for one in ask(record, _pixels(record)) if _scores(one, imported)]
        if not found:
            reason = "no answer is published" if record.question else "nothing to ask for sure"
            imported.skipped[reason] += 1
            continue
        for number, asked in enumerate(_chosen(found, per_picture, record.id, seed)):
            try:
                path, way = _placed(record, asked, media)
            except (MediaError, DataError) as error:
                imported.skipped[f"media: {type(error).__name__}"] += 1
                continue
            name = record.id if asked.kind == "given" else f"{record.id}-{asked.kind}-{number}"
            yield Question(name, record, asked, path, record.kind != "picture", way)


def write_questions(
    found: Iterable[Question],
    out: Path,
    imported: Imported,
    tasks: bool = False,
    limit: int | None = None,
) -> None:
    """Writes a question file, or a task file; it takes its name when it is whole."""
    part = out.with_name(f".{out.name}.part")
    seen: set[str] = set()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            for one in _limited(found, limit):
                if one.id in seen:
                    imported.skipped["the same id again"] += 1
                    continue
                seen.add(one.id)
                line = one.task(out.parent) if tasks else one.line(out.parent)
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                imported.written[one.asked.family] += 1
        part.replace(out)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror})") from error


def write_episodes(
    found: Iterable[Question],
    folder: Path,
    imported: Imported,
    limit: int | None = None,
    budget: PixelBudget = BUDGET,
    told: Callable[[int], None] = lambda count: None,
) -> Path:
    """Solves each question by executing its plan; writes those that come out right."""
    with Writer(folder) as writer:
        for one in found:
            if limit is not None and imported.total >= limit:
                break
            record = _episode(one, writer, imported, budget)
            if record is not None:
                writer.add(record)
                imported.written[one.asked.family] += 1
                told(imported.total)
    return writer.path


def _episode(
    one: Question, writer: Writer, imported: Imported, budget: PixelBudget
) -> dict[str, Any] | None:
    if one.way is None:
        imported.skipped["no plan: the annotations do not say where to look"] += 1
        return None
    with open_media(one.path) as media:
        episode = solve(one.id, one.asked, one.way, media, budget, TEXT_LIMIT)
        sha256 = media.sha256
    answer = episode.answer
    if answer is None or not answer.known or not _right(one.asked, answer.text):
        imported.skipped["the operations came to another answer"] += 1
        return None
    asked = one.asked
    values = {
        "episode": replace(episode, meta={**episode.meta, "family": asked.family}).to_dict(),
        "gold": list(asked.answer) if len(asked.answer) > 1 else asked.answer[0],
        "answer_type": asked.answer_type,
        "choices": list(asked.choices) or None,
        "family": asked.family,
        "kind": GOLDEN,
        "split": one.record.split or None,
        "media": writer.keep(one.path, sha256),
        "band": asked.difficulty,
        "provenance": {**one.provenance(), "media_sha256": sha256, "generator": "import"},
    }
    return {name: value for name, value in values.items() if value is not None}


# choosing -----------------------------------------------------------------------------------------
def _chosen(found: list[Asked], most: int, name: str, seed: int) -> list[Asked]:
    """Some of them: each kind in turn, drawn by the record's own seed."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    shuffled = [found[k] for k in rng.permutation(len(found))]
    turns: Counter[str] = Counter()
    placed: list[tuple[int, int, Asked]] = []
    for one in shuffled:
        placed.append((turns[one.kind], len(placed), one))
        turns[one.kind] += 1
    return [one for _, _, one in sorted(placed, key=lambda entry: entry[:2])][:most]


def _scores(asked: Asked, imported: Imported) -> bool:
    """Whether the gold answer is one that our scorer takes for right."""
    if asked.answer and _right(asked, _whole(asked)):
        return True
    imported.skipped[f"a gold answer that is no {asked.answer_type}"] += 1
    return False


def _whole(asked: Asked) -> str:
    return ", ".join(asked.answer) if asked.answer_type == "list" else asked.answer[0]


def _right(asked: Asked, text: str) -> bool:
    kind = cast(AnswerType, asked.answer_type)
    return correct(text, asked.answer, kind, asked.choices or None)


def _limited(found: Iterable[Question], limit: int | None) -> Iterator[Question]:
    for number, one in enumerate(found):
        if limit is not None and number >= limit:
            return
        yield one


# media --------------------------------------------------------------------------------------------
def _pixels(record: Record) -> np.ndarray | None:
    """The picture of a record whose objects can be measured."""
    if record.kind != "picture" or not record.things or record.question:
        return None
    return np.asarray(open_picture(record.media[0]).image)


def _placed(record: Record, asked: Asked, media: Path) -> tuple[Path, Way | None]:
    """Where the media of a question lie, written first when they lie in no file of their own."""
    way = asked.way
    frames = way.frames if way is not None else None
    first = record.media[0]
    if record.kind == "picture":
        return (first if isinstance(first, Path) else unpacked(first, media)), way
    if record.kind == "video" and frames is None and record.span is None:
        return cast(Path, first), way
    media.mkdir(parents=True, exist_ok=True)
    start, end = frames or (0, 0)
    stretch = (start, end) if frames else record.span
    part = "all" if stretch is None else f"{stretch[0]:g}-{stretch[1]:g}"
    out = media / f"{_safe(record.id)}-{part}.mp4"
    if not out.exists():
        clip_of(record, out, frames)
    if way is not None and frames is not None:
        way = replace(way, frames=(0, end - start))
    return out, way


def unpacked(data: bytes, media: Path) -> Path:
    """A picture that lay inside a table, in a file named by its hash."""
    kind = sniff(data[:HEAD_BYTES])
    ending = ENDINGS.get(kind.format, ".img") if kind else ".img"
    path = media / f"{hashlib.sha256(data).hexdigest()[:20]}{ending}"
    if not path.exists():
        media.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return path


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
