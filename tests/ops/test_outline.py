"""Shape names on rasterised shapes: turned, shifted, down to 12 px."""

import cv2
import numpy as np
import pytest

from pixelis.ops.outline import SHAPES, polar, raster, shape_of


def drawn(corners: np.ndarray, side: float, turn_deg: float = 0.0) -> np.ndarray:
    """A polygon given in [-1, 1], `side` px across, turned, as a boolean mask."""
    canvas = int(side * 1.6) + 8
    angle = np.deg2rad(turn_deg)
    turned = corners @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (turned * side / 2 + canvas / 2) * 16 * 8
    big = np.zeros((canvas * 8, canvas * 8), np.uint8)
    cv2.fillPoly(big, [np.round(points).astype(np.int32)], 255, 8, 4)
    return big.reshape(canvas, 8, canvas, 8).mean((1, 3)) > 127


def regular(count: int, inner: float = 1.0) -> np.ndarray:
    angles = np.arange(count) * 2 * np.pi / count
    radius = np.where(np.arange(count) % 2, inner, 1.0)
    return np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None]


def annulus(side: int, hole: float) -> np.ndarray:
    y, x = np.mgrid[: side + 6, : side + 6] - (side + 5) / 2
    away = np.hypot(x, y)
    return (away <= side / 2) & (away > hole * side / 2)


PLUS = np.array(
    [(-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1),
     (1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1)]
) / 3.0  # fmt: skip
DRAWINGS = {
    "circle": regular(80),
    "ellipse": regular(80) * [1, 0.55],
    "square": regular(4) * 0.9,
    "rectangle": np.array([(-1, -0.5), (1, -0.5), (1, 0.5), (-1, 0.5)]),
    "triangle": regular(3),
    "pentagon": regular(5),
    "hexagon": regular(6),
    "star": regular(10, 0.42),
    "cross": PLUS,
    "diamond": np.array([(1, 0), (0, 0.6), (-1, 0), (0, -0.6)]),
    "arrow": np.array(
        [(-1, -0.25), (0.1, -0.25), (0.1, -0.7), (1, 0), (0.1, 0.7), (0.1, 0.25), (-1, 0.25)]
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("side", [16, 24, 60])
def test_shapes_are_named_at_any_turn(name, side):
    turns = range(0, 360, 23)
    names = [shape_of(drawn(DRAWINGS[name], side, turn)).name for turn in turns]
    wrong = [(turn, got) for turn, got in zip(turns, names, strict=True) if got != name]
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize("hole", [0.35, 0.55, 0.75])
def test_rings(hole):
    assert shape_of(annulus(50, hole)).name == "ring"


def test_a_disc_is_no_ring_and_a_bitten_disc_is_a_crescent():
    full = annulus(60, 0.0)
    y, x = np.mgrid[:66, :66]
    bitten = full & (np.hypot(x - 46, y - 32) > 26)
    assert shape_of(full).name == "circle"
    assert shape_of(bitten).name == "crescent"


def test_a_ragged_blob_is_irregular():
    angles = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    radius = 1 + 0.35 * np.sin(3 * angles + 1) + 0.3 * np.sin(7 * angles) + 0.2 * np.cos(2 * angles)
    blob = np.stack([np.cos(angles), np.sin(angles)], 1) * (radius / radius.max())[:, None]
    shape = shape_of(drawn(blob, 80))
    assert shape.name == "irregular"
    assert shape.second in SHAPES


def test_match_falls_as_the_outline_gets_worse():
    clean = drawn(DRAWINGS["star"], 80)
    rough = clean.copy()
    rough[: rough.shape[0] // 2, : rough.shape[1] // 3] = False
    assert shape_of(clean).match > 0.93
    assert shape_of(rough).match < shape_of(clean).match - 0.03


def test_polar_reading_ignores_scale_and_place():
    small, large = drawn(PLUS, 60), np.pad(drawn(PLUS, 120), ((3, 40), (21, 0)))
    first, second = polar(small), polar(large)
    overlap = (first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum())
    assert overlap > 0.97


def test_one_pixel_has_a_name():
    assert shape_of(np.ones((1, 1), bool)).name in SHAPES


def test_raster_draws_holes():
    ring = raster([regular(60), regular(60) * 0.5])
    side = ring.shape[0]
    assert ring[side // 2, side // 2] == 0
    assert ring.mean() == pytest.approx(np.pi / 4 * 0.75, abs=0.03)
