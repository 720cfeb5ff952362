"""Buckets against a slow count of what a steady pace allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pixelis.server.bucket import MOST_CALLERS, Buckets


def test_a_bucket_empties_and_fills_at_its_pace():
    buckets = Buckets(60)
    assert [buckets.take("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert buckets.take("a", 0.0) == 1.0
    assert buckets.take("b", 0.0) == 0.0
    assert abs(buckets.take("a", 0.25) - 0.75) < 1e-9
    assert buckets.take("a", 1.0) == 0.0
    assert buckets.take("a", 0.5) > 0  # a clock that goes back gives nothing


def test_zero_never_refuses():
    buckets = Buckets(0)
    assert not any(buckets.take("a", 0.0) for _ in range(1000))


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200), st.integers(1, 30))
def test_never_more_than_the_pace_allows(pauses, pace):
    buckets, now, taken = Buckets(pace), 0.0, []
    for pause in pauses:
        now += pause
        if buckets.take("a", now) == 0.0:
            taken.append(now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            allowed = pace + (taken[last] - start) * pace / 60
            assert last - first + 1 <= allowed + 1e-6


def test_strangers_do_not_pile_up():
    buckets = Buckets(5)
    for number in range(MOST_CALLERS + 50):
        buckets.take(str(number), 0.0)
    assert len(buckets._left) == MOST_CALLERS
