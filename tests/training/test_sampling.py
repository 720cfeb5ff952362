from collections import Counter

import numpy as np
import pytest

from pixelis.training.sampling import Order, balanced, batches, rows


def order(chances, bands=None, count=4, seed=3):
    chances = np.asarray(chances, float)
    return Order(chances / chances.sum(), tuple(bands or ["easy"] * len(chances)), count, seed)


def drawn(one, steps, shares=None):
    return Counter(index for step in range(steps) for index in one.at(step, shares))


def test_equal_chances_make_whole_passes():
    one = order(np.ones(10))
    for start in (0, 5):
        seen = [index for step in range(start, start + 5) for index in one.at(step)]
        assert sorted(Counter(seen).values()) == [2] * 10
    assert one.at(0) != one.at(5) or one.at(1) != one.at(6)


def test_a_step_is_the_same_whenever_it_is_reached():
    one, again = order([1, 2, 3, 4, 5]), order([1, 2, 3, 4, 5])
    assert [one.at(step) for step in range(9)] == [again.at(step) for step in range(9)]
    assert one.at(7) == again.at(7)
    assert [one.at(step) for step in range(9)] != [
        order([1, 2, 3, 4, 5], seed=4).at(step) for step in range(9)
    ]


def test_weights_decide_how_often_one_is_drawn():
    one = order([1, 1, 6], count=1)
    counts = drawn(one, 4000)
    assert counts[2] / 4000 == pytest.approx(0.75, abs=0.03)
    assert counts[0] / 4000 == pytest.approx(0.125, abs=0.03)


def test_nothing_comes_twice_in_a_step():
    one = order([1, 2, 3, 50, 1, 1], count=4)
    assert all(len(set(one.at(step))) == 4 for step in range(50))
    few = order([1, 2], count=4)
    assert len(few.at(0)) == 4


def test_a_mixture_has_its_shares():
    one = order(np.ones(100), ["easy"] * 80 + ["medium"] * 10 + ["hard"] * 10, count=1)
    counts = drawn(one, 4000, {"easy": 0.2, "medium": 0.8, "hard": 0.0})
    assert sum(counts[k] for k in range(80)) / 4000 == pytest.approx(0.2, abs=0.03)
    assert sum(counts[k] for k in range(90, 100)) == 0
    # A band without an episode leaves its share to the others.
    only = order(np.ones(3), ["easy"] * 3, count=3)
    assert sorted(only.at(0, {"easy": 0.1, "hard": 0.9})) == [0, 1, 2]
    none = order(np.ones(3), ["hard"] * 3, count=3)
    assert sorted(none.at(0, {"easy": 1.0})) == [0, 1, 2]


def test_no_family_is_drawn_more_than_three_times_as_often():
    families = ["a"] * 90 + ["b"] * 9 + ["c"] * 1
    chances = balanced([1.0] * 100, families, 3)
    sums = {
        name: sum(c for c, f in zip(chances, families, strict=True) if f == name) for name in "abc"
    }
    assert chances.sum() == pytest.approx(1)
    assert sums["a"] / sums["c"] == pytest.approx(3)
    assert sums["b"] / sums["c"] == pytest.approx(3)
    assert balanced([1.0, 2.0], ["a", "b"], 0) == pytest.approx([1 / 3, 2 / 3])


def test_packed_rows_are_level_and_padded_ones_alike():
    lengths = [900, 100, 120, 110, 400, 420, 80, 90]
    chosen = list(range(8))
    packed = rows(chosen, lengths, 2)
    assert sorted(packed[0] + packed[1]) == chosen
    sums = [sum(lengths[index] for index in row) for row in packed]
    assert abs(sums[0] - sums[1]) <= 100
    padded = batches(chosen, lengths, 2)
    assert sorted(padded[0] + padded[1]) == chosen
    assert [len(batch) for batch in padded] == [4, 4]
    assert max(lengths[index] for index in padded[0]) <= min(lengths[index] for index in padded[1])
    assert all(rows(chosen[:4], lengths, 4))
