from __future__ import annotations

import numpy as np
import torch

from pixelis.training.wheeler.corpus import Generator
from pixelis.training.wheeler.lessons import Lessons
from pixelis.training.wheeler.run import learn, prepare
from pixelis.wheeler.tokens import EOS_ID, PAD_ID


def test_lessons_depend_on_their_number_alone(config):
    run = prepare(config())

    def make(step):
        return Lessons(Generator(1), run.model.tokenizer, run.model.shape, 6, 5, 3)[step]

    first, again, other = make(7), make(7), make(8)
    assert torch.equal(first.ids, again.ids)
    assert np.array_equal(first.asked.ids, again.asked.ids)
    assert not torch.equal(first.ids, other.ids)
    assert first.pieces.size == 6
    assert first.kept.size == first.asked.size == first.other.size == len(first.same) == 5
    short = [row for row in first.ids if PAD_ID in row]
    assert all(EOS_ID in row for row in short)


def test_steps_without_reading_leave_reading_alone(config):
    run = prepare(config(read_every=2))
    lessons = Lessons(Generator(1), run.model.tokenizer, run.model.shape, 6, 5, 3, 2)
    before = run.model.decoder.read.weight.clone()
    key = run.model.votes.vote.weight.clone()
    numbers = learn(run, 1, [lessons[1]])
    assert len(lessons[1].ids) == 0
    assert "reading" not in numbers
    assert torch.equal(run.model.decoder.read.weight, before)
    assert not torch.equal(run.model.votes.vote.weight, key)
    assert learn(run, 2, [lessons[2]])["reading"] > 0
    assert not torch.equal(run.model.decoder.read.weight, before)
