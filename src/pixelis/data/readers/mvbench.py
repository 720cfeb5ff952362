"""MVBench (Li et al. 2024, arXiv:2311.17005): twenty kinds of questions about short videos.

    PATH/json/action_sequence.json              [{"video": "ZS9XR.mp4", "question", "candidates",
    PATH/video/star/Charades_v1_480/ZS9XR.mp4     "answer", "start"?, "end"?}]

The file names the task; a video is looked for below `video` by its name (some are folders of
frames). Licence: MIT for the questions; the videos under the licences of eleven datasets.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_items

LICENCE = "questions MIT; videos under the licences of the eleven datasets they come from"
FRAMES = (".jpg", ".jpeg", ".png", ".webp")
FRAMES_PER_SECOND = 3.0  # of the folders of frames (tvqa/frames_fps3_hq)


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question."""
    paths = place.files("json/*.json", "*.json", what="json/action_sequence.json and the like")
    where = _index(place, paths[0])
    for path in paths:
        numbers = iter(range(1 << 62))
        yield from each(json_items(path), partial(_record, place, where, numbers))


def _index(place: Place, path: Path) -> dict[str, Path]:
    """Videos and folders of frames by name, with what lies above them as far as is needed."""
    root = path.parent.parent if path.parent.name == "json" else place.root
    found: dict[str, Path] = {}
    for base in (*place.media, root / "video", root / "videos"):
        for entry in sorted(base.rglob("*")) if base.is_dir() else ():
            found.setdefault(entry.name, entry)
            found.setdefault(entry.relative_to(base).as_posix(), entry)
    return found


def _record(place: Place, where: dict[str, Path], numbers: Iterator[int], row: Row) -> Record:
    name = row.text("video")
    found = where.get(name)
    if found is None:
        told = f"{name!r} is not there; looked below video; name its folder with --media"
        raise row.wrong("video", told, "missing file")
    choices = row.texts("candidates")
    answer = row.text("answer")
    if answer not in choices:
        raise row.wrong(
            "answer", f"came {answer!r}; it is none of the candidates", "no such option"
        )
    frames = _frames(row, found) if found.is_dir() else ()
    span = None
    if row.has("start") and row.has("end"):
        span = (row.number("start", 0), row.number("end", 0))
    return Record(
        source="mvbench",
        id=f"mvbench-{row.file.stem}-{next(numbers)}",
        kind="frames" if frames else "video",
        media=frames or (found,),
        provenance=place.provenance(row),
        split="test",
        licence=LICENCE,
        question=row.text("question"),
        answers=(answer,),
        answer_type="option",
        choices=choices,
        family=row.file.stem,
        fps=FRAMES_PER_SECOND if frames else 0.0,
        span=span,
    )


def _frames(row: Row, folder: Path) -> tuple[Path, ...]:
    found = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in FRAMES))
    if not found:
        raise row.wrong("video", f"the folder {folder} holds no frames", "missing file")
    return found
