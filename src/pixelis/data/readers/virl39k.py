"""ViRL39K (Wang et al. 2025, arXiv:2504.08837): verifiable questions for reinforcement learning.

    PATH/39Krelease.parquet    question ("<image> ..."), answer ("\\boxed{17}"), image (paths),
    PATH/images/...            PassRate_32BTrained, PassRate_7BBase, category, source, qid

The pass rates become the record's `meta["pass_rate"]`. Licence: MIT; pictures of the datasets it
is built on.
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record, type_of
from pixelis.data.readers.row import RecordError, Row, each, is_number
from pixelis.data.readers.table import pictures, table_rows
from pixelis.models.dialects.parse import parse

LICENCE = "MIT; pictures of the datasets it is built on"
IMAGE = "<image>"


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question; some have several pictures or none (those are refused)."""
    for path in place.files("*.parquet", "data/*.parquet", what="39Krelease.parquet"):
        yield from each(table_rows(path), lambda row: _record(place, row))


def _record(place: Place, row: Row) -> Record:
    answer = unboxed(row, "answer")
    rates = {k: v for k, v in row.value.items() if k.startswith("PassRate") and is_number(v)}
    media = tuple(pictures(place, row, "image"))
    if not media:
        raise row.wrong("image", "came an empty list; a picture is needed", "no picture")
    letter = len(answer) == 1 and answer.isalpha() and answer.isupper()
    return Record(
        source="virl39k",
        id=f"virl39k-{row.word('qid')}",
        kind="picture",
        media=media,
        provenance=place.provenance(row),
        split="train",
        licence=LICENCE,
        question=row.text("question").replace(IMAGE, "").strip(),
        answers=(answer,),
        answer_type="option" if letter else type_of((answer,)),
        family=str(row.value.get("category") or "virl39k"),
        meta={"pass_rate": rates, "source": row.value.get("source")},
    )


def unboxed(row: Row, name: str) -> str:
    """The answer in a field, without the `\\boxed{}` around it."""
    text = row.word(name)
    return (parse(text, (), "boxed").answer or text).strip()
