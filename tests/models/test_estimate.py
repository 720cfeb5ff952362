from __future__ import annotations

import pytest
import torch
from transformers import DynamicCache

from pixelis.errors import ConfigError, ModelError
from pixelis.models.estimate import SHAPES, estimate, pixel_range, read_config, read_pixels
from pixelis.models.load import bundled, load_policy
from pixelis.models.nano import SIDE_PX

NANO = str(bundled("nano"))


@pytest.mark.parametrize(
    ("name", "parameters", "side", "tokens"),
    [
        ("qwen2.5-vl-7b", 8_292_166_656, 28, (512, 5120)),
        ("qwen3-vl-8b", 8_767_123_696, 32, (392, 3920)),
    ],
)
def test_the_published_shapes(name, parameters, side, tokens):
    found = estimate(SHAPES[name])
    assert found.parameters == parameters
    assert found.weights == 2 * parameters
    assert (found.side_px, found.image_tokens) == (side, tokens)
    assert found.peak == found.weights + found.cache + found.activations
    assert estimate(SHAPES[name], "float32").weights == 2 * found.weights
    fewer = [estimate(SHAPES[name], quantize=kind).weights for kind in ("int8", "int4")]
    assert 0.5 * found.weights < fewer[0] < 0.7 * found.weights
    assert 0.25 * found.weights < fewer[1] < fewer[0]


def test_passes_and_room_reckoned_by_hand():
    seven, eight = (SHAPES[name] for name in ("qwen2.5-vl-7b", "qwen3-vl-8b"))
    found = estimate(seven)  # four images of 5120 tokens and 2048 words, two bytes a number
    assert found.activations == 22_528 * (4 * 3584 + 2 * 18_944) * 2
    assert found.fits == 18  # 96,000 of 128,000 tokens
    seen = estimate(eight, images=1, words=1)  # the vision tower is the wider of the two
    assert seen.activations == 15_680 * (4 * 1152 + 2 * 4304) * 2
    assert seen.fits == 50


def test_reckoned_weights_are_the_real_ones():
    model = load_policy("nano", device="cpu").model
    real = sum(each.numel() * each.element_size() for each in model.parameters())
    assert estimate(read_config(NANO), "float32").weights == real


def test_the_reckoned_cache_is_the_real_one():
    policy = load_policy("nano", device="cpu")
    cache = DynamicCache(config=policy.model.config.get_text_config())
    ids = torch.ones((1, 50), dtype=torch.int64)
    with torch.inference_mode():
        policy.model(input_ids=ids, past_key_values=cache, use_cache=True)
    real = sum(
        each.numel() * each.element_size()
        for layer in cache.layers
        for each in (layer.keys, layer.values)
    )
    found = estimate(read_config(NANO), "float32", images=1, words=14, pixels=(192**2, 192**2))
    assert found.tokens == 50
    assert found.cache == real


def test_more_images_cost_more():
    few, many = (estimate(SHAPES["qwen2.5-vl-7b"], images=n) for n in (1, 9))
    assert many.cache > 5 * few.cache / 2
    assert many.weights == few.weights
    assert estimate(SHAPES["qwen2.5-vl-7b"], pixels=(28**2, 280**2)).image_tokens == (1, 100)


def test_small_models_get_smaller_images():
    assert pixel_range(8e9) == (401_408, 4_014_080)
    assert pixel_range(3e6)[1] == 1024 * 1024


def test_a_folder_or_its_file(tmp_path):
    assert read_config(f"hf:{NANO}") == read_config(f"{NANO}/config.json")
    with pytest.raises(ConfigError, match=r"shapes are qwen2\.5-vl-7b"):
        read_config(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ConfigError, match=r"config\.json"):
        read_config(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ConfigError, match="no vision-language model"):
        read_config(str(tmp_path))


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("text_config", "hidden_size", "wide"),
        ("text_config", "num_attention_heads", 0),
        ("text_config", "vocab_size", -1),
        ("text_config", "hidden_size", -1),
        ("vision_config", "depth", None),
        ("vision_config", "num_heads", -1),
    ],
)
def test_a_broken_configuration_is_one_line(part, name, value):
    config = read_config(NANO)
    config[part][name] = value
    with pytest.raises(ModelError, match="makes no model") as told:
        estimate(config)
    assert "\n" not in str(told.value)


def test_a_bundled_model_is_reckoned_with_the_images_it_is_given():
    assert read_config("nano") == read_config(NANO)
    assert read_pixels("nano") == read_pixels(f"hf:{NANO}") == (SIDE_PX**2, SIDE_PX**2)
    assert read_pixels("qwen3-vl-8b") is None
    found = estimate(read_config("nano"), pixels=read_pixels("nano"))
    assert found.image_tokens == (64, 64)


def test_a_configuration_of_nothing():
    with pytest.raises(ModelError, match="makes no model"):
        estimate({"model_type": "nothing", "vision_config": {}})
