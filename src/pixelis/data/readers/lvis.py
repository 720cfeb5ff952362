"""LVIS (Gupta et al. 2019, arXiv:1908.03195): COCO's form over COCO's pictures, 1203 categories.

    PATH/lvis_v1_val.json        as COCO; pictures carry coco_url instead of file_name (v1),
    PATH/val2017/000000397133.jpg  neg_category_ids and not_exhaustive_category_ids

Objects are marked exhaustively only for categories that are not in `not_exhaustive_category_ids`;
the record's `meta["open"]` names the others, which must not be counted.

Licence: annotations CC BY 4.0; the pictures are COCO's, each under the licence it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pixelis.data.readers.coco import read_instances
from pixelis.data.readers.index import Index
from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError, Row

LICENCE = "annotations CC BY 4.0; pictures under their own licences (COCO, Flickr)"
FILES = ("lvis_*.json", "annotations/lvis_*.json", "*.json")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a picture."""
    for path in place.files(*FILES, what="lvis_*.json"):
        yield from read_instances(place, path, "lvis", LICENCE, _file_name, _extras)


def _file_name(image: Row) -> str:
    """`val2017/000000397133.jpg`, from the file name of v0.5 or the address of v1."""
    if image.has("file_name"):
        return image.text("file_name").removeprefix("COCO_")
    parts = PurePosixPath(urlsplit(image.text("coco_url")).path).parts
    return "/".join(parts[-2:])


def _extras(image: Row, index: Index) -> Mapping[str, Any]:
    names = {
        field: [_name(index, key) for key in image.value.get(key_field) or ()]
        for field, key_field in (
            ("open", "not_exhaustive_category_ids"),
            ("absent", "neg_category_ids"),
        )
    }
    return names


def _name(index: Index, key: Any) -> str:
    category = index.categories.get(key)
    return category.text("name") if category else str(key)
