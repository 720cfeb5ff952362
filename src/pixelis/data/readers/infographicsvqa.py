"""InfographicsVQA (Mathew et al. 2022, arXiv:2104.12756), with its OCR when it is there.

    PATH/infographicsVQA_val_v1.0_withQT.json     {"data": [{"questionId", "question",
    PATH/infographicsvqa_images/20471.jpeg           "image_local_name", "ocr_output_file",
    PATH/infographicsvqa_ocr/20471.json              "answers", "data_split", ...}]}

The OCR is Amazon Textract's: {"LINE": [{"Text", "Geometry": {"BoundingBox": {"Left", "Top",
"Width", "Height"}}}], "WORD": [...]}, in shares of the picture's sides.

Licence: research use as agreed on the challenge's site; the pictures belong to their makers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record, TextBox
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_items, load_json
from pixelis.errors import MediaError
from pixelis.geometry import Box, Size
from pixelis.media import open_picture

LICENCE = (
    "research use as agreed with the InfographicVQA challenge; pictures belong to their makers"
)
FILES = ("infographicsVQA_*.json", "infographicsvqa_qas/*.json", "*.json")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question; the test split has no answers."""
    for path in place.files(*FILES, what="infographicsVQA_*.json"):
        split = split_of(path.stem)
        yield from each(json_items(path, "data"), partial(_record, place, split))


def _record(place: Place, split: str, row: Row) -> Record:
    name = row.text("image_local_name")
    stem = row.file.stem.removesuffix("_withQT")
    image = place.find(
        row, "image_local_name", name, ("infographicsvqa_images", f"{stem}_images", "images", "")
    )
    texts, size = _texts(place, row, image, stem)
    return Record(
        source="infographicsvqa",
        id=f"infographicsvqa-{row.word('questionId')}",
        kind="picture",
        media=(image,),
        provenance=place.provenance(row),
        split=str(row.value.get("data_split") or split),
        licence=LICENCE,
        question=row.text("question"),
        answers=row.texts("answers") if row.has("answers") else (),
        answer_type="text",
        size=size,
        texts=texts,
        family="infographic",
        meta={"image_url": row.value.get("image_url")},
    )


def _texts(
    place: Place, row: Row, image: Path, stem: str
) -> tuple[tuple[TextBox, ...], Size | None]:
    name = row.value.get("ocr_output_file")
    if not isinstance(name, str):
        return (), None
    for folder in ("infographicsvqa_ocr", f"{stem}_ocr_outputs", "ocr"):
        path = place.root / folder / Path(name).name
        if path.is_file():
            break
    else:
        return (), None
    try:
        size = open_picture(image).size
    except MediaError as error:
        raise row.wrong("image_local_name", str(error), "broken picture") from error
    page = Row({"ocr": load_json(path)}, path, "record 0").inner("ocr")
    return tuple(_line(line, size) for line in page.rows("LINE")), size


def _line(row: Row, size: Size) -> TextBox:
    box = row.inner("Geometry").inner("BoundingBox")
    left, top = (
        box.number("Left", -0.1, 1.1) * size.width,
        box.number("Top", -0.1, 1.1) * size.height,
    )
    width = box.number("Width", 0, 1.1) * size.width
    height = box.number("Height", 0, 1.1) * size.height
    return TextBox(row.text("Text"), Box(left, top, left + width, top + height).clip(size))
