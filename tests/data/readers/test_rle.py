import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pixelis.data.readers import rle


def brute(mask: np.ndarray) -> list[int]:
    """Counts pixel by pixel, down the columns."""
    runs, value, run = [], False, 0
    for x in range(mask.shape[1]):
        for y in range(mask.shape[0]):
            if bool(mask[y, x]) != value:
                runs.append(run)
                value, run = bool(mask[y, x]), 0
            run += 1
    return [*runs, run]


patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
masks = arrays.arrays(bool, st.tuples(st.integers(1, 17), st.integers(1, 23)))


@patient
@given(masks)
def test_runs_are_those_counted_pixel_by_pixel(mask):
    assert rle.encode(mask) == brute(mask)
    assert (rle.decode(brute(mask), *mask.shape) == mask).all()


@patient
@given(masks)
def test_packed_runs_come_back(mask):
    packed = rle.pack(brute(mask))
    assert rle.unpack(packed) == brute(mask)
    assert (rle.decode(packed, *mask.shape) == mask).all()


@patient
@given(st.lists(st.integers(0, 200_000), max_size=30))
def test_any_runs_come_back_from_the_packed_text(runs):
    assert rle.unpack(rle.pack(runs)) == runs


def test_a_packed_text_worked_out_by_hand():
    # 6 = 00110 -> '6'; 40 = 01000 with more to come, then 1 -> 'X1'; then 9 -> '9';
    # the fourth is 38 - 40 = -2 = 11110, nothing follows -> 'N'
    assert rle.pack([6, 40, 9, 38]) == "6X19N"
    assert rle.unpack("6X19N") == [6, 40, 9, 38]


@pytest.mark.parametrize("packed", ["6X", "6 9", "é"])
def test_a_damaged_packed_text_is_refused(packed):
    with pytest.raises(ValueError, match="packed run lengths"):
        rle.unpack(packed)


def test_runs_must_cover_the_mask():
    with pytest.raises(ValueError, match="cover 5 pixels; the mask has 6"):
        rle.decode([2, 3], 2, 3)
    with pytest.raises(ValueError, match="not negative"):
        rle.decode([7, -1], 2, 3)


def test_a_polygon_covers_the_pixels_whose_centre_it_covers():
    mask = rle.fill([[2, 1, 6, 1, 6, 4, 2, 4]], 6, 9)
    expected = np.zeros((6, 9), bool)
    expected[1:4, 2:6] = True
    assert (mask == expected).all()


@patient
@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 20)), min_size=3, max_size=3))
def test_a_triangle_is_what_its_three_edges_bound(corners):
    mask = rle.fill([[value + 0.01 for corner in corners for value in corner]], 20, 30)
    x, y = np.meshgrid(np.arange(30) + 0.5, np.arange(20) + 0.5)
    (ax, ay), (bx, by), (cx, cy) = [(px + 0.01, py + 0.01) for px, py in corners]
    sides = np.stack(
        [
            (bx - ax) * (y - ay) - (by - ay) * (x - ax),
            (cx - bx) * (y - by) - (cy - by) * (x - bx),
            (ax - cx) * (y - cy) - (ay - cy) * (x - cx),
        ]
    )
    sure_in = (sides > 1e-6).all(0) | (sides < -1e-6).all(0)
    sure_out = (sides > 1e-6).any(0) & (sides < -1e-6).any(0)
    assert mask[sure_in].all()
    assert not mask[sure_out].any()


def test_a_large_triangle_has_half_the_area_of_its_box():
    mask = rle.fill([[0, 0, 200, 0, 0, 100]], 100, 200)
    assert mask.sum() == pytest.approx(10_000, rel=0.02)
    assert mask[5, 5]
    assert not mask[95, 195]
