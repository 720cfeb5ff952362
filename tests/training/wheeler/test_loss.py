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


def test_reading_does_not_bend_the_key(config):
    run = prepare(config())
    lesson = Lessons(Generator(1), run.model.tokenizer, run.model.shape, 6, 5, 3)[7]
    found = losses(run.model, lesson, 0.05, torch.Generator().manual_seed(1))
    for value in found[:4]:
        assert torch.isfinite(value)
    found.reading.backward()
    assert run.model.decoder.read.weight.grad.abs().sum() > 0
    assert run.model.votes.vote.weight.grad is None


def test_novelty_asks_for_words_that_are_there(config):
    """A word's votes are strengthened where a paraphrase is held against what it says."""
    run = prepare(config())
    lessons = Lessons(Generator(1), run.model.tokenizer, run.model.shape, 6, 12, 3)
    lesson = next(lessons[k] for k in range(9) if lessons[k].same.any())
    before = float(losses(run.model, lesson, 0.0, torch.Generator()).novel.detach())
    optimizer = torch.optim.Adam(run.model.votes.parameters(), 1e-2)
    for _ in range(15):
        optimizer.zero_grad()
        losses(run.model, lesson, 0.0, torch.Generator()).novel.backward()
        optimizer.step()
    assert float(losses(run.model, lesson, 0.0, torch.Generator()).novel.detach()) < 0.6 * before
    lesson = lesson._replace(same=torch.zeros_like(lesson.same))
    assert float(losses(run.model, lesson, 0.0, torch.Generator()).novel.detach()) == 0
