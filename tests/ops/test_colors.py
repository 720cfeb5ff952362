"""Colour names against a survey of how people name colours, and the dominant colour of regions."""

import matplotlib.colors
import numpy as np
import pytest
from skimage.color import deltaE_ciede2000

from pixelis.ops.colors import NAMES, color_name, dominant, to_lab, to_rgb

# Sharma, Wu, Dalal: "The CIEDE2000 Color-Difference Formula" (2005), table 1.
PUBLISHED = [
    ((50.0000, 2.6772, -79.7751), (50.0000, 0.0000, -82.7485), 2.0425),
    ((50.0000, -1.3802, -84.2814), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0011), 7.2195),
    ((50.0000, 2.5000, 0.0000), (73.0000, 25.0000, -18.0000), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def surveyed() -> list[tuple[str, tuple[int, int, int]]]:
    """Colours that people called by a basic term with an adjective (xkcd survey, in matplotlib)."""
    found = []
    for key, code in matplotlib.colors.XKCD_COLORS.items():
        words = key.removeprefix("xkcd:").replace("gray", "grey").split()
        terms = [word for word in words if word in NAMES]
        others = [word for word in words if word not in NAMES]
        mixed = any(word.endswith("ish") or word[:-1] in NAMES or "/" in word for word in others)
        if len(terms) == 1 and words[-1] == terms[0] and not mixed:
            rgb = tuple(round(value * 255) for value in matplotlib.colors.to_rgb(code))
            found.append((terms[0], rgb))
    return found


def disc(side: int = 60) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.hypot(x, y) < side * 0.45


@pytest.mark.parametrize(("first", "second", "distance"), PUBLISHED)
def test_color_difference_agrees_with_published_pairs(first, second, distance):
    assert deltaE_ciede2000(np.array(first), np.array(second)) == pytest.approx(distance, abs=1e-4)


def test_names_agree_with_how_people_name_colors():
    survey = surveyed()
    right = [color_name(rgb) == name for name, rgb in survey]
    assert len(right) > 300
    assert np.mean(right) > 0.95


@pytest.mark.parametrize("name", NAMES)
def test_every_basic_term_is_right_for_most_surveyed_colors(name):
    right = [color_name(rgb) == name for term, rgb in surveyed() if term == name]
    assert np.mean(right) >= (0.5 if len(right) < 5 else 0.8)


def test_lab_of_primary_colors_and_back():
    rgb = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [7, 130, 201]])
    lab = to_lab(rgb)
    assert lab[0] == pytest.approx([53.24, 80.09, 67.20], abs=0.1)
    assert lab[3] == pytest.approx([100, 0, 0], abs=0.1)
    assert np.abs(to_rgb(lab).astype(int) - rgb).max() <= 1


def test_a_highlight_and_shading_do_not_change_the_name():
    mask = disc()
    y, x = np.mgrid[:60, :60] / 60
    shaded = np.array([200, 25, 30]) * (0.35 + 0.75 * (1 - (x + y) / 2))[..., None]
    shine = np.exp(-((x - 0.35) ** 2 + (y - 0.35) ** 2) / 0.008)[..., None]
    image = np.clip(shaded * (1 - shine) + 255 * shine, 0, 255).astype(np.uint8)
    best = dominant(image, mask)[0]
    assert best.name == "red"
    assert best.share > 0.8


def test_shares_of_a_two_colored_region():
    image = np.zeros((40, 80, 3), np.uint8)
    image[:, :60] = (30, 80, 200)
    image[:, 60:] = (245, 215, 40)
    first, second = dominant(image, np.ones((40, 80), bool))
    assert (first.name, second.name) == ("blue", "yellow")
    assert first.share == pytest.approx(0.76, abs=0.03)
    assert first.rgb == pytest.approx((30, 80, 200), abs=3)
    assert first.share + second.share == pytest.approx(1)


def test_the_mixed_border_is_left_out():
    mask = disc(30)
    image = np.full((30, 30, 3), 255, np.uint8)
    image[mask] = (40, 150, 60)
    ring = mask & ~np.roll(mask, 1, 0) | mask & ~np.roll(mask, -1, 1)
    image[ring] = (150, 200, 160)
    assert [color.name for color in dominant(image, mask)] == ["green"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_pixels_are_enough(count):
    image = np.full((4, 8, 3), (245, 130, 20), np.uint8)
    mask = np.zeros((4, 8), bool)
    mask[1, 1 : 1 + count] = True
    assert dominant(image, mask)[0].name == "orange"
