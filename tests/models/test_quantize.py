from __future__ import annotations

import pytest
import torch
from PIL import Image

from pixelis.errors import ConfigError
from pixelis.models.load import load_policy
from pixelis.models.policy import Request, Sampling
from pixelis.models.quantize import check, quantization, weight_bytes

CHAT = [
    {"role": "system", "content": "Look, then answer."},
    {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What colour?"}]},
]
REQUEST = Request(CHAT, (Image.new("RGB", (192, 192), "red"),))


@pytest.fixture(scope="module")
def whole():
    return load_policy("nano", device="cpu")


@pytest.mark.parametrize(("kind", "share"), [("int8", 0.45), ("int4", 0.65)])
def test_fewer_bytes_and_nearly_the_same_probabilities(whole, kind, share):
    small = load_policy("nano", device="cpu", quantize=kind)
    assert 0 < weight_bytes(small.model) < share * weight_bytes(whole.model)
    batch = whole.processor.encode([CHAT], [REQUEST.images], prompt=True)
    with torch.inference_mode():
        exact, coarse = (
            policy.model(**batch.inputs()).logits[0, -1].softmax(-1) for policy in (whole, small)
        )
    assert not torch.equal(exact, coarse)
    assert (exact - coarse).abs().sum() < 0.5
    assert small.generate([REQUEST], Sampling(max_new_tokens=8))[0].token_ids


def test_the_bytes_of_whole_weights(whole):
    parameters = {p.data_ptr(): p.numel() * p.element_size() for p in whole.model.parameters()}
    buffers = weight_bytes(whole.model) - sum(parameters.values())
    assert 0 <= buffers < 100_000


def test_on_a_gpu_four_bits_are_packed():
    config = quantization("int4", "cuda").quant_type
    assert (config.group_size, config.int4_packing_format) == (128, "tile_packed_to_4d")
    assert "visual" in quantization("int4", "cuda:0").modules_to_not_convert


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_on_a_gpu_it_answers(kind):
    small = load_policy("nano", device="cuda", quantize=kind)
    assert small.generate([REQUEST], Sampling(max_new_tokens=8))[0].token_ids


def test_what_is_no_kind():
    assert check(None) is None
    with pytest.raises(ConfigError, match="'int3' is not known; give int8 or int4"):
        load_policy("nano", quantize="int3")


@pytest.mark.parametrize("spec", ["openai:http://127.0.0.1:1/v1#m", "loader:a.b:c"])
def test_only_checkpoints_are_quantised(spec):
    with pytest.raises(ConfigError, match="decides for its own"):
        load_policy(spec, quantize="int8")
