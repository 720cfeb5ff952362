"""Screenshots of web pages with the boxes of their text, as rendered from FineWeb and the like.

No layout of these is published (Pixel-Reasoner's is not part of its release), so this is ours:

    PATH/pages.jsonl          {"id", "url", "image": "shots/0001.png", "width", "height",
    PATH/shots/0001.png         "boxes": [{"text", "bbox": [x1, y1, x2, y2]}], "license"?}

`bbox` is in pixels of the screenshot. Licence: ODC-By 1.0 for FineWeb's text; each page belongs to
its makers.
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record, TextBox
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_lines
from pixelis.geometry import Size

LICENCE = "FineWeb's text ODC-By 1.0; each page belongs to its makers"


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a page."""
    for path in place.files("*.jsonl", what="pages.jsonl"):
        yield from each(json_lines(path), lambda row: _record(place, row))


def _record(place: Place, row: Row) -> Record:
    size = Size(row.whole("width", 1), row.whole("height", 1))
    boxes = [
        TextBox(one.text("text"), one.edges_box("bbox").clip(size)) for one in row.rows("boxes")
    ]
    return Record(
        source="webpage",
        id=f"webpage-{row.word('id')}",
        kind="picture",
        media=(place.find(row, "image", row.text("image")),),
        provenance=place.provenance(row),
        split=split_of(row.file.stem),
        licence=str(row.value.get("license") or LICENCE),
        size=size,
        texts=tuple(box for box in boxes if box.box.area > 0),
        family="webpage",
        meta={"url": row.value.get("url")},
    )
