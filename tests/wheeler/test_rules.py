from __future__ import annotations

import numpy as np
import pytest

from pixelis.evals.wheeler.oracle import peaks_by_cell, smooth_by_cell
from pixelis.wheeler.rules import LEGACY, Anchored, Peaks, legacy_rule


@pytest.mark.parametrize("name", ["peaks", "smooth"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (6, 9), (8, 8)])
def test_legacy_rules_equal_the_oracle_and_turn_with_the_frame(rng, name, shape):
    oracle = {"peaks": peaks_by_cell, "smooth": smooth_by_cell}[name]
    frame = rng.uniform(-1, 1, shape)
    frame.flat[: len(frame.flat) // 3] = 0.25  # a flat part
    moved = legacy_rule(name).tick(frame)
    np.testing.assert_allclose(moved, oracle(frame), atol=1e-14)
    turned = LEGACY[name]().tick(np.rot90(frame))
    np.testing.assert_allclose(turned, np.rot90(moved), atol=1e-14)


def test_a_flat_frame_sinks():
    assert np.allclose(Peaks().tick(np.zeros((4, 4))), -0.35)


def test_a_tick_of_the_anchored_rule_by_hand(rng):
    """The formula, written out with loops."""
    stored = rng.uniform(-1, 1, (3, 2, 2))
    metric = rng.uniform(0.2, 1, (2, 2))
    x = rng.uniform(-1, 1, (2, 2))
    beta, eta = 7.0, 0.3
    scores = []
    for memory in stored:
        dot = sum(metric[p] * memory[p] * x[p] for p in np.ndindex(2, 2))
        long = sum(metric[p] * memory[p] ** 2 for p in np.ndindex(2, 2)) ** 0.5
        own = sum(metric[p] * x[p] ** 2 for p in np.ndindex(2, 2)) ** 0.5
        scores.append(np.exp(beta * dot / long / own))
    pulled = sum(s * m for s, m in zip(scores, stored, strict=True)) / sum(scores)
    wanted = (1 - eta) * x + eta * pulled
    got = Anchored(stored, beta, eta, metric).tick(x)
    np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_a_frame_of_zeros_is_pulled_evenly(rng):
    stored = rng.uniform(-1, 1, (4, 3, 3))
    weights = Anchored(stored).weights(np.zeros((3, 3)))
    assert np.allclose(weights, 0.25)
