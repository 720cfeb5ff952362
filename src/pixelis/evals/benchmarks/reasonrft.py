"""Reason-RFT (Tan et al. 2025, arXiv:2503.20752): three tasks of visual reasoning.

    PATH/visual_counting/clevr_math.json, super_clevr.json        [{"image", "problem", "solution",
    PATH/structure_perception/geomath.json, geometry3k.json         "level" or "type"; geometry3k
    PATH/spatial_transformation/trance.json                         has "answer" as well}]
    PATH/trance/trance_left.json, trance_right.json
    PATH/image/...                                                 TRANCE shows two pictures

The counting and the first two geometry sets are right or wrong; TRANCE is graded step by step.
Licence: Apache 2.0; the pictures under the licences of CLEVR-Math, Super-CLEVR, GeoMath, Geometry3K
and TRANCE.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_items
from pixelis.data.readers.table import pictures

LICENCE = "Apache 2.0; pictures under the licences of the datasets they come from"
TASKS: dict[str, tuple[str, ...]] = {
    "counting": ("visual_counting/clevr_math.json", "visual_counting/super_clevr.json"),
    "geometry": ("structure_perception/geomath.json", "structure_perception/geometry3k.json"),
    "transform": (
        "spatial_transformation/trance.json",
        "trance/trance_left.json",
        "trance/trance_right.json",
    ),
}
# The published prompt explains the functions at length; this says the same in fewer words.
RULES = (
    "The first picture shows some objects at the start, the second at the end. Name the one to "
    "four changes that lead from one to the other, as a list of func(object_id, value). "
    "Functions and values: change_size: small, medium, large; change_color: yellow, gray, cyan, "
    "blue, brown, green, red, purple; change_material: glass, metal, rubber; change_shape: cube, "
    "sphere, cylinder; change_position: front, behind, left, right, front_left, front_right, "
    "behind_left, behind_right, as seen from where the object stood. "
    "Objects at the start are given as (object_id, shape, size, color, material).\n"
)


def read(place: Place, task: str) -> Iterator[Record | RecordError]:
    """One record a question of one task, from all of its files that are there."""
    for path in _files(place, task):
        numbers = iter(range(1 << 62))
        yield from each(json_items(path), partial(_record, place, task, numbers))


def _files(place: Place, task: str) -> list[Path]:
    there = [place.root / name for name in TASKS[task] if (place.root / name).is_file()]
    return there or place.files(*TASKS[task], what=" or ".join(TASKS[task]))


def _record(place: Place, task: str, numbers: Iterator[int], row: Row) -> Record:
    name = "answer" if row.file.stem == "geometry3k" and row.has("answer") else "solution"
    group = row.value.get("level", row.value.get("type"))
    media = tuple(pictures(place, row, "image", ("image", "images", "")))
    return Record(
        source="reasonrft",
        id=f"reasonrft-{row.file.stem}-{next(numbers)}",
        kind="picture",
        media=media,
        provenance=place.provenance(row),
        split="test",
        licence=LICENCE,
        question=(RULES if task == "transform" else "") + row.text("problem"),
        answers=(_untagged(row.word(name)),),
        answer_type="text",
        family=row.file.stem,
        meta={"group": group},
    )


def _untagged(text: str) -> str:
    return text.removeprefix("<answer>").removesuffix("</answer>").strip()
