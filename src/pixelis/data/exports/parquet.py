"""Parquet files written some rows at a time. Needs pyarrow (the extra `train`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from pixelis.errors import MissingExtraError

ROWS = 64


def arrow() -> Any:
    """The module pyarrow; MissingExtraError without it."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError("pyarrow", "train") from error
    return pyarrow


def picture_type() -> Any:
    """How `datasets` and verl keep a picture: its bytes, or a path."""
    pyarrow = arrow()
    return pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})


def write_rows(
    rows: Iterable[dict[str, Any]],
    path: Path,
    columns: Mapping[str, Any],
    features: Mapping[str, Any] | None = None,
) -> int:
    """Writes the rows; gives how many there were.

    Args:
        columns: Arrow type of each, so that a column that is empty at first keeps its type.
        features: what `datasets` is to know of the columns.
    """
    pyarrow = arrow()
    from pyarrow import parquet

    schema = pyarrow.schema(dict(columns))
    if features is not None:
        told = json.dumps({"info": {"features": dict(features)}})
        schema = schema.with_metadata({"huggingface": told})
    count, waiting = 0, iter(rows)
    part = path.with_suffix(".part")
    with parquet.ParquetWriter(part, schema) as writer:
        while batch := list(islice(waiting, ROWS)):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    part.replace(path)
    return count
