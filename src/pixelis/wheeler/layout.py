"""Where in a frame each tile lies: raster order of cells against order of tiles."""

from __future__ import annotations

from torch import Tensor

from pixelis.wheeler.shape import Shape


class Layout:
    """Turns (batch, cells) in raster order into (batch, tiles, cells of a tile) and back.

    Tiles follow each other as words on a page do: left to right, then down.
    """

    def __init__(self, shape: Shape) -> None:
        self.rows, self.columns = shape.tile_rows, shape.tile_columns
        self.down, self.along = shape.grid // self.rows, shape.grid // self.columns

    def tiles(self, cells: Tensor) -> Tensor:
        parts = cells.reshape(len(cells), self.down, self.rows, self.along, self.columns)
        return parts.transpose(2, 3).reshape(len(cells), self.down * self.along, self._each)

    def raster(self, tiles: Tensor) -> Tensor:
        parts = tiles.reshape(len(tiles), self.down, self.along, self.rows, self.columns)
        return parts.transpose(2, 3).reshape(len(tiles), self.down * self.along * self._each)

    @property
    def _each(self) -> int:
        return self.rows * self.columns
