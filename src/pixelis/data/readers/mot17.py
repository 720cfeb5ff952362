"""MOT17 (Milan et al. 2016, arXiv:1603.00831): people and vehicles tracked by hand.

    PATH/train/MOT17-02-FRCNN/seqinfo.ini       [Sequence] name, imDir, frameRate, seqLength, ...
    PATH/train/MOT17-02-FRCNN/img1/000001.jpg
    PATH/train/MOT17-02-FRCNN/gt/gt.txt         frame, id, left, top, width, height, considered,
                                                class, visibility    (frames from 1, corners too)

The three copies of a sequence (-DPM, -FRCNN, -SDP) differ in detections only; the first is taken.
Licence: CC BY-NC-SA 3.0.
"""

from __future__ import annotations

import configparser
import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record, Track
from pixelis.data.readers.row import RecordError, Row
from pixelis.errors import DataError
from pixelis.geometry import Box, Size

LICENCE = "CC BY-NC-SA 3.0"
COLUMNS = ("frame", "id", "left", "top", "width", "height", "considered", "class", "visibility")
CLASSES = {
    1: "pedestrian", 2: "person on a vehicle", 3: "car", 4: "bicycle", 5: "motorbike",
    6: "vehicle", 7: "standing person", 8: "distractor", 9: "occluder", 10: "occluder",
    11: "occluder", 12: "reflection", 13: "crowd",
}  # fmt: skip
COPY = re.compile(r"-(DPM|FRCNN|SDP)$")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a sequence: its frames and its tracks."""
    seen: set[str] = set()
    for path in place.files("seqinfo.ini", "*/seqinfo.ini", "*/*/seqinfo.ini", what="sequences"):
        name = COPY.sub("", path.parent.name)
        if name in seen:
            continue
        seen.add(name)
        try:
            yield _record(place, path, name)
        except RecordError as error:
            yield error


def _record(place: Place, path: Path, name: str) -> Record:
    info = _info(path)
    length = int(info.number("seqLength", 1))
    frames = tuple(_frame(info, path.parent, number) for number in range(1, length + 1))
    size = Size(int(info.number("imWidth", 1)), int(info.number("imHeight", 1)))
    truth = path.parent / "gt" / "gt.txt"
    return Record(
        source="mot17",
        id=f"mot17-{name}",
        kind="frames",
        media=frames,
        provenance=place.provenance(Row({}, truth if truth.is_file() else path, name)),
        split=split_of(path.parent.parent.name),
        licence=LICENCE,
        size=size,
        tracks=tuple(_tracks(truth, length)) if truth.is_file() else (),
        family="temporal_tracking",
        fps=info.number("frameRate", 0.1),
    )


def _info(path: Path) -> Row:
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their capitals
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
        values: dict[str, object] = dict(parser["Sequence"])
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError) as error:
        told = f"cannot be read as a [Sequence] ({' '.join(str(error).split())})"
        raise RecordError(str(path), "", told, "broken seqinfo.ini") from error
    for name in ("seqLength", "imWidth", "imHeight", "frameRate"):
        text = str(values.get(name, ""))
        values[name] = float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text
    return Row(values, path, "[Sequence]")


def _frame(info: Row, folder: Path, number: int) -> Path:
    found = folder / str(info.value.get("imDir", "img1"))
    path = found / f"{number:06d}{info.value.get('imExt', '.jpg')}"
    if not path.is_file():
        raise info.wrong("imDir", f"frame {number} is not at {path}", "missing file")
    return path


def _tracks(path: Path, length: int) -> Iterator[Track]:
    """The objects that are to be considered, each with its boxes by frame from 0."""
    boxes: dict[str, dict[int, Box]] = defaultdict(dict)
    seen: dict[str, dict[int, float]] = defaultdict(dict)
    labels: dict[str, str] = {}
    for row in _lines(path):
        frame = row.whole("frame", 1)
        if frame > length:
            told = f"came {frame}; the sequence has {length} frames"
            raise row.wrong("frame", told, "out of range")
        kind = row.whole("class", 1)
        if kind not in CLASSES:
            raise row.wrong("class", f"came {kind}; 1 to 13 is allowed", "unknown class")
        if not row.number("considered"):
            continue
        key = row.word("id")
        left, top = row.number("left") - 1, row.number("top") - 1
        width, height = row.number("width", 0), row.number("height", 0)
        boxes[key][frame - 1] = Box(left, top, left + width, top + height)
        seen[key][frame - 1] = row.number("visibility", 0, 1)
        labels[key] = CLASSES[kind]
    for key in sorted(boxes, key=int):
        yield Track(key, labels[key], dict(sorted(boxes[key].items())), seen[key])


def _lines(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, cells in enumerate(csv.reader(file), 1):
                if cells:
                    yield _numbers(path, number, cells)
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordError(str(path), "", f"cannot be read ({error})", "not UTF-8 text") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _numbers(path: Path, number: int, cells: list[str]) -> Row:
    where = f"line {number}"
    if len(cells) != len(COLUMNS):
        told = f"came {len(cells)} values; {', '.join(COLUMNS)} are needed"
        raise RecordError(f"{path}: {where}", "", told, "wrong number of columns")
    values: dict[str, object] = {}
    for name, cell in zip(COLUMNS, cells, strict=True):
        try:
            value = float(cell)
        except ValueError:
            values[name] = cell  # the field is refused by name when it is asked for
        else:
            values[name] = int(value) if value.is_integer() else value
    return Row(values, path, where)
