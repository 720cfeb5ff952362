"""MathVista (Lu et al. 2024, arXiv:2310.02255).

    PATH/data/testmini-00000-of-00001-*.parquet    pid, question, image, decoded_image, choices,
                                                   unit, precision, answer, question_type,
                                                   answer_type, metadata, query
    PATH/annot_testmini.json, PATH/images/1.jpg    the same by pid, pictures as files

Licence: CC BY-SA 4.0; the pictures under the licences of the datasets they come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pixelis.answers.types import AnswerType
from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Pixels, Record, type_of
from pixelis.data.readers.row import Raw, RecordError, Row, each
from pixelis.data.readers.stream import json_values
from pixelis.data.readers.table import pictures, table_rows

LICENCE = "CC BY-SA 4.0; pictures under the licences of their sources"
META = ("unit", "precision", "question_type", "answer_type")
FILES = ("data/*.parquet", "*.parquet", "annot_*.json", "*.json")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question; the test split has no answers."""
    for path in place.files(*FILES, what="its parquet files or annot_testmini.json"):
        yield from each(_rows(path), lambda row: _record(place, row))


def _rows(path: Path) -> Iterator[Raw]:
    if path.suffix == ".parquet":
        yield from table_rows(path)
    else:
        yield from (row for _, row in json_values(path))


def _record(place: Place, row: Row) -> Record:
    choices = row.texts("choices") if row.value.get("choices") else ()
    answers = (str(row.value["answer"]),) if row.value.get("answer") not in (None, "") else ()
    about = row.inner("metadata") if row.has("metadata") else row
    return Record(
        source="mathvista",
        id=f"mathvista-{row.word('pid')}",
        kind="picture",
        media=(_picture(place, row),),
        provenance=place.provenance(row),
        split=split_of(row.file.stem),
        licence=LICENCE,
        question=row.text("question"),
        answers=answers,
        answer_type=_type(row, answers, choices),
        choices=choices,
        family=str(about.value.get("task") or "mathvista"),
        meta={name: row.value.get(name) for name in META},
    )


def _picture(place: Place, row: Row) -> Pixels:
    name = "decoded_image" if row.has("decoded_image") else "image"
    return pictures(place, row, name, ("", "images"))[0]


def _type(row: Row, answers: tuple[str, ...], choices: tuple[str, ...]) -> AnswerType:
    if choices:
        return "option"
    kind = row.text("answer_type")
    known: dict[str, AnswerType] = {
        "integer": "number",
        "float": "number",
        "list": "list",
        "text": type_of(answers) if answers else "text",
    }
    if kind not in known:
        told = f"came {kind!r}; allowed are {', '.join(known)}"
        raise row.wrong("answer_type", told, "unknown answer type")
    return known[kind]
