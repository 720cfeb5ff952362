from __future__ import annotations

import numpy as np
import torch

from pixelis.wheeler import batch
from pixelis.wheeler.dynamics import WheelerMemoryCPU


def test_the_batch_ends_where_the_reference_ends(rng):
    """Also between two twins, where settling is slow and ends in a mixture."""
    stored = np.where(rng.random((30, 10, 10)) < 0.5, -1.0, 1.0).astype(np.float32)
    stored[1] = stored[0]
    stored[1, 0, 0] *= -1
    metric = rng.uniform(0.3, 1, (10, 10)).astype(np.float32)
    hurt = np.where(rng.random(stored.shape) < 0.25, -stored, stored)
    for weights in (None, metric):
        dynamics = WheelerMemoryCPU(10, 10, memories=stored, metric=weights)
        found = batch.settle(
            torch.from_numpy(hurt.reshape(30, -1)),
            torch.from_numpy(stored.reshape(30, -1)),
            None if weights is None else torch.from_numpy(weights.ravel()),
        )
        assert found.converged.all()
        for number, frame in enumerate(hurt):
            rest = dynamics.run_dynamics(frame)
            assert np.abs(found.frames[number].numpy().reshape(10, 10) - rest).max() <= 2e-5
            assert found.ticks[number] <= dynamics.settle(frame).ticks + 1
    assert torch.allclose(found.weights.sum(1), torch.ones(30))


def test_nothing_stored_nothing_moves():
    frames = torch.rand(3, 16) * 2 - 1
    found = batch.settle(frames, torch.zeros(0, 16))
    assert torch.equal(found.frames, frames)
    assert found.converged.all()
    assert found.ticks.tolist() == [0, 0, 0]


def test_each_frame_settles_as_if_alone(rng):
    stored = torch.from_numpy(np.where(rng.random((20, 64)) < 0.5, -1.0, 1.0).astype(np.float32))
    hurt = torch.from_numpy(rng.uniform(-1, 1, (6, 64)).astype(np.float32))
    together = batch.settle(hurt, stored)
    for number in range(6):
        alone = batch.settle(hurt[number : number + 1], stored)
        assert torch.allclose(alone.frames[0], together.frames[number], atol=1e-5)
