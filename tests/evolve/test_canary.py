"""What a version keeps of its canary, which questions are asked, and when a model is not well."""

from __future__ import annotations

import json

from pixelis.evolve.canary import Bands, Health, rotate, told
from pixelis.sequential import Sequential


def test_what_is_told_is_what_was_seen():
    test = Sequential(0.02, least=100).run([0.0, 1.0, -1.0] * 10 + [-1.0] * 200)
    found = told(test)
    assert found["state"] == "worse"
    assert found["n"] == test.n < 100
    assert found["difference"] == test.mean < -0.3
    assert found["wealth_against"] >= 20 > found["wealth"]
    assert json.loads(json.dumps(found)) == found


def test_health_must_stay_in_its_bands():
    before = Health(0.3, 0.9, 0.05)
    assert Bands().problems(before, Health(0.3, 0.9, 0.05)) == []
    assert "entropy" in Bands().problems(before, Health(0.1, 0.9, 0.05))[0]
    assert "operations" in Bands().problems(before, Health(0.3, 0.7, 0.05))[0]
    assert "calibration" in Bands().problems(before, Health(0.3, 0.9, 0.2))[0]


def test_rotation_asks_everything_in_turn():
    ids = [str(n) for n in range(10)]
    turns = [rotate(ids, turn, 0.3) for turn in range(10)]
    assert all(len(set(turn)) == 3 for turn in turns)
    assert set().union(*turns[:4]) == set(ids)
    assert turns[0] != turns[1]
