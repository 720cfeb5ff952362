"""SA-1B (Kirillov et al. 2023, arXiv:2304.02643): a picture and its masks without names.

    PATH/sa_000020/sa_223750.jpg
    PATH/sa_000020/sa_223750.json   {"image": {...}, "annotations": [{"segmentation": {"size",
                                     "counts"}, "bbox", "predicted_iou", "stability_score", ...}]}

Licence: SA-1B Dataset Research License (research only, no redistribution).
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.readers.coco import outline
from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record, Thing
from pixelis.data.readers.row import Raw, RecordError, Row, each
from pixelis.data.readers.stream import ELEMENT_BYTES, opened, parsed
from pixelis.geometry import Size

LICENCE = "SA-1B Dataset Research License: research only, no redistribution"
FILES = ("sa_*.json", "*/sa_*.json")
LEAST_IOU, LEAST_STABILITY = 0.5, 0.5


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a picture; masks the annotator's model itself doubted are left out."""
    return each(_documents(place), lambda row: _record(place, row))


def _documents(place: Place) -> Iterator[Raw]:
    for path in place.files(*FILES, what="sa_*.json"):
        with opened(path) as file:
            data = file.read(ELEMENT_BYTES + 1)
        if len(data) > ELEMENT_BYTES:
            told = f"is longer than {ELEMENT_BYTES} bytes"
            yield RecordError(f"{path}: record 0", "", told, "too long")
        else:
            yield parsed(data, path, "record 0")


def _record(place: Place, row: Row) -> Record:
    image = row.inner("image")
    size = Size(image.whole("width", 1), image.whole("height", 1))
    name = image.text("file_name")
    near = row.file.parent.relative_to(place.root)
    kept = [one for one in row.rows("annotations") if _sure(one)]
    things = tuple(
        Thing("", one.corner_box("bbox").clip(size), outline(one, size), one.word("id"))
        for one in kept
    )
    return Record(
        source="sa1b",
        id=f"sa1b-{image.word('image_id')}",
        kind="picture",
        media=(place.find(image, "file_name", name, (near, "")),),
        provenance=place.provenance(row),
        split="train",
        licence=LICENCE,
        size=size,
        things=things,
    )


def _sure(row: Row) -> bool:
    return (
        row.number("predicted_iou", 0, 2) >= LEAST_IOU
        and row.number("stability_score", 0, 2) >= LEAST_STABILITY
    )
