"""Calibration: rising, better on unseen answers, and the same after it was stored."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelis.errors import ConfigError
from pixelis.evolve.calibration import (
    HOLD,
    INNER,
    KINDS,
    LINE,
    Calibration,
    chance,
    curve,
    error,
    fit,
    loss,
    measure,
)

answers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(answers, st.sampled_from(KINDS))
def test_the_map_rises_and_stays_in_range(pairs, kind):
    found = fit([p[0] for p in pairs], [p[1] for p in pairs], kind)
    values = [found(x) for x in np.linspace(0, 1, 41)]
    assert all(0 <= value <= 1 for value in values)
    assert all(b >= a - 1e-9 for a, b in pairwise(values))


def test_isotonic_agrees_with_scipy(monkeypatch):
    """An independent pool-adjacent-violators, on distinct values and without the prior."""
    from scipy.optimize import isotonic_regression

    from pixelis.evolve import calibration

    monkeypatch.setattr(calibration, "STEADY", 0.0)
    rng = np.random.default_rng(1)
    x = np.sort(rng.random(200))
    y = (rng.random(200) < x).astype(float)
    knots = calibration._steps(x, y)
    blocks = isotonic_regression(y)
    sizes = np.diff(blocks.blocks)
    levels = blocks.x[blocks.blocks[:-1]]
    assert len(knots) == len(sizes)
    assert [level for _, level in knots] == pytest.approx(levels.tolist())


@given(answers.flatmap(lambda pairs: st.tuples(st.just(pairs), st.permutations(pairs))))
def test_the_order_of_the_answers_decides_nothing(both):
    first, second = (fit([p[0] for p in pairs], [p[1] for p in pairs]) for pairs in both)
    assert first == second


def test_isotonic_is_the_min_max_formula_with_equal_confidences(monkeypatch):
    """Best rising fit at i: the greatest over j <= i of the least mean of j..k over k >= i
    (Barlow et al. 1972), on weighted means of the answers of equal confidence."""
    from pixelis.evolve import calibration

    monkeypatch.setattr(calibration, "STEADY", 0.0)
    rng = np.random.default_rng(4)
    for _ in range(30):
        x = rng.integers(0, 8, 40) / 8
        y = (rng.random(40) < 0.2 + 0.6 * x).astype(float)
        places = np.unique(x)
        sums = np.array([y[x == one].sum() for one in places])
        counts = np.array([(x == one).sum() for one in places])
        mean = lambda j, k: sums[j : k + 1].sum() / counts[j : k + 1].sum()  # noqa: E731,B023
        size = len(places)
        wanted = [
            max(min(mean(j, k) for k in range(i, size)) for j in range(i + 1)) for i in range(size)
        ]
        knots = calibration._steps(x, y)
        levels = [level for _, level in knots]
        assert levels == pytest.approx(sorted(set(np.round(wanted, 12))))
        middles = [
            float(np.average(places[np.isclose(wanted, level)],
                             weights=counts[np.isclose(wanted, level)])) for level in levels
        ]  # fmt: skip
        assert [place for place, _ in knots] == pytest.approx(middles)


def test_a_map_that_does_not_rise_is_refused():
    record = fit([0.1, 0.9], [False, True]).to_dict()
    record["knots"].reverse()
    with pytest.raises(ConfigError, match="broken"):
        Calibration.from_dict(record)


@pytest.mark.parametrize("kind", ["isotonic", "temperature", "logistic"])
def test_overconfidence_is_cured_on_unseen_answers(kind):
    rng = np.random.default_rng(0)
    true = rng.random(3000)
    raw = 1 / (1 + np.exp(-3 * np.log(true / (1 - true))))  # three times too sure of itself
    right = rng.random(3000) < true
    found = measure(raw.tolist(), right.tolist(), kind)
    assert found.before > 0.1
    assert found.after < 0.04


def test_the_error_by_hand():
    assert error([0.95, 0.95, 0.15, 0.15], [True, False, False, False]) == pytest.approx(0.3)
    assert error([], []) == 0.0
    assert curve([0.95, 0.95, 0.15], [True, False, False]) == [(0.15, 0.0, 1), (0.95, 0.5, 2)]


def test_the_map_is_the_same_after_it_was_stored():
    found = fit([0.1, 0.4, 0.8, 0.9], [False, True, True, True])
    again = Calibration.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert again.id == found.id
    assert fit([0.1], [True]).id != found.id
    with pytest.raises(ConfigError):
        Calibration.from_dict({"kind": "other", "knots": [], "temperature": 1, "n": 0})


@pytest.mark.parametrize("direction", [1, -1])
def test_the_line_is_the_one_a_general_optimiser_finds(direction):
    from scipy.optimize import minimize

    rng = np.random.default_rng(4)
    x = rng.beta(2, 0.7, 120)
    y = rng.random(120) < 1 / (1 + np.exp(-direction * (2 * x - 1.2)))
    inner = x.clip(INNER, 1 - INNER)
    logits = np.log(inner / (1 - inner))

    def cost(line):
        scaled = line[0] * logits + line[1]
        held = sum(h * (a - b) ** 2 for h, a, b in zip(HOLD, line, LINE, strict=True)) / 2
        return np.sum(np.logaddexp(0, scaled) - y * scaled) + held

    wanted = minimize(cost, LINE, bounds=[(0, None), (None, None)], tol=1e-12)
    found = fit(x.tolist(), y.tolist(), "logistic")
    assert (found.slope, found.intercept) == pytest.approx(wanted.x, abs=1e-4)
    assert (found.slope == 0) == (direction < 0)
    again = Calibration.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert again.id == found.id
    for broken in ({"slope": -1.0}, {"intercept": float("inf")}):
        with pytest.raises(ConfigError, match="broken"):
            Calibration.from_dict({**found.to_dict(), **broken})


def test_on_few_answers_the_line_is_nearer_to_the_truth_than_steps_or_a_temperature():
    """Known odds: 0.6 times the logit, minus 1.2. Means over 40 sets of 80 answers."""
    rng = np.random.default_rng(0)
    grid = np.linspace(0.05, 0.95, 50)
    truth = lambda x: 1 / (1 + np.exp(1.2 - 0.6 * np.log(x / (1 - x))))  # noqa: E731
    off = dict.fromkeys(KINDS, 0.0)
    for _ in range(40):
        x = rng.uniform(0.05, 0.95, 80)
        y = rng.random(80) < truth(x)
        for kind in KINDS:
            found = fit(x.tolist(), y.tolist(), kind)
            off[kind] += float(np.abs([found(v) for v in grid] - truth(grid)).mean()) / 40
    assert off["logistic"] < 0.06
    assert off["logistic"] < off["isotonic"] < min(off["temperature"], off["identity"])


def test_chance_is_the_error_of_answers_that_are_right_as_often_as_said():
    rng = np.random.default_rng(2)
    sure = rng.beta(2, 2, 80)
    seen = [error(sure, rng.random(80) < sure) for _ in range(3000)]
    assert chance(sure) == pytest.approx(np.mean(seen), rel=0.05)
    assert chance(np.tile(sure, 25)) == pytest.approx(chance(sure) / 5)
    assert chance([0.0, 1.0]) == 0.0


def test_the_loss_by_hand():
    assert loss([0.5, 0.8], [True, False]) == pytest.approx(-(np.log(0.5) + np.log(0.2)) / 2)
    assert loss([1.0], [False]) == pytest.approx(np.log(1000))
    assert loss([], []) == chance([]) == 0.0
