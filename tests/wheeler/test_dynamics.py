from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelis.errors import ConfigError
from pixelis.wheeler.dynamics import WheelerMemoryCPU, seeded


def signs(rng, count, height, width):
    return np.where(rng.random((count, height, width)) < 0.5, -1.0, 1.0).astype(np.float32)


def spoil(rng, frame, part):
    return np.where(rng.random(frame.shape) < part, -frame, frame)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_settled_frame_stays_settled(rng, dtype):
    stored = signs(rng, 40, 12, 9)
    dynamics = WheelerMemoryCPU(9, 12, memories=stored)
    for number in range(5):
        rest = dynamics.run_dynamics(spoil(rng, stored[number], 0.25).astype(dtype))
        assert rest.dtype == dtype
        assert rest.shape == (12, 9)
        now = dynamics.rule.tick(rest).astype(dtype)
        assert np.abs(now - rest).max() <= 1e-6
        for _ in range(1000):
            now = dynamics.rule.tick(now).astype(dtype)
        assert np.abs(now - rest).max() <= 1e-5
        assert np.abs(dynamics.run_dynamics(rest) - rest).max() <= 1e-6
        assert np.array_equal(np.sign(rest), stored[number])


def test_without_memories_nothing_moves(rng):
    frame = rng.uniform(-1, 1, (8, 8))
    settled = WheelerMemoryCPU(8, 8).settle(frame)
    assert np.array_equal(settled.frame, frame)
    assert settled.state == "CONVERGED"


def test_history_runs_from_first_to_last(rng):
    stored = signs(rng, 3, 8, 8)
    found = WheelerMemoryCPU(8, 8, memories=stored).settle(
        spoil(rng, stored[0], 0.3), keep_history=True
    )
    assert len(found.history) == found.ticks + 1
    assert np.array_equal(found.history[-1], found.frame)
    assert found.state == "CONVERGED"
    assert found.moved <= 5e-7


def test_limits_and_cycles_are_told(rng):
    stored = signs(rng, 3, 8, 8)
    short = WheelerMemoryCPU(8, 8, memories=stored).settle(spoil(rng, stored[0], 0.3), max_ticks=1)
    assert (short.state, short.ticks) == ("MAX_TICKS", 1)

    class Turns:
        def tick(self, frame):
            return -frame

    dynamics = WheelerMemoryCPU(8, 8)
    dynamics.rule = Turns()
    assert dynamics.settle(stored[0]).state == "CYCLE"


def test_a_frame_that_fades_is_degenerate():
    flat = WheelerMemoryCPU(8, 8, rule="smooth").settle(np.full((8, 8), 0.4))
    assert flat.state == "DEGENERATE"
    assert np.allclose(flat.frame, 0.9575, atol=1e-3)  # tanh(2 x) = x


def test_bytes_stand_for_a_frame_of_their_hash():
    dynamics = WheelerMemoryCPU(5, 7)
    frame = dynamics.run_dynamics(b"Hello")
    assert frame.shape == (7, 5)
    assert np.array_equal(frame, seeded(b"Hello", 7, 5))
    assert not np.array_equal(frame, seeded(b"Hello.", 7, 5))
    assert float(frame[0, 0]) == pytest.approx(float(seeded(b"Hello", 7, 5)[0, 0]))


def test_tensors_and_whole_numbers_are_taken(rng):
    dynamics = WheelerMemoryCPU(4, 4)
    assert dynamics.run_dynamics(torch.ones(4, 4) / 2).dtype == np.float32
    assert dynamics.run_dynamics(np.ones((4, 4), int)).dtype == np.float32


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        (np.zeros((4, 5)), "(4, 5)"),
        (np.full((5, 4), np.nan), "NaN"),
        (np.full((5, 4), 2.0), "came 2"),
        (np.array([["a"] * 4] * 5), "numbers"),
    ],
)
def test_what_is_no_frame_is_refused_by_name(frame, named):
    with pytest.raises(ConfigError) as caught:
        WheelerMemoryCPU(4, 5).run_dynamics(frame)
    assert named in str(caught.value)


def test_settings_that_do_not_go_together_are_refused(rng):
    with pytest.raises(ConfigError, match="anchored, peaks, smooth"):
        WheelerMemoryCPU(4, 4, rule="peak")
    with pytest.raises(ConfigError, match="holds no memories"):
        WheelerMemoryCPU(4, 4, rule="peaks", memories=signs(rng, 2, 4, 4))
    with pytest.raises(ConfigError, match="metric"):
        WheelerMemoryCPU(4, 5, metric=np.ones((4, 5)))


def test_rows_of_different_lengths_are_refused_and_tensors_with_gradients_taken():
    with pytest.raises(ConfigError, match=r"a frame is \(2, 2\)"):
        WheelerMemoryCPU(2, 2).run_dynamics([[1], [1, 0]])
    frame = torch.full((2, 2), 0.5, requires_grad=True)
    assert np.array_equal(WheelerMemoryCPU(2, 2).run_dynamics(frame), np.full((2, 2), 0.5))
