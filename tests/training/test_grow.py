"""A deeper model says the same at first, and can learn more."""

from __future__ import annotations

import pytest
import torch

from pixelis.models.nano import new_nano
from pixelis.training.grow import depth, grown


def deepened(model, layers):
    """A model with more layers, its weights grown from the given one's."""
    config = type(model.config).from_dict(model.config.to_dict())
    config.text_config.num_hidden_layers = layers
    other = type(model)(config)
    found = other.load_state_dict(grown(model.state_dict(), layers))
    assert not found.missing_keys
    return other


def said(model, ids):
    with torch.no_grad():
        return model.eval()(input_ids=ids).logits


def test_a_grown_model_says_the_same(tokenizer):
    model = new_nano(tokenizer, seed=3)
    ids = torch.tensor([tokenizer("Which way does the red star go?").input_ids])
    layers = depth(model.state_dict())
    for more in (layers, layers + 1, 2 * layers):
        other = deepened(model, more)
        assert depth(other.state_dict()) == more
        assert torch.allclose(said(other, ids), said(model, ids), atol=1e-5)


def test_the_first_layers_keep_their_places(tokenizer):
    before = new_nano(tokenizer, seed=3).state_dict()
    after = grown(before, depth(before) + 2)
    name = "model.language_model.layers.{}.mlp.gate_proj.weight"
    places = [0, 1, 2, 3, 4, 4, 5, 5]
    for place, source in enumerate(places):
        assert torch.equal(after[name.format(place)], before[name.format(source)])


def test_what_was_grown_can_learn(tokenizer):
    model = deepened(new_nano(tokenizer, seed=3), 9)
    ids = torch.tensor([tokenizer("The red star goes up.").input_ids])
    model(input_ids=ids, labels=ids).loss.backward()
    for layer in model.model.language_model.layers:
        assert layer.self_attn.o_proj.weight.grad.abs().max() > 0
        assert layer.mlp.down_proj.weight.grad.abs().max() > 0


@pytest.mark.parametrize("layers", [1, 99])
def test_layers_are_neither_left_out_nor_tripled(tokenizer, layers):
    with pytest.raises(ValueError, match=f"{layers} layers: the start has"):
        grown(new_nano(tokenizer).state_dict(), layers)
