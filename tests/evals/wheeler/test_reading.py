from __future__ import annotations

import numpy as np

from pixelis.evals.wheeler.reading import (
    accuracy,
    drawn,
    flip,
    full_texts,
    nonsense,
    occlude,
    occlusion_figures,
    rates,
    read_back,
    reading_figures,
)
from pixelis.wheeler.tokens import encode_text


def test_full_texts_fill_every_tile(model):
    rng = np.random.default_rng(0)
    for texts in (full_texts(model, rng, "words", 3), nonsense(model, rng, 3)):
        assert {len(encode_text(model.tokenizer, text)) for text in texts} == {64}
    rows = read_back(model, drawn(model, texts))
    assert min(accuracy([encode_text(model.tokenizer, text) for text in texts], rows)) > 0.5


def test_reading_is_told_with_its_rate(model):
    figures = {f.name: f for f in reading_figures(model, 10)}
    tokens = figures["reading, tokens (combinations)"]
    assert tokens.more["bits a token"] == 16
    assert tokens.target == 0.99
    entropy = tokens.more["bits a token, generator's entropy"]
    assert 0 < entropy < tokens.more["bits a token, token numbers"]


def test_rates_are_plausible(model):
    found = rates(model, np.random.default_rng(0), 30)
    assert all(0.1 < value < 20 for value in found.values())


def test_occlusion_shows_what_the_dynamics_are_for(model):
    (figure,) = occlusion_figures(model, 30, 12)
    assert figure.value > figure.baselines["dynamics off"]
    assert figure.n == 12


def test_damage_to_pictures():
    rng = np.random.default_rng(1)
    frame = np.ones((8, 8))
    for side, kept in (("upper", np.s_[4:]), ("lower", np.s_[:4])):
        assert occlude(frame, side)[kept].all()
        assert occlude(frame, side).sum() == 32
    assert occlude(frame, "left")[:, 4:].all()
    assert occlude(frame, "right")[:, :4].all()
    assert frame.all()
    assert 10 < (flip(rng, frame, 0.3) < 0).sum() < 30
