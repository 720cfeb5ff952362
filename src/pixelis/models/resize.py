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
    shown = budget.shown(size)
    return image if shown == size else image.resize(shown, RESAMPLE)
