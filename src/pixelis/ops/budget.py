"""How many pixels an image made for the model may have."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pixelis.geometry import Size

_ASPECT_CHANGE = 0.1
_PIXEL_WEIGHT = 0.2


@dataclass(frozen=True)
class PixelBudget:
    """How large an image given to the model may be; sides are multiples of `multiple`."""

    min_pixels: int = 224 * 224
    max_pixels: int = 224 * 224
    multiple: int = 32

    @property
    def sound(self) -> bool:
        """Whether there are images that meet it; files may hold any numbers, or none."""
        numbers = (self.min_pixels, self.max_pixels, self.multiple)
        if any(type(each) is not int for each in numbers):
            return False
        return 0 < self.min_pixels <= self.max_pixels and 0 < self.multiple**2 <= self.max_pixels

    def fit(self, size: Size) -> Size:
        """The size for an image of this size: never above `max_pixels`, aspect kept best.

        Inside the budget the pixels stay about as many as they are; above it they shrink to it,
        below it they grow to it. Of the grid sizes next to that, those that change the aspect by
        less than a tenth come first, then those with at least `min_pixels`, then the best trade
        between the aspect and the number of pixels. So a budget too narrow for the aspect gives
        an image of fewer than `min_pixels`.
        """
        area = size.width * size.height
        cells = min(max(area, self.min_pixels), self.max_pixels) / self.multiple**2
        aspect = size.width / size.height

        def cost(cell: tuple[int, int]) -> tuple[bool, bool, float]:
            columns, rows = cell
            change = abs(math.log(columns / rows / aspect))
            small = columns * rows * self.multiple**2 < self.min_pixels
            skewed = change > _ASPECT_CHANGE
            loss = abs(math.log(columns * rows / cells))
            return skewed, small and not skewed, change + _PIXEL_WEIGHT * loss

        columns, rows = min(self._grid(aspect, cells), key=cost)
        return Size(columns * self.multiple, rows * self.multiple)

    def shown(self, size: Size) -> Size:
        """The size the model is given an image of this size in; the outcome of a fit stays."""
        return size if self.keeps(size) else self.fit(size)

    def keeps(self, size: Size) -> bool:
        """Whether `size` can be the outcome of a fit.

        A budget too narrow for an aspect gives fewer than `min_pixels`, and fitting such an image
        again could change it. It is known by having no room for the next larger size of the same
        aspect, which a small original (64×64, 96×96, ...) has.
        """
        columns, rows = size.width // self.multiple, size.height // self.multiple
        if size != (columns * self.multiple, rows * self.multiple):
            return False
        area = size.width * size.height
        if not self.min_pixels <= area <= self.max_pixels:
            larger = 1 + 1 / math.gcd(columns, rows)
            return area <= self.max_pixels < area * larger**2
        return True

    def _grid(self, aspect: float, cells: float) -> Iterable[tuple[int, int]]:
        """Columns and rows near `cells` in total that do not exceed the budget."""
        most = max(1, self.max_pixels // self.multiple**2)
        for rows in _near(math.sqrt(cells / aspect), most):
            for columns in {*_near(math.sqrt(cells * aspect), most), *_near(rows * aspect, most)}:
                yield min(columns, most // rows), rows
        for columns in _near(math.sqrt(cells * aspect), most):
            yield columns, min(max(1, round(columns / aspect)), most // columns)


def _near(value: float, most: int) -> range:
    low = min(max(1, math.floor(value) - 1), most)
    return range(low, min(max(low, math.ceil(value) + 1), most) + 1)
