"""PartImageNet (He et al. 2022, arXiv:2112.00933): parts of animals and vehicles, in COCO's form.

    PATH/annotations/train/train.json     categories such as {"name": "Quadruped Head",
    PATH/images/train/n02096294_1.JPEG      "supercategory": "Quadruped"}

Licence: non-commercial research; the pictures are ImageNet's.
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.readers.coco import read_instances
from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError

LICENCE = "non-commercial research (ImageNet pictures)"
FILES = ("annotations/*/*.json", "annotations/*.json", "*.json")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a picture; things are parts, `part_of` the kind of whole."""
    for path in place.files(*FILES, what="train.json, val.json or test.json"):
        yield from read_instances(place, path, "partimagenet", LICENCE)
