"""Sheets of several pictures."""

import io

import numpy as np
from PIL import Image

from pixelis.evals.benchmarks.adapt import GAP_PX, LABEL_PX, sheet


def png(color, size):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_stand_side_by_side_in_one_height():
    page = np.asarray(Image.open(io.BytesIO(sheet([png("red", (40, 80)), png("blue", (30, 20))]))))
    assert page.shape == (80 + LABEL_PX + GAP_PX, 40 + 120 + 3 * GAP_PX, 3)
    row = page[LABEL_PX + 40]
    assert tuple(row[GAP_PX + 20]) == (255, 0, 0)
    assert tuple(row[2 * GAP_PX + 40 + 60]) == (0, 0, 255)
    assert (page[:LABEL_PX] < 128).any()  # the numbers
