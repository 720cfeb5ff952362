import random

import pytest

from pixelis.rewards import bonus, rapr, surprise


def test_the_formula_of_the_paper(build):
    looked = build().zoom(0, 0, 50, 50).answer()
    direct = build().answer()
    group = [looked] + [direct] * 7
    assert rapr(group) == 1 / 8
    assert bonus(group) == pytest.approx([0.5 * (0.3 - 1 / 8)] + [0.0] * 7)
    half = [looked] * 4 + [direct] * 4  # more than H look: no bonus
    assert bonus(half) == [0.0] * 8


def test_every_call_after_the_first_costs(build):
    three = build().zoom(0, 0, 50, 50).fail().nothing(3, 3).answer()
    assert bonus([three] * 8) == pytest.approx([-0.1] * 8)


def test_calls_that_tell_nothing_are_no_use(build):
    pointless = [
        build().fail().answer(),
        build().nothing(4, 4).answer(),
        build().zoom(0, 0, 400, 300).answer(),
        build().malformed().answer(),
    ]
    assert rapr(pointless) == 0.0
    assert bonus(pointless) == [0.0] * 4


def test_the_order_of_the_group_does_not_matter(build):
    group = [
        build().zoom(0, 0, 50, 50).answer(),
        build().answer(),
        build().fail().fail().answer(),
        build().segment(5, 5, 0, 0, 9, 9).properties("mask_1", 0, 0, 9, 9).answer(),
        *[build().answer() for _ in range(4)],
    ]
    paid = bonus(group)
    places = list(range(8))
    random.Random(0).shuffle(places)
    assert bonus([group[i] for i in places]) == [paid[i] for i in places]


def test_range(build):
    group = [build().zoom(0, 0, 50, 50).answer()] + [build().answer()] * 99
    assert 0 < max(bonus(group)) <= 0.15
    assert rapr([]) == 0.0


def test_surprise_is_a_mean():
    assert surprise([], 1.0) == 0.0
    assert surprise([0.5], 1.0) == 0.5
    assert surprise([0.5] * 9, 1.0) == 0.5  # more calls earn nothing
    assert surprise([100.0, -3.0], 2.0) == 0.5  # each in [0, 1]
