from __future__ import annotations

import torch

from pixelis.wheeler.layout import Layout
from pixelis.wheeler.shape import Shape


def test_tiles_follow_the_order_of_writing():
    layout = Layout(Shape(grid=8, tile_rows=2, tile_columns=4, key_cells=1, d_model=16))
    cells = torch.arange(64)[None]
    tiles = layout.tiles(cells)
    assert tiles.shape == (1, 8, 8)
    assert tiles[0, 0].tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert tiles[0, 1, 0] == 4
    assert tiles[0, 2, 0] == 16
    assert torch.equal(layout.raster(tiles), cells)
