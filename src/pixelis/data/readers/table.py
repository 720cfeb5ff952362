"""Rows of Parquet files and of Arrow files as `datasets` saves them, a few at a time.

Needs pyarrow, which comes with the extra `train`. No code of a dataset is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Pixels
from pixelis.data.readers.row import Raw, RecordError, Row
from pixelis.errors import DataError, MissingExtraError

ROWS = 16  # held at once; rows may carry pictures


def table_rows(path: Path) -> Iterator[Raw]:
    """The rows of a `.parquet` or `.arrow` file; DataError when it cannot be opened."""
    number = 0
    for batch in _batches(path):
        for start in range(0, batch.num_rows, ROWS):
            part = batch.slice(start, ROWS)
            yield from _rows(part, path, number)
            number += part.num_rows


def features_of(path: Path) -> dict[str, Any]:
    """What `datasets` wrote into the file about its columns; empty when it did not write it."""
    metadata = _schema(path).metadata or {}
    try:
        known = json.loads(metadata.get(b"huggingface", b"{}"))
        return dict(known.get("info", {}).get("features", {}))
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{path}: its note about columns cannot be read ({error})") from error


def columns_of(path: Path) -> list[str]:
    """Names of the columns."""
    return list(_schema(path).names)


def pictures(place: Place, row: Row, name: str, folders: tuple[str, ...] = ("",)) -> list[Pixels]:
    """The pictures in a column: bytes, a path, `datasets`' {"bytes", "path"}, or lists of these."""
    value = row.raw(name, "a picture")
    values = value if isinstance(value, list) else [value]
    found: list[Pixels] = []
    for index, one in enumerate(values):
        field = f"{name}[{index}]" if isinstance(value, list) else name
        if isinstance(one, dict):
            one = one.get("bytes") or one.get("path") or one.get("image")
        if isinstance(one, bytes) and one:
            found.append(one)
        elif isinstance(one, str) and one:
            found.append(place.find(row, field, one, folders))
        else:
            raise row.mistyped(field, one, "a picture, as bytes or a path")
    return found


def _rows(batch: Any, path: Path, number: int) -> Iterator[Raw]:
    try:
        values = batch.to_pylist()
    except UnicodeDecodeError:
        if batch.num_rows > 1:
            for index in range(batch.num_rows):
                yield from _rows(batch.slice(index, 1), path, number + index)
            return
        told = "a text is not UTF-8; write the file again with valid texts"
        yield RecordError(f"{path}: row {number}", "", told, "not UTF-8")
        return
    for index, value in enumerate(values):
        yield Row(value, path, f"row {number + index}")


def _batches(path: Path) -> Iterator[Any]:
    pyarrow = _pyarrow()
    try:
        if path.suffix == ".parquet":
            with _parquet().ParquetFile(path) as file:
                yield from file.iter_batches(batch_size=ROWS)
        else:
            with pyarrow.memory_map(str(path)) as source, pyarrow.ipc.open_stream(source) as file:
                yield from file
    except (OSError, pyarrow.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: is no whole {path.suffix[1:]} file ({reason})") from error


def _schema(path: Path) -> Any:
    pyarrow = _pyarrow()
    try:
        if path.suffix == ".parquet":
            return _parquet().read_schema(path)
        with pyarrow.memory_map(str(path)) as source, pyarrow.ipc.open_stream(source) as file:
            return file.schema
    except (OSError, pyarrow.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: is no whole {path.suffix[1:]} file ({reason})") from error


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise MissingExtraError("pyarrow", "train") from error
    return pyarrow


def _parquet() -> Any:
    _pyarrow()
    from pyarrow import parquet

    return parquet
