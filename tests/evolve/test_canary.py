"""The canary's test: seldom fooled, never slow to see a disaster."""

from __future__ import annotations

import numpy as np
import pytest

from pixelis.evolve.canary import Bands, Canary, Health, rotate, run


def outcomes(change, differing, count, tries, seed=0):
    """How the test ends for candidates whose accuracy changes by `change`."""
    rng = np.random.default_rng(seed)
    gain, loss = (differing + change) / 2, (differing - change) / 2
    states = []
    for _ in range(tries):
        d = rng.choice([-1, 0, 1], size=count, p=[loss, 1 - gain - loss, gain])
        states.append(run(d == -1, d == 1).state)
    return {state: states.count(state) / tries for state in ("no_worse", "worse", "open")}


@pytest.mark.parametrize("differing", [0.04, 0.1, 0.3])
def test_a_loss_at_the_margin_is_promoted_in_at_most_one_of_twenty(differing):
    assert outcomes(-0.02, differing, 800, 200)["no_worse"] <= 0.05 + 0.03


@pytest.mark.parametrize(("change", "differing"), [(-0.1, 0.2), (-0.3, 0.4)])
def test_a_disaster_is_seen_and_never_promoted(change, differing):
    found = outcomes(change, differing, 800, 60)
    assert found["no_worse"] == 0
    assert found["worse"] >= 0.9


def test_an_equal_and_a_better_candidate_pass():
    assert run([True] * 800, [True] * 800).state == "no_worse"
    assert outcomes(0.08, 0.16, 800, 60)["no_worse"] >= 0.9


def test_it_stops_when_it_is_decided_and_stays():
    test = run([True] * 800, [False] * 800)
    assert test.state == "worse"
    assert test.n < 60
    assert test.observe(False, True) is test


def test_running_out_of_questions_is_no_proof():
    assert run([True] * 20, [True] * 20).state == "open"
    assert Canary().difference == 0.0


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
