"""Views: pictures at the model's size, what covers each of their patches, and where things are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pixelis.data.oracle import tens
from pixelis.data.worlds.crowd import GLYPH
from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.scene import Item, Scene
from pixelis.data.worlds.sprites import SHAPES
from pixelis.data.worlds.words import GLYPHS
from pixelis.geometry import Box, Size, View
from pixelis.models.nano import PATCH_PX
from pixelis.models.resize import fit_image
from pixelis.ops.workspace import PixelBudget

CLASSES = ("none", "card", "text", *SHAPES, *(GLYPH + glyph for glyph in GLYPHS))
COLOR_CLASSES = ("none", *COLORS)
NOTHING = 255
UNKNOWN = -100
BOX_VALUES = 8
LEAST_PX = 7.0


@dataclass(frozen=True)
class Seen:
    """A picture as the model sees it, with its truth.

    Attributes:
        pixels: uint8 RGB of shape (height, width, 3), sides multiples of 32.
        view: what part of the source it shows.
        cover: uint8 of shape (height / 16, width / 16): index of the item that covers each patch,
            255 for none.
        items: the scene's items (all of them; boxes in source pixels).
        card: index of the card it zooms into, -1 for the whole picture.
        known: whether the truth is known for every patch (it is not on drawn-over images).
    """

    pixels: np.ndarray
    view: View
    cover: np.ndarray
    items: tuple[Item, ...]
    card: int = -1
    known: bool = True

    def relative(self, item: Item) -> tuple[int, int, int, int]:
        """The item's box in 0..1000 of this view, rounded to tens."""
        x1, y1, x2, y2 = (tens(value) for value in self.view.to_relative(item.box))
        return x1, y1, x2, y2

    def point(self, place: Sequence[float]) -> tuple[int, int]:
        """A source point in 0..1000 of this view, rounded to tens."""
        x = (place[0] - self.view.box.x1) * 1000 / self.view.box.width
        y = (place[1] - self.view.box.y1) * 1000 / self.view.box.height
        return tens(min(max(x, 0), 1000)), tens(min(max(y, 0), 1000))

    def visible(self, item: Item) -> bool:
        """Whether it is inside the view and large enough to be made out."""
        inside = item.box.intersect(self.view.box).area > 0.8 * item.box.area
        scale = self.view.size.width / self.view.box.width
        return inside and min(item.box.width, item.box.height) * scale >= LEAST_PX


def see(scene: Scene, box: Box, budget: PixelBudget, card: int = -1) -> Seen:
    """The part `box` of a scene at the budget's size."""
    x1, y1, x2, y2 = box.rounded()
    part = Image.fromarray(scene.pixels[y1:y2, x1:x2])
    exact = Box(x1, y1, x2, y2)
    if card >= 0:  # as zoom_in does it
        part = part.resize(budget.fit(Size(*part.size)), Image.Resampling.LANCZOS)
    pixels = np.asarray(fit_image(part, budget))
    view = View(exact, Size(pixels.shape[1], pixels.shape[0]))
    return Seen(pixels, view, _cover(scene.items, view), scene.items, card)


def _cover(items: Sequence[Item], view: View) -> np.ndarray:
    """Index of the smallest item over each patch centre."""
    rows, columns = view.size.height // PATCH_PX, view.size.width // PATCH_PX
    cover = np.full((rows, columns), NOTHING, np.uint8)
    sx = view.size.width / view.box.width / PATCH_PX
    sy = view.size.height / view.box.height / PATCH_PX
    order = sorted(range(len(items)), key=lambda i: -items[i].box.area)
    for index in order:
        box = items[index].box.shift(-view.box.x1, -view.box.y1)
        if min(box.width * sx, box.height * sy) * PATCH_PX < LEAST_PX:
            continue
        # a patch belongs to an item when its centre is within 3 px of the item's box
        x1, x2 = box.x1 * sx - 0.69, box.x2 * sx - 0.31
        y1, y2 = box.y1 * sy - 0.69, box.y2 * sy - 0.31
        a, b = max(int(np.ceil(y1)), 0), min(int(np.floor(y2)) + 1, rows)
        c, d = max(int(np.ceil(x1)), 0), min(int(np.floor(x2)) + 1, columns)
        if a < b and c < d:
            cover[a:b, c:d] = index
    return cover


def targets(seen: Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dense truth per patch in row order: class ids, colour ids, boxes.

    Boxes, shape (patches, 8), are x1, y1, x2, y2 in units of the view's sides: first relative to
    the patch centre (precise), then absolute (what the language side has to say). Class 0 means
    nothing there, -100 that the truth is unknown.
    """
    rows, columns = seen.cover.shape
    if not seen.known:
        unknown = np.full(rows * columns, UNKNOWN)
        return unknown, unknown, np.zeros((rows * columns, BOX_VALUES), np.float32)
    flat = seen.cover.reshape(-1)
    classes = np.zeros(len(flat), np.int64)
    colors = np.zeros(len(flat), np.int64)
    boxes = np.zeros((len(flat), BOX_VALUES), np.float32)
    ys, xs = np.divmod(np.arange(len(flat)), columns)
    centers = np.stack([(xs + 0.5) / columns, (ys + 0.5) / rows], 1)
    area = seen.view.box
    for index in np.unique(flat[flat != NOTHING]):
        item = seen.items[index]
        where = flat == index
        classes[where] = CLASSES.index(item.shape)
        colors[where] = COLOR_CLASSES.index(item.color)
        box = item.box.intersect(area).shift(-area.x1, -area.y1)
        corners = np.array(box) / np.array([area.width, area.height] * 2)
        boxes[where, :4] = corners - np.tile(centers[where], 2)
        boxes[where, 4:] = corners
    return classes, colors, boxes
