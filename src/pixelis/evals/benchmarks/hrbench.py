"""HR-Bench 4K and 8K (Wang et al. 2025, arXiv:2408.15556): details in pictures of that many pixels.

    PATH/hr_bench_4k.parquet, PATH/hr_bench_8k.parquet    index, question, answer ("B"), category
    PATH/hr_bench_4k.tsv                                  ("single" or "cross"), A, B, C, D,
    PATH/data/hrbench_4k-00000-of-00005.parquet           cycle_category, image (base64 of a JPEG)

200 questions of each size, each four times with its options moved on by one place, so 800 rows. The
mean over all rows is what is published. Licence: the pictures are of DIV8K (academic use).
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import Raw, RecordError, Row, each
from pixelis.data.readers.table import table_rows
from pixelis.errors import DataError

LICENCE = "pictures of DIV8K, academic use only"
LETTERS = "ABCD"


def read(place: Place, size: str) -> Iterator[Record | RecordError]:
    """One record a row; `size` is `4k` or `8k`."""
    patterns = (
        f"hr_bench_{size}.parquet",
        f"data/hrbench_{size}-*.parquet",
        f"hr_bench_{size}.tsv",
    )
    for path in place.files(*patterns, what=patterns[0]):
        rows = _lines(path) if path.suffix == ".tsv" else table_rows(path)
        yield from each(rows, partial(_record, place, size))


def group_of(record: Record) -> str:
    """The key that the four rotations of one question about one picture share."""
    [picture] = record.media
    name = hashlib.sha256(picture).hexdigest()[:20] if isinstance(picture, bytes) else picture
    return f"hrbench-{name}-{record.question}-{sorted(record.choices)}"


def _record(place: Place, size: str, row: Row) -> Record:
    choices = tuple(row.word(letter) for letter in LETTERS)
    answer = row.text("answer")
    if answer not in LETTERS:
        raise row.wrong("answer", f"came {answer!r}; A to D is allowed", "no such option")
    return Record(
        source=f"hrbench{size}",
        id=f"hrbench{size}-{row.word('index')}",
        kind="picture",
        media=(_picture(row),),
        provenance=place.provenance(row),
        split="test",
        licence=LICENCE,
        question=row.text("question"),
        answers=(answer,),
        answer_type="option",
        choices=choices,
        family=row.text("category"),
        meta={"cycle": row.value.get("cycle_category")},
    )


def _picture(row: Row) -> bytes:
    """The picture: base64 in the published files, bytes where `datasets` has decoded them."""
    value = row.raw("image", "a picture in base64")
    if isinstance(value, dict):
        value = value.get("bytes")
    if isinstance(value, bytes) and value:
        return value
    if not isinstance(value, str) or not value:
        raise row.mistyped("image", value, "a picture in base64")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise row.wrong("image", f"is no base64 ({error})", "no base64") from error


def _lines(path: Path) -> Iterator[Raw]:
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t")
            for number, row in enumerate(reader):
                if None in row.values():
                    told = f"row {number} ends too early; the file is not whole"
                    raise DataError(f"{path}: {told}")
                yield Row(row, path, f"row {number}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}); a table with tabs is needed") from error
