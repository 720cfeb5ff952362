"""Crowded canvases: many glyphs and shapes of random place and size, for the vision tower alone.

Episodes show a few glyphs a second to the tower; a crowded canvas shows a dozen at once. Places
and sizes are random because glyphs centred in cells do not transfer to a zoom, where they straddle
patches.
"""

from __future__ import annotations

import numpy as np

from pixelis.data.worlds import scene, sprites, words
from pixelis.data.worlds.domains import Domain
from pixelis.data.worlds.palette import COLORS, RGB, contrast, draw_color, luminance
from pixelis.data.worlds.scene import Item, Scene
from pixelis.geometry import Box

GLYPH = "glyph:"


def draw_crowd(rng: np.random.Generator, domain: Domain, side: int = 256) -> Scene:
    """A canvas of `side` px full of plates with one glyph each, and of shapes."""
    canvas = scene.new_canvas(rng, domain, side, side)
    for _ in range(int(rng.integers(6, 24))):
        size = float(np.exp(rng.uniform(np.log(13), np.log(170))))
        center = canvas.free_place(size, size, gap=1, tries=12)
        if center is None:
            continue
        color = str(rng.choice(COLORS))
        if rng.random() < 0.45:
            scene.stamp(canvas, "object", str(rng.choice(sprites.SHAPES)), color, size, center)
        else:
            _plate(canvas, color, size, center)
    return scene.finish(canvas, "crowd")


def _plate(canvas: scene.Canvas, color: str, size: float, center: tuple[float, float]) -> None:
    """A coloured plate (or none) with one glyph of 12 px or more on it."""
    rng = canvas.rng
    ground = draw_color(rng, color)
    x, y = int(center[0]), int(center[1])
    if rng.random() < 0.75:
        width, height = size * rng.uniform(0.7, 1.0), size * rng.uniform(0.7, 1.0)
        alpha = np.full((round(height), round(width)), 255, np.uint8)
        box = canvas.ink(alpha, ground, center)
        if box is not None:
            canvas.items.append(Item("card", color, "card", box))
        ink = (15, 15, 15) if luminance(ground) > 0.5 else (245, 245, 245)
    else:
        under = RGB(*(int(v) for v in canvas.pixels[y, x]))
        if contrast(ground, under) < 0.25:
            return
        ink = ground
    glyph = str(rng.choice(list(words.GLYPHS)))
    mask = sprites.text_alpha(
        glyph, str(rng.choice(canvas.domain.fonts)), max(13, round(size * 0.85))
    )
    stretch = rng.uniform(0.85, 1.2)
    alpha = sprites.turned(mask, mask.shape[1] * stretch, mask.shape[0], float(rng.normal(0, 4)))
    box = canvas.ink(alpha, ink, center)
    if box is not None and box.height >= 8:
        name = "white" if sum(ink) > 600 else "black" if sum(ink) < 100 else color
        canvas.items.append(Item("text", name, GLYPH + glyph, Box(*box), glyph))
