import pytest
import torch
from peft import get_peft_model
from torch import nn

from pixelis.errors import ConfigError
from pixelis.models.adapter import renamed_attributes
from pixelis.models.load import load_policy
from pixelis.training.adapters import learned, linear_layers, lora, pattern, read_ranks


@pytest.fixture
def model(families):
    return load_policy(f"hf:{families['qwen3']}", device="cpu").model


def ranks_for(model, rank=3):
    names = [name for name in linear_layers(model) if name.endswith(("q_proj", "up_proj"))]
    return {
        "rank_pattern": {pattern(name): rank + place for place, name in enumerate(names)},
        "alpha_pattern": {pattern(name): 2 * (rank + place) for place, name in enumerate(names)},
    }


def test_the_layers_are_those_of_the_language_side(model):
    language, everything = linear_layers(model), linear_layers(model, "all")
    assert language.keys() < everything.keys()
    assert all("language_model.layers." in name for name in language)
    assert any("visual" in name for name in everything)
    assert not any("lm_head" in name for name in everything)
    assert all(isinstance(layer, nn.Linear) for layer in everything.values())


def test_every_layer_gets_its_own_rank(model):
    layers, ranks = linear_layers(model), ranks_for(model)
    counted = learned(layers, 16, ranks)
    with renamed_attributes():
        wrapped = get_peft_model(model, lora(model, 16, ranks=ranks))
    given = {
        name.removesuffix(".lora_A.default.weight").removeprefix("base_model.model."): value.shape[
            0
        ]
        for name, value in wrapped.named_parameters()
        if name.endswith("lora_A.default.weight")
    }
    assert {pattern(name): rank for name, rank in given.items()} == ranks["rank_pattern"]
    trained = sum(value.numel() for value in wrapped.parameters() if value.requires_grad)
    assert trained == counted
    for name, module in wrapped.named_modules():
        if isinstance(getattr(module, "scaling", None), dict):
            assert module.scaling["default"] == pytest.approx(2.0), name


def test_one_rank_for_all_is_counted_as_peft_has_it(model):
    layers = linear_layers(model)
    counted = learned(layers, 5)
    with renamed_attributes():
        wrapped = get_peft_model(model, lora(model, 5))
    assert counted == sum(one.numel() for one in wrapped.parameters() if one.requires_grad)
    assert all(torch.count_nonzero(v) == 0 for n, v in wrapped.named_parameters() if "lora_B" in n)


def test_ranks_of_another_model_are_refused(model):
    strange = {"rank_pattern": {r"model\.elsewhere\.q_proj": 4}, "alpha_pattern": {}}
    with pytest.raises(ConfigError, match="1 layers are not in this model"):
        lora(model, 8, ranks=strange)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rank_pattern": 3, "alpha_pattern": {}}'])
def test_a_file_that_holds_no_ranks(tmp_path, text):
    path = tmp_path / "ranks.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="train ranks"):
        read_ranks(path)
