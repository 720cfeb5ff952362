from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelis.geometry import Size
from pixelis.ops.budget import PixelBudget

NARROW = PixelBudget()
WIDE = PixelBudget(401_408, 4_014_080, 28)
sizes = st.builds(Size, st.integers(1, 6000), st.integers(1, 6000))


@settings(deadline=None)
@given(sizes, st.sampled_from([NARROW, WIDE, PixelBudget(1, 1, 32), PixelBudget(1, 10**5, 14)]))
def test_sides_are_multiples_and_the_area_is_within_the_budget(
    size: Size, budget: PixelBudget
) -> None:
    fitted = budget.fit(size)
    assert fitted.width % budget.multiple == fitted.height % budget.multiple == 0
    assert min(fitted) >= budget.multiple
    assert fitted.width * fitted.height <= max(budget.max_pixels, budget.multiple**2)


@settings(deadline=None)
@given(sizes)
def test_a_wide_budget_is_kept_at_both_ends_and_its_sizes_stay(size: Size) -> None:
    fitted = WIDE.fit(size)
    assert fitted.width * fitted.height >= WIDE.min_pixels
    assert WIDE.fit(fitted) == fitted


@settings(deadline=None)
@given(st.integers(64, 2000), st.floats(0.34, 3.0))
def test_the_aspect_changes_little(width: int, aspect: float) -> None:
    size = Size(width, max(1, round(width / aspect)))
    for budget, most in ((NARROW, 0.1), (WIDE, 0.03)):
        fitted = budget.fit(size)
        change = abs(math.log(fitted.width / fitted.height * size.height / size.width))
        assert change <= most + 1e-9


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Size(120, 80), Size(256, 160)),
        (Size(640, 480), Size(256, 192)),
        (Size(32, 32), Size(224, 224)),
        (Size(2000, 10), Size(1568, 32)),
    ],
)
def test_sizes_of_the_small_model(size: Size, expected: Size) -> None:
    assert NARROW.fit(size) == expected


def test_pixels_inside_the_budget_stay_about_as_many() -> None:
    fitted = WIDE.fit(Size(1000, 700))
    assert 0.9 < fitted.width * fitted.height / 700_000 < 1.1
