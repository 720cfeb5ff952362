"""TallyQA (Acharya et al. 2019, arXiv:1810.12440): counting, simple and complex questions.

    PATH/test.json                 [{"image": "VG_100K_2/1.jpg", "question", "answer": 2,
    PATH/VG_100K_2/1.jpg             "image_id", "question_id", "data_source", "issimple"}]
    PATH/val2014/COCO_val2014_000000000042.jpg

Licence: questions Apache 2.0; pictures of Visual Genome (CC BY 4.0) and COCO (own licences).
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_items

LICENCE = "questions Apache 2.0; pictures of Visual Genome (CC BY 4.0) and COCO (own licences)"


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question."""
    paths = place.files("t*.json", "*.json", what="train.json or test.json")
    for path in paths:
        yield from each(json_items(path), lambda row: _record(place, row))


def _record(place: Place, row: Row) -> Record:
    simple = row.value.get("issimple")
    return Record(
        source="tallyqa",
        id=f"tallyqa-{row.word('question_id')}",
        kind="picture",
        media=(place.find(row, "image", row.text("image"), ("", "images")),),
        provenance=place.provenance(row),
        split=split_of(row.file.stem),
        licence=LICENCE,
        question=row.text("question"),
        answers=(str(row.whole("answer")),),
        answer_type="number",
        family="object_counting",
        meta={
            "data_source": row.value.get("data_source"),
            "difficulty": "" if simple is None else "simple" if simple else "complex",
        },
    )
