"""What stays and what goes when there is no room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelis.memory.priority import DAY_S, Room, Worth, leaving, priority

worths = st.builds(
    Worth, id=st.uuids().map(str), confidence=st.none() | st.floats(0, 1), reward=st.floats(-1, 1),
    born=st.floats(0, 1e9), retrievals=st.integers(0, 9), successes=st.integers(0, 9),
    pinned=st.booleans(), size=st.integers(1, 1000),
)  # fmt: skip


def test_the_formula_by_hand():
    one = Worth("a", 0.25, -0.5, 0.0, 4, 2, False, 1)
    assert priority(one, 30 * DAY_S) == pytest.approx((0.3 + 0.2 + 0.1) * 0.85)
    assert priority(one._replace(born=100.0), 0.0) == pytest.approx((0.3 + 0.2 + 0.2) * 0.85)


@given(worths, st.floats(0, 2e9))
def test_it_stays_in_range(worth, now):
    assert 0.01 <= priority(worth, now) <= 1.0


@given(st.lists(worths, max_size=30), st.integers(1, 20), st.integers(1, 8000), st.floats(0, 2e9))
def test_what_is_left_fits_unless_all_of_it_is_pinned(kept, count, size, now):
    gone = set(leaving(kept, Room(count, size), now))
    left = [one for one in kept if one.id not in gone]
    assert not [one for one in kept if one.pinned and one.id in gone]
    if any(not one.pinned for one in left):
        assert len(left) <= count
        assert sum(one.size for one in left) <= size
    worst = [priority(one, now) for one in left if not one.pinned]
    if gone and worst:
        assert max(priority(one, now) for one in kept if one.id in gone) <= min(worst)
