import pytest

from pixelis.models.load import load_policy
from pixelis.training.footprint import reckon


@pytest.fixture(scope="module")
def model(families):
    return load_policy(f"hf:{families['qwen3']}", device="cpu").model


@pytest.fixture(scope="module")
def parameters(model):
    return sum(each.numel() for each in model.parameters())


def test_full_weights_take_four_bytes_and_twelve_more_to_learn(model, parameters):
    found = reckon(model, parameters, parameters, 100, half=True)
    assert found.weights == 4 * parameters
    assert found.learned == 12 * parameters
    assert found.peak == sum(
        (found.weights, found.learned, found.activations, found.scores, found.head)
    )


def test_beneath_adapters_only_they_are_learned(model, parameters):
    found = reckon(model, parameters, 1000, 100, half=False)
    assert found.learned == 1000 * 16
    assert found.weights == sum(each.nbytes for each in model.parameters()) + sum(
        each.nbytes for each in model.buffers()
    )


def test_checkpointing_spares_and_tokens_cost(model, parameters):
    kept = reckon(model, parameters, 1000, 400, half=False)
    spared = reckon(model, parameters, 1000, 400, half=False, checkpointing=True)
    assert spared.activations < kept.activations
    longer = reckon(model, parameters, 1000, 800, half=False)
    assert longer.activations == 2 * kept.activations
    assert reckon(model, parameters, 1000, 400, half=True).activations * 2 == kept.activations


def test_packed_rows_keep_a_mask_unless_flash_attention_does_without(model, parameters):
    packed = reckon(model, parameters, 1000, 400, half=False, packed=True)
    assert packed.scores == 400 * 400
    assert reckon(model, parameters, 1000, 400, half=False, packed=True, flash=True).scores == 0
