"""MMMU (Yue et al. 2024, arXiv:2311.16502).

    PATH/Accounting/validation-00000-of-00001.parquet    id, question ("... <image 1> ..."),
                                                         options ("['a', 'b']"), answer ("B"),
                                                         image_1 ... image_7, question_type,
                                                         topic_difficulty, subfield

Licence: Apache 2.0; the pictures come from text books and the web.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Pixels, Record, type_of
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.table import pictures, table_rows

LICENCE = "Apache 2.0; pictures from text books and the web"
FILES = ("*/*.parquet", "data/*.parquet", "*.parquet")
IMAGE = re.compile(r"<image (\d)>")
MOST_IMAGES = 7


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question, with all the pictures it speaks of; test answers are kept secret."""
    for path in place.files(*FILES, what="its parquet files"):
        yield from each(table_rows(path), lambda row: _record(place, row))


def _record(place: Place, row: Row) -> Record:
    choices = _choices(row)
    question = row.text("question")
    answers = _answers(row, choices)
    images = _images(place, row)
    return Record(
        source="mmmu",
        id=f"mmmu-{row.word('id')}",
        kind="picture",
        media=tuple(images),
        provenance=place.provenance(row),
        split=split_of(row.word("id"), row.file.stem),
        licence=LICENCE,
        question=IMAGE.sub("", question).strip() if len(images) == 1 else question,
        answers=answers,
        answer_type="option" if choices else type_of(answers) if answers else "text",
        choices=choices,
        family=str(row.value.get("subfield") or row.file.parent.name),
        meta={
            "difficulty": row.value.get("topic_difficulty"),
            "img_type": row.value.get("img_type"),
        },
    )


def _images(place: Place, row: Row) -> list[Pixels]:
    found: list[Pixels] = []
    for number in range(1, MOST_IMAGES + 1):
        if row.has(f"image_{number}"):
            found += pictures(place, row, f"image_{number}")
    if not found:
        raise row.wrong("image_1", "is missing; a picture is needed", "missing")
    return found


def _choices(row: Row) -> tuple[str, ...]:
    """The options, written as a Python list of texts; empty for an open question."""
    return tuple(str(one) for one in _literal(row, "options"))


def _answers(row: Row, choices: tuple[str, ...]) -> tuple[str, ...]:
    answer = row.word("answer")
    if answer == "?":  # kept secret
        return ()
    if not choices:
        return (
            tuple(str(one) for one in _literal(row, "answer")) if answer[:1] == "[" else (answer,)
        )
    index = ord(answer) - ord("A") if len(answer) == 1 else -1
    if not 0 <= index < len(choices):
        last = chr(ord("A") + len(choices) - 1)
        raise row.wrong("answer", f"came {answer!r}; A to {last} is allowed", "no such option")
    return (answer,)


def _literal(row: Row, name: str) -> list[str | int | float]:
    value = row.value.get(name)
    if isinstance(value, list):
        return value
    try:
        read = ast.literal_eval(row.text(name))
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise row.mistyped(name, value, "a list of texts") from error
    if not isinstance(read, list) or not all(isinstance(one, str | int | float) for one in read):
        raise row.mistyped(name, value, "a list of texts")
    return read
