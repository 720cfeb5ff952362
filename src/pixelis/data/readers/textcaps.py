"""TextCaps (Sidorov et al. 2020, arXiv:2003.12462): captions that speak of the text in a picture.

    PATH/TextCaps_0.1_val.json                {"data": [{"image_id", "image_path", "image_width",
    PATH/train_images/003a8ae2ef43b901.jpg       "caption_str", "reference_strs", "set_name"}]}
    PATH/TextVQA_Rosetta_OCR_v0.2_val.json    {"data": [{"image_id", "ocr_info": [{"word",
                                                 "bounding_box": {"top_left_x", ...}}]}]}

A record carries the picture's reference captions (`meta["captions"]`) and, when the Rosetta file
is beside it, the words in it. Licence: CC BY 4.0; the pictures are of Open Images (CC BY 2.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record, TextBox
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_items
from pixelis.geometry import Box, Size

LICENCE = "CC BY 4.0; pictures of Open Images (CC BY 2.0)"
FILES = ("TextCaps_*.json",)
ROSETTA = "TextVQA_Rosetta_OCR_*.json"
IMAGES = ("train_images", "test_images", "images", "")
Words = dict[str, Row]


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a picture: its captions stand in the file once each, the picture is taken once."""
    for path in place.files(*FILES, what="TextCaps_*.json"):
        words = _words(path)
        seen: set[str] = set()
        rows = (row for row in json_items(path, "data") if _first(row, seen))
        yield from each(rows, partial(_record, place, words))


def _first(row: Row | RecordError, seen: set[str]) -> bool:
    """False for a further caption of a picture that came before."""
    if isinstance(row, RecordError):
        return True
    image = str(row.value.get("image_id"))
    if image in seen:
        return False
    seen.add(image)
    return True


def _record(place: Place, words: Words, row: Row) -> Record:
    image = row.word("image_id")
    size = Size(row.whole("image_width", 1), row.whole("image_height", 1))
    path = PurePosixPath(row.text("image_path"))
    found = words.get(image)
    captions = (
        row.texts("reference_strs") if row.has("reference_strs") else row.texts("caption_str")
    )
    return Record(
        source="textcaps",
        id=f"textcaps-{image}",
        kind="picture",
        media=(place.find(row, "image_path", path.name, (*IMAGES, path.parent)),),
        provenance=place.provenance(row),
        split=str(row.value.get("set_name") or split_of(row.file.stem)),
        licence=LICENCE,
        size=size,
        texts=tuple(_word(one, size) for one in found.rows("ocr_info")) if found else (),
        family="caption",
        meta={"captions": list(captions), "image_classes": row.value.get("image_classes") or []},
    )


def _words(path: Path) -> Words:
    """Rosetta's words by picture, of the same split."""
    split = split_of(path.stem)
    found: Words = {}
    for other in sorted(path.parent.glob(ROSETTA)):
        if split_of(other.stem) == split:
            for row in json_items(other, "data"):
                if isinstance(row, Row) and isinstance(row.value.get("image_id"), str):
                    found[row.value["image_id"]] = row
    return found


def _word(row: Row, size: Size) -> TextBox:
    """Rosetta's boxes are in shares of the picture's sides."""
    box = row.inner("bounding_box")
    left, top = box.number("top_left_x") * size.width, box.number("top_left_y") * size.height
    right = left + box.number("width") * size.width
    bottom = top + box.number("height") * size.height
    return TextBox(row.text("word"), Box(left, top, right, bottom).clip(size), "word")
