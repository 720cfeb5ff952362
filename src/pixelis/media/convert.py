"""Pixels of any mode or array shape to upright 8-bit RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pixelis.errors import MediaError

_WHITE = (255, 255, 255)
_ARRAYS = (
    "shape (height, width), (height, width, 1), (height, width, 3) or (height, width, 4) "
    "of uint8, uint16, bool or float in 0..1"
)
_FULL_16 = 65535
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def to_rgb(image: Image.Image) -> Image.Image:
    """A new RGB image: alpha on white, palettes and CMYK resolved, 16-bit and float scaled.

    16-bit values are divided by 257, floats are read as 0..1 or 0..255; values beyond that are
    stretched from the darkest to the brightest. `image` is not changed.
    """
    if image.mode.startswith("I;16"):
        flat = Image.fromarray(_from_16(np.asarray(image))).convert("RGB")
    elif image.mode in ("I", "F"):
        flat = Image.fromarray(_from_wide(np.asarray(image))).convert("RGB")
    elif image.has_transparency_data:
        flat = _on_white(image)
    else:
        flat = image.convert("RGB")
    flat.info = {}
    return flat


def upright(image: Image.Image, orientation: object) -> Image.Image:
    """Turned and mirrored by an EXIF orientation 1..8; anything else leaves it as it is."""
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def from_array(array: np.ndarray) -> Image.Image:
    """RGB image of an array of grey, RGB or RGBA values; MediaError for any other array."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise MediaError(f"array: shape {array.shape} is no picture; allowed: {_ARRAYS}")
    if 0 in array.shape:
        raise MediaError(f"array: shape {array.shape} is empty; allowed: {_ARRAYS}")
    return to_rgb(Image.fromarray(_array_bytes(array)))


def _array_bytes(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return _from_16(array)
    if np.issubdtype(array.dtype, np.floating):
        if np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1:
            return np.rint(array * 255).astype(np.uint8)
        raise MediaError(f"array: float values outside 0..1; allowed: {_ARRAYS}")
    raise MediaError(f"array: type {array.dtype} is no picture; allowed: {_ARRAYS}")


def _on_white(image: Image.Image) -> Image.Image:
    # Pillow has no direct way from La and PA.
    steps = {"La": "LA", "PA": "RGBA"}
    rgba = image.convert(steps.get(image.mode, "RGBA")).convert("RGBA")
    flat = Image.new("RGB", image.size, _WHITE)
    flat.paste(rgba, mask=rgba.getchannel("A"))
    return flat


def _from_16(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _from_wide(values: np.ndarray) -> np.ndarray:
    """32-bit integers and floats: within 0..65535, 0..1 or 0..255 as such, else stretched."""
    whole = np.issubdtype(values.dtype, np.integer)
    values = np.nan_to_num(values.astype(np.float32), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    full = _FULL_16 if whole else (1.0 if high <= 1 else 255.0)
    if low < 0 or high > full:
        values, full = values - np.float32(low), max(high - low, 1e-30)
    return np.rint(values * np.float32(255 / full)).astype(np.uint8)
