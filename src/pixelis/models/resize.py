"""The one resize rule: what training, serving and every policy do to an image first."""

from __future__ import annotations

import math

from PIL import Image

from pixelis.geometry import Size
from pixelis.ops.workspace import PixelBudget

RESAMPLE = Image.Resampling.BICUBIC


def fit_image(image: Image.Image, budget: PixelBudget) -> Image.Image:
    """RGB at the size the budget gives; an image that was fitted before is not touched again."""
    size = Size(*image.size)
    image = image if image.mode == "RGB" else image.convert("RGB")
    if fitted(size, budget):
        return image
    return image.resize(budget.fit(size), RESAMPLE)


def fitted(size: Size, budget: PixelBudget) -> bool:
    """Whether `size` can be the outcome of a fit.

    A budget too narrow for an aspect gives fewer than `min_pixels`, and fitting such an image again
    could change it. It is known by having no room for the next larger size of the same aspect,
    which a small original (64×64, 96×96, ...) has.
    """
    columns, rows = size.width // budget.multiple, size.height // budget.multiple
    if size != (columns * budget.multiple, rows * budget.multiple):
        return False
    area = size.width * size.height
    if not budget.min_pixels <= area <= budget.max_pixels:
        larger = 1 + 1 / math.gcd(columns, rows)
        return area <= budget.max_pixels < area * larger**2
    return True
