"""An index of a COCO-style file, so that its annotations come grouped by picture.

COCO writes all annotations into one array in any order. One walk over the file keeps, for each
picture and annotation, where its bytes are (24 bytes each); the records are then read one by one.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from pixelis.data.readers.row import Raw, RecordError, Row, short
from pixelis.data.readers.stream import Piece, opened, parsed, pieces, row_of
from pixelis.errors import DataError

_IMAGE_ID = re.compile(rb'"image_id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)')
_NESTED_AT_MOST = 1  # the key must stand once to be read without parsing the annotation


class Grouped(NamedTuple):
    """A picture's row with the rows of its annotations."""

    image: Row
    annotations: list[Raw]


class Index:
    """Where the pictures, annotations, categories and licences of one file are.

    Raises DataError when it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost: list[RecordError] = []
        self.categories: dict[Any, Row] = {}
        self.licences: dict[Any, str] = {}
        self._images = _Spans()
        self._annotations = _Spans()
        self._owner = array("q")
        self._numbers: dict[bytes, int] = {}
        keys = set()
        for piece in pieces(path):
            keys.add(piece.key)
            self._take(piece)
        missing = {"images", "annotations", "categories"} - keys
        if missing:
            told = f"has no {', '.join(sorted(missing))}; COCO instances are needed"
            raise DataError(f"{path}: {told}")
        self._order = np.argsort(np.asarray(self._owner, np.int64), kind="stable")
        self._sorted = np.asarray(self._owner, np.int64)[self._order]

    def __iter__(self) -> Iterator[Grouped | RecordError]:
        """Each picture with its annotations, in the order of the file."""
        yield from self.lost
        with opened(self.path) as file:
            for number in range(len(self._images)):
                row = self._images.row(file, self.path, number, "images")
                if isinstance(row, RecordError):
                    yield row
                    continue
                try:
                    key = row.raw("id", "a number or text")
                except RecordError as error:
                    yield error
                    continue
                mine = self._mine(_token(key))
                found = [self._annotations.row(file, self.path, k, "annotations") for k in mine]
                yield Grouped(row, found)

    def _mine(self, token: bytes) -> list[int]:
        owner = self._numbers.get(token)
        if owner is None:
            return []
        low, high = np.searchsorted(self._sorted, (owner, owner + 1))
        return self._order[low:high].tolist()

    def _take(self, piece: Piece) -> None:
        if piece.number is None:
            return
        if piece.key == "images":
            self._images.add(piece)
        elif piece.key == "annotations":
            self._annotations.add(piece)
            self._owner.append(self._owner_of(piece))
        elif piece.key in ("categories", "licenses"):
            self._name(piece)

    def _owner_of(self, piece: Piece) -> int:
        """A number for the picture an annotation belongs to, -1 when it names none."""
        found = _IMAGE_ID.findall(piece.data or b"")
        if len(found) == _NESTED_AT_MOST:
            return self._numbers.setdefault(found[0], len(self._numbers))
        row = row_of(piece, self.path)
        try:
            if isinstance(row, RecordError):
                raise row
            token = _token(row.raw("image_id", "a number or text"))
        except RecordError as error:
            self.lost.append(error)
            return -1
        return self._numbers.setdefault(token, len(self._numbers))

    def _name(self, piece: Piece) -> None:
        row = row_of(piece, self.path)
        if isinstance(row, RecordError):
            raise row
        key = row.raw("id", "a number or text")
        if isinstance(key, list | dict):
            raise row.wrong("id", f"came {short(key)}; a number or text is needed", "no id")
        if piece.key == "categories":
            self.categories[key] = row
        else:
            self.licences[key] = str(row.value.get("name") or row.value.get("url") or "")


class _Spans:
    """Offset and length of many pieces."""

    def __init__(self) -> None:
        self.offsets, self.lengths = array("q"), array("q")

    def __len__(self) -> int:
        return len(self.offsets)

    def add(self, piece: Piece) -> None:
        self.offsets.append(piece.offset)
        self.lengths.append(piece.length if piece.data is not None else -piece.length)

    def row(self, file: IO[bytes], path: Path, number: int, key: str) -> Raw:
        length = self.lengths[number]
        if length < 0:
            return row_of(Piece(key, number, self.offsets[number], -length, None), path)
        file.seek(self.offsets[number])
        return parsed(file.read(length), path, f"{key}[{number}]")


def _token(key: Any) -> bytes:
    """An id as it stands in the file."""
    return b'"' + key.encode() + b'"' if isinstance(key, str) else str(key).encode()
