"""DocVQA, single page (Mathew et al. 2021, arXiv:2007.00398), with its OCR when it is there.

    PATH/val_v1.0_withQT.json                 {"data": [{"questionId", "question", "image",
    PATH/spdocvqa_images/xnbl0037_1.png          "answers", "docId", "data_split", ...}]}
    PATH/spdocvqa_ocr/xnbl0037_1.json         {"recognitionResults": [{"lines": [{"boundingBox",
                                                 "text", "words"}], "width", "height"}]}

Licence: research use as agreed on the challenge's site; the pages are of the UCSF Industry
Documents Library.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record, TextBox
from pixelis.data.readers.row import RecordError, Row, each, is_number
from pixelis.data.readers.stream import json_items, load_json
from pixelis.geometry import Box, Size

LICENCE = "research use as agreed with the DocVQA challenge (UCSF Industry Documents)"
FILES = ("*_v1.0*.json", "spdocvqa_qas/*.json", "*.json")
IMAGES = ("", "spdocvqa_images", "documents", "images")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question; the test split has no answers."""
    for path in place.files(*FILES, what="val_v1.0_withQT.json"):
        split = split_of(path.stem)
        yield from each(json_items(path, "data"), partial(_record, place, split))


def _record(place: Place, split: str, row: Row) -> Record:
    name = PurePosixPath(row.text("image"))
    texts, size = _texts(place, row, name.stem)
    return Record(
        source="docvqa",
        id=f"docvqa-{row.word('questionId')}",
        kind="picture",
        media=(place.find(row, "image", str(name.name), (*IMAGES, name.parent)),),
        provenance=place.provenance(row),
        split=str(row.value.get("data_split") or split),
        licence=LICENCE,
        question=row.text("question"),
        answers=row.texts("answers") if row.has("answers") else (),
        answer_type="text",
        size=size,
        texts=texts,
        family="document",
        meta={"question_types": list(row.value.get("question_types") or ())},
    )


def _texts(place: Place, row: Row, stem: str) -> tuple[tuple[TextBox, ...], Size | None]:
    """Lines of the page's OCR file; nothing when there is none."""
    for folder in ("spdocvqa_ocr", "ocr_results", "ocr"):
        path = place.root / folder / f"{stem}.json"
        if path.is_file():
            page = Row({"ocr": load_json(path)}, path, "record 0").inner("ocr")
            first = page.rows("recognitionResults")[0]
            size = Size(first.whole("width", 1), first.whole("height", 1))
            return tuple(_line(line) for line in first.rows("lines")), size
    return (), None


def _line(row: Row) -> TextBox:
    corners = row.items("boundingBox")
    if len(corners) != 8 or not all(map(is_number, corners)):
        raise row.mistyped("boundingBox", corners, "eight numbers, the four corners")
    xs, ys = corners[0::2], corners[1::2]
    return TextBox(row.text("text"), Box(min(xs), min(ys), max(xs), max(ys)))
