from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelis.training.wheeler.corpus import Generator
from pixelis.training.wheeler.lessons import Lessons
from pixelis.training.wheeler.loss import _rivalry, damage_cells, losses
from pixelis.training.wheeler.run import prepare


def test_noise_hurts_half_of_the_batch_and_no_more_than_asked():
    frame = torch.ones(40, 500)
    hurt = damage_cells(frame, 0.4, torch.Generator().manual_seed(0))
    assert torch.equal(hurt[20:], frame[20:])
    assert set(hurt.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert 0.1 < float((hurt[:20] == -1).float().mean()) < 0.3
    assert damage_cells(frame, 0.0, torch.Generator()) is frame


def test_rivalry_is_the_cross_entropy_of_cosines():
    rng = np.random.default_rng(0)
    asked, frames = rng.normal(size=(3, 8)), np.sign(rng.normal(size=(6, 8)))
    metric = rng.uniform(0.2, 1, 8)
    total, right = 0.0, 0
    for number, probe in enumerate(asked):
        scores = [
            24
            * (metric * probe * frame).sum()
            / ((metric * probe**2).sum() * (metric * frame**2).sum()) ** 0.5
            for frame in frames
        ]
        total += np.log(np.exp(scores).sum()) - scores[number]
        right += int(np.argmax(scores)) == number
    tensors = [torch.from_numpy(a).float() for a in (asked, frames, metric)]
    key, _, share = _rivalry(*tensors, 0)
    assert float(key) == pytest.approx(total / 3, rel=1e-4)
    assert float(share) == pytest.approx(right / 3)


def test_lessons_depend_on_their_number_alone(config):
    run = prepare(config())
    make = lambda: Lessons(Generator(1), run.model.tokenizer, run.model.shape, 6, 5, 3)  # noqa: E731
    first, again, other = make()[7], make()[7], make()[8]
    assert torch.equal(first.ids, again.ids)
    assert np.array_equal(first.asked.ids, again.asked.ids)
    assert not torch.equal(first.ids, other.ids)
    assert first.pieces.size == 6
    assert first.kept.size == first.asked.size == first.other.size == 5
    found = losses(run.model, first, 0.05, torch.Generator().manual_seed(1))
    for value in found[:4]:
        assert torch.isfinite(value)
    found.reading.backward()
    assert run.model.decoder.read.weight.grad.abs().sum() > 0
    assert run.model.votes.vote.weight.grad is None  # reading does not bend the key
