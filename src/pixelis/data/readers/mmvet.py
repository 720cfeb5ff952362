"""MM-Vet (Yu et al. 2024, arXiv:2308.02490).

    PATH/mm-vet.json       {"v1_0": {"imagename": "v1_0.png", "question", "answer": "a<AND>b<OR>c",
    PATH/images/v1_0.png             "imagesource", "capability": ["ocr", "math"]}}

`<OR>` separates right answers; one with `<AND>` must hold all its parts and is a `list`.
The authors grade with GPT-4; our scorer is stricter, so figures are not to be put beside theirs.

Licence: CC BY-NC 4.0; the pictures are from the web.
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.answers.types import AnswerType
from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record, type_of
from pixelis.data.readers.row import RecordError, Row
from pixelis.data.readers.stream import json_values

LICENCE = "CC BY-NC 4.0; pictures from the web"


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question."""
    for path in place.files("mm-vet.json", "*.json", what="mm-vet.json"):
        for key, row in json_values(path):
            if isinstance(row, RecordError):
                yield row
                continue
            try:
                yield _record(place, key, row)
            except RecordError as error:
                yield error


def _record(place: Place, key: str, row: Row) -> Record:
    answers, kind = _answers(row.word("answer"))
    return Record(
        source="mmvet",
        id=f"mmvet-{key}",
        kind="picture",
        media=(place.find(row, "imagename", row.text("imagename"), ("images", "")),),
        provenance=place.provenance(row),
        split="test",
        licence=LICENCE,
        question=row.text("question"),
        answers=answers,
        answer_type=kind,
        family="+".join(sorted(row.texts("capability"))),
        meta={"imagesource": row.value.get("imagesource")},
    )


def _answers(text: str) -> tuple[tuple[str, ...], AnswerType]:
    ways = [[part.strip() for part in way.split("<AND>")] for way in text.split("<OR>")]
    if len(ways) == 1 and len(ways[0]) > 1:
        return tuple(ways[0]), "list"
    answers = tuple(", ".join(way) for way in ways)
    return answers, type_of(answers)
