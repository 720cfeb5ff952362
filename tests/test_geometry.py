from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelis.geometry import Box, Point, Size, View, whole

# No deadline: a busy machine is not a failure.
examples = settings(deadline=None, max_examples=50)
finite = st.floats(-1e4, 1e4, allow_nan=False)
sizes = st.builds(Size, st.integers(1, 5000), st.integers(1, 5000))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x1, y1 = draw(finite), draw(finite)
    return Box(x1, y1, x1 + draw(st.floats(0.1, 1e4)), y1 + draw(st.floats(0.1, 1e4)))


@st.composite
def relative(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """A box of 0..1000 with sides of at least 10."""
    x1, y1 = draw(st.integers(0, 990)), draw(st.integers(0, 990))
    return x1, y1, draw(st.integers(x1 + 10, 1000)), draw(st.integers(y1 + 10, 1000))


def close(a: Box, b: Box, tolerance: float = 1e-6) -> bool:
    return all(
        math.isclose(x, y, rel_tol=1e-9, abs_tol=tolerance) for x, y in zip(a, b, strict=True)
    )


def test_measures_of_a_box() -> None:
    box = Box(1, 2, 5, 5)
    assert (box.width, box.height, box.area, box.center) == (4, 3, 12, Point(3, 3.5))
    assert Box(5, 5, 1, 7).area == 0
    assert box.shift(1, -1) == Box(2, 1, 6, 4)
    assert box.scale(2) == Box(2, 4, 10, 10)
    assert box.pad(1) == Box(0, 1, 6, 6)
    assert whole(Size(4, 3)) == Box(0, 0, 4, 3)


def test_far_sides_are_exclusive() -> None:
    box = Box(1, 1, 3, 3)
    assert box.contains(Point(1, 1))
    assert not box.contains(Point(3, 1))
    assert not box.contains(Point(1, 3))


def test_iou_by_hand() -> None:
    assert Box(0, 0, 2, 2).iou(Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert Box(0, 0, 2, 2).iou(Box(2, 0, 3, 2)) == 0
    assert Box(0, 0, 0, 0).iou(Box(0, 0, 0, 0)) == 0


@examples
@given(boxes(), boxes())
def test_intersection_lies_in_both_and_union_around_both(a: Box, b: Box) -> None:
    common, around = a.intersect(b), a.union(b)
    assert common.area <= min(a.area, b.area) * (1 + 1e-9)
    assert around.area >= max(a.area, b.area) * (1 - 1e-9)
    assert 0 <= a.iou(b) <= 1
    assert a.iou(b) == pytest.approx(b.iou(a))
    assert a.iou(a) == pytest.approx(1)


@examples
@given(boxes(), sizes)
def test_clipped_boxes_lie_inside(box: Box, size: Size) -> None:
    clipped = box.clip(size)
    if clipped.area:
        assert clipped.x1 >= 0
        assert clipped.y1 >= 0
        assert clipped.x2 <= size.width
        assert clipped.y2 <= size.height


@examples
@given(relative(), sizes, st.integers(1, 64))
def test_grown_boxes_have_the_side_cover_the_box_and_stay_inside(
    values: tuple[float, ...], size: Size, side: int
) -> None:
    box = View(whole(size), size).to_source(values)
    grown = box.grow_to(side, size)
    assert grown.width >= min(side, size.width) - 1e-6
    assert grown.height >= min(side, size.height) - 1e-6
    assert close(grown.clip(size), grown)
    assert close(grown.union(box), grown)


@examples
@given(boxes())
def test_rounded_boxes_are_the_smallest_whole_cover(box: Box) -> None:
    x1, y1, x2, y2 = box.rounded()
    assert x1 <= box.x1 + 1e-6 < x1 + 1 + 1e-5
    assert x2 - 1 - 1e-5 < box.x2 - 1e-6 <= x2
    assert y1 <= box.y1 + 1e-6
    assert box.y2 - 1e-6 <= y2


def test_rounding_forgives_float_noise() -> None:
    assert Box(2.9999999999, 0, 7.0000000001, 4).rounded() == (3, 0, 7, 4)


@examples
@given(relative(), relative(), sizes)
def test_a_crop_of_a_crop_maps_to_the_source(
    outer: tuple[float, ...], inner: tuple[float, ...], size: Size
) -> None:
    first = View(whole(size), size).to_source(outer)
    second = View(first, Size(224, 224)).to_source(inner)
    ox1, oy1, ox2, oy2 = (value / 1000 for value in outer)
    ix1, iy1, ix2, iy2 = (value / 1000 for value in inner)
    expected = Box(
        (ox1 + ix1 * (ox2 - ox1)) * size.width,
        (oy1 + iy1 * (oy2 - oy1)) * size.height,
        (ox1 + ix2 * (ox2 - ox1)) * size.width,
        (oy1 + iy2 * (oy2 - oy1)) * size.height,
    )
    assert close(second, expected)


@examples
@given(relative(), relative(), sizes)
def test_to_source_and_back_is_the_same_box(
    shown: tuple[float, ...], values: tuple[float, ...], size: Size
) -> None:
    view = View(View(whole(size), size).to_source(shown), Size(224, 160))
    assert view.to_relative(view.to_source(values)) == values


@examples
@given(relative(), st.integers(0, 1000), st.integers(0, 1000))
def test_points_and_back(shown: tuple[float, ...], x: int, y: int) -> None:
    view = View(Box(*shown), Size(100, 100))
    assert view.point_to_relative(view.point_to_source((x, y))) == (x, y)


def test_the_edge_at_1000_is_the_edge_of_the_source() -> None:
    view = View(whole(Size(641, 479)), Size(224, 160))
    assert view.to_source((0, 0, 1000, 1000)) == Box(0, 0, 641, 479)
    assert view.to_relative(Box(-50, -50, 9999, 9999)) == (0, 0, 1000, 1000)
