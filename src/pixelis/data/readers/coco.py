"""COCO instances (Lin et al. 2014, arXiv:1405.0312) and every file in their form.

    PATH/annotations/instances_val2017.json      {"images": [...], "annotations": [...],
    PATH/val2017/000000000139.jpg                 "categories": [...], "licenses": [...]}

A record is one picture with all its objects. When one of its annotations is broken the whole
record is refused: a count made from the others would be wrong.

Licence: annotations CC BY 4.0; the pictures are from Flickr, each under the licence it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pixelis.data.readers.index import Grouped, Index
from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Outline, Record, Thing
from pixelis.data.readers.row import RecordError, Row, is_number
from pixelis.geometry import Size

LICENCE = "annotations CC BY 4.0; pictures under their own licences (Flickr)"
FILES = ("annotations/instances_*.json", "instances_*.json", "annotations/*.json", "*.json")

Namer = Callable[[Row], str]
Extras = Callable[[Row, Index], Mapping[str, Any]]


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a picture."""
    for path in place.files(*FILES, what="instances_*.json"):
        yield from read_instances(place, path, "coco", LICENCE)


def read_instances(
    place: Place,
    path: Path,
    source: str,
    licence: str,
    file_name: Namer = lambda image: image.text("file_name"),
    extras: Extras = lambda image, index: {},
) -> Iterator[Record | RecordError]:
    """The records of one file in COCO's form.

    Args:
        file_name: gives the picture's file name.
        extras: gives what goes into the record's `meta`.
    """
    index = Index(path)
    split = split_of(path.stem, path.parent.name)
    for found in index:
        if isinstance(found, RecordError):
            yield found
            continue
        try:
            yield _record(place, found, index, source, licence, split, file_name, extras)
        except RecordError as error:
            yield error


def _record(
    place: Place,
    found: Grouped,
    index: Index,
    source: str,
    licence: str,
    split: str,
    file_name: Namer,
    extras: Extras,
) -> Record:
    image, name = found.image, file_name(found.image)
    size = Size(image.whole("width", 1), image.whole("height", 1))
    things = tuple(_thing(raw, size, index) for raw in found.annotations)
    own = index.licences.get(image.value.get("license"), "")
    return Record(
        source=source,
        id=f"{source}-{image.word('id')}",
        kind="picture",
        media=(place.find(image, "file_name", name, folders(index.path, place.root)),),
        provenance=place.provenance(image),
        split=split or split_of(name),
        licence=f"picture: {own}; {licence}" if own else licence,
        size=size,
        things=things,
        meta=dict(extras(image, index)),
    )


def folders(path: Path, root: Path) -> list[str]:
    """Where pictures lie beside an annotation file, relative to the root."""
    split = path.stem.removeprefix("instances_")
    ground = path.parent.parent if path.parent.name == "annotations" else path.parent
    near = [str(ground), str(path.parent)] if ground != root else []
    plain = ["", split, f"images/{split}", "images", "train2017", "val2017", "test2017"]
    around = [str(ground / folder) for folder in plain] if near else []
    return [*plain, *near, *around]


def _thing(raw: Row | RecordError, size: Size, index: Index) -> Thing:
    if isinstance(raw, RecordError):
        raise raw
    key = raw.raw("category_id", "a category")
    category = index.categories.get(key) if isinstance(key, int | str) else None
    if category is None:
        told = f"came {key!r}; it is none of the file's categories"
        raise raw.wrong("category_id", told, "unknown category")
    return Thing(
        label=category.text("name"),
        box=raw.corner_box("bbox").clip(size),
        outline=outline(raw, size),
        id=str(raw.value.get("id", "")),
        crowd=bool(raw.value.get("iscrowd", 0)),
        part_of=str(category.value.get("supercategory", "")),
    )


def outline(row: Row, size: Size, field: str = "segmentation") -> Outline | None:
    """The mask under `field`, checked but not decoded; None when there is none."""
    value = row.value.get(field)
    if value is None or value == []:
        return None
    if isinstance(value, dict):
        return _runs(row.inner(field), size)
    polygons = row.items(field)
    for number, polygon in enumerate(polygons):
        good = isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0
        if not good or not all(map(is_number, polygon)):
            allowed = "a polygon [x1, y1, x2, y2, x3, y3, ...]"
            raise row.mistyped(f"{field}[{number}]", polygon, allowed)
    return Outline(size, polygons=tuple(tuple(map(float, polygon)) for polygon in polygons))


def _runs(row: Row, size: Size) -> Outline:
    height, width = [*row.items("size"), None, None][:2]
    if (width, height) != tuple(size):
        told = f"came {row.value['size']}; the picture is [{size.height}, {size.width}]"
        raise row.wrong("size", told, "another size than the picture")
    counts = row.raw("counts", "run lengths")
    if isinstance(counts, str):
        made = Outline(size, counts=counts)
    elif isinstance(counts, list) and all(isinstance(run, int) for run in counts):
        made = Outline(size, counts=tuple(counts))
    else:
        raise row.mistyped("counts", counts, "run lengths, as a list or packed text")
    try:
        made.mask  # noqa: B018  a record with a broken mask is found here, not in the middle of work
    except ValueError as error:
        raise row.wrong("counts", str(error), "broken run lengths") from error
    del made.__dict__["mask"]  # decoded again when it is wanted; many records wait in memory
    return made
