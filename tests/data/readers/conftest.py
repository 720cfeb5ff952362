"""Small datasets in their true layouts; every test builds the one it needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixelis.data.readers.read import read_records
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import Rejections

Box = tuple[int, int, int, int]
Shape = tuple[str, Box]


class Ground:
    """A folder to lay files in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def picture(
        self, name: str, shapes: Sequence[Shape] = (("red", (20, 10, 60, 50)),), size=(160, 120)
    ) -> Path:
        """A white picture with filled rectangles (x2 and y2 exclusive)."""
        image = Image.new("RGB", size, "white")
        pen = ImageDraw.Draw(image)
        for color, (x1, y1, x2, y2) in shapes:
            pen.rectangle((x1, y1, x2 - 1, y2 - 1), fill=color)
        path = self._path(name)
        image.save(path, quality=95)
        return path

    def json(self, name: str, value: Any) -> Path:
        path = self._path(name)
        path.write_text(json.dumps(value), encoding="utf-8")
        return path

    def lines(self, name: str, values: Sequence[Any]) -> Path:
        path = self._path(name)
        path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
        return path

    def text(self, name: str, text: str) -> Path:
        path = self._path(name)
        path.write_text(text, encoding="utf-8")
        return path

    def clip(self, name: str, frames: int = 8, size=(96, 64)) -> Path:
        """A video in which a red square moves to the right."""
        path = self._path(name)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=8)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for number in range(frames):
                pixels = np.full((size[1], size[0], 3), 255, np.uint8)
                pixels[20:40, 5 + 6 * number : 25 + 6 * number] = (200, 20, 30)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                for packet in stream.encode(frame):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
        return path

    def parquet(self, name: str, rows: Sequence[dict[str, Any]]) -> Path:
        import pyarrow
        from pyarrow import parquet

        path = self._path(name)
        parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
        return path

    def read(self, source: str, path: Path | None = None, **options: Any):
        """The records and the rejection report."""
        rejections = Rejections()
        records = list(read_records(source, path or self.root, rejections, **options))
        assert rejections.kept == len(records)
        return records, rejections

    def _path(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path / "data")


@pytest.fixture
def pixels_of() -> Callable[[Record], np.ndarray]:
    """The first picture of a record as uint8 RGB."""
    from pixelis.media import open_picture

    return lambda record: np.asarray(open_picture(record.media[0]).image)
