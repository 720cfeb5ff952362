"""The eleven basic colour names and RGB samples that a person would call by that name."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

COLORS = (
    "black",
    "white",
    "grey",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
)


class RGB(NamedTuple):
    """8-bit sRGB."""

    red: int
    green: int
    blue: int


# Several anchors per name; a drawn colour is an anchor plus a small jitter, so that neighbouring
# names (red/orange, pink/purple) stay apart by more than the jitter.
ANCHORS: dict[str, tuple[RGB, ...]] = {
    "black": (RGB(18, 18, 20), RGB(32, 30, 34), RGB(10, 12, 22)),
    "white": (RGB(250, 250, 250), RGB(244, 243, 240), RGB(240, 244, 250)),
    "grey": (RGB(128, 128, 128), RGB(150, 152, 156), RGB(105, 106, 110)),
    "red": (RGB(208, 24, 30), RGB(228, 38, 38), RGB(176, 20, 32)),
    "orange": (RGB(245, 130, 20), RGB(255, 145, 40), RGB(235, 115, 10)),
    "yellow": (RGB(250, 215, 30), RGB(255, 232, 70), RGB(240, 200, 10)),
    "green": (RGB(40, 150, 60), RGB(20, 120, 50), RGB(80, 180, 70)),
    "blue": (RGB(30, 80, 200), RGB(20, 60, 160), RGB(60, 120, 220)),
    "purple": (RGB(120, 50, 160), RGB(140, 70, 190), RGB(95, 35, 130)),
    "pink": (RGB(250, 150, 185), RGB(245, 120, 170), RGB(255, 175, 200)),
    "brown": (RGB(115, 70, 35), RGB(95, 60, 35), RGB(135, 85, 50)),
}


def draw_color(rng: np.random.Generator, name: str, jitter: float = 8.0) -> RGB:
    """A sample of the named colour: an anchor plus Gaussian jitter of that many 8-bit levels."""
    anchor = ANCHORS[name][rng.integers(len(ANCHORS[name]))]
    values = np.clip(np.array(anchor) + rng.normal(0, jitter, 3), 0, 255)
    return RGB(*(int(value) for value in values))


def luminance(color: RGB) -> float:
    """Relative luminance in [0, 1] (Rec. 709 weights on gamma-coded values)."""
    return (0.2126 * color.red + 0.7152 * color.green + 0.0722 * color.blue) / 255


def contrast(a: RGB, b: RGB) -> float:
    """How far apart two colours are: Euclidean distance in 8-bit sRGB over its maximum."""
    return float(np.linalg.norm(np.subtract(a, b)) / 441.7)
