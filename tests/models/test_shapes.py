"""Counts by arithmetic are those of the model the library builds."""

import copy
import sys

import pytest

from pixelis.models.estimate import SHAPES, build_meta, estimate, read_config
from pixelis.models.shapes import counts


def built(config):
    return {name: each.numel() for name, each in build_meta(config).named_parameters()}


@pytest.mark.parametrize("name", [*SHAPES, "nano"])
def test_every_tensor_of_the_built_model(name):
    config = read_config(name)
    assert counts(config) == built(config)


@pytest.mark.parametrize("name", SHAPES)
def test_other_widths_and_tied_embeddings(name):
    config = copy.deepcopy(SHAPES[name])
    config["tie_word_embeddings"] = True
    config["text_config"] |= {"hidden_size": 256, "num_hidden_layers": 3, "vocab_size": 999}
    config["text_config"] |= {"num_attention_heads": 8, "num_key_value_heads": 2}
    config["vision_config"] |= {"depth": 4, "hidden_size": 96, "num_heads": 4}
    config["vision_config"] |= {"out_hidden_size": 256}
    if "deepstack_visual_indexes" in config["vision_config"]:
        config["vision_config"]["deepstack_visual_indexes"] = [1, 2]
    assert counts(config) == built(config)


def test_what_is_not_known_is_left_to_the_library():
    config = copy.deepcopy(SHAPES["qwen3-vl-8b"])
    assert counts({**config, "model_type": "llava"}) is None
    del config["text_config"]["num_key_value_heads"]
    assert counts(config) is None


def test_a_named_shape_is_reckoned_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)  # importing it would fail
    assert estimate(SHAPES["qwen2.5-vl-7b"]).parameters == 8_292_166_656
