"""The one resize rule: what training, serving and every policy do to an image first."""

from __future__ import annotations

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

    Rounding down may leave an image below the least area when the range is narrow, so fitting is
    not idempotent; such an image is known by having no room for one more multiple on both sides.
    """
    step = budget.multiple
    if size.width % step or size.height % step or size.width * size.height > budget.max_pixels:
        return False
    enough = size.width * size.height >= budget.min_pixels
    return enough or (size.width + step) * (size.height + step) > budget.max_pixels
