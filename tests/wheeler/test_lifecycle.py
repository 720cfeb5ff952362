from __future__ import annotations

import pytest

from pixelis.wheeler.lifecycle import DAY_S, Age, band, coldest, temperature


def test_temperature_rises_with_use_and_halves_every_week():
    assert temperature(0, 0, 0) == pytest.approx(0.3)
    assert temperature(1, 0, 0) == pytest.approx(0.37)
    assert temperature(100, 0, 0) == 1.0
    assert temperature(100, 0, 7 * DAY_S) == pytest.approx(0.5)
    assert temperature(0, 0, 21 * DAY_S) == pytest.approx(0.3 / 8)


def test_a_clock_that_went_back_changes_nothing():
    assert temperature(3, 500.0, 100.0) == temperature(3, 500.0, 500.0)


def test_bands():
    assert [band(value) for value in (0.6, 0.59, 0.15, 0.14)] == ["hot", "warm", "warm", "cold"]


def test_the_coldest_go_first_and_the_oldest_among_equals():
    ages = [Age(1, 0, 5, 0), Age(2, 9, 0, 0), Age(3, 0, 1, 0), Age(4, 0, 0, -9 * DAY_S)]
    assert coldest(ages, 1, 0.0) == [4, 3, 1]
    assert coldest(ages, 4, 0.0) == []
