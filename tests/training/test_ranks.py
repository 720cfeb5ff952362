import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pixelis.errors import DataError
from pixelis.training import ranks
from pixelis.training.ranks import Spectrum, Weights, allotted, measure, module_name, spectrum


def made(values, shape=(40, 30), seed=0):
    """A matrix with these singular values."""
    generator = torch.Generator().manual_seed(seed)
    left, _ = torch.linalg.qr(torch.randn(shape[0], len(values), generator=generator))
    right, _ = torch.linalg.qr(torch.randn(shape[1], len(values), generator=generator))
    return left @ torch.diag(torch.tensor(values)) @ right.T


def test_the_values_are_those_of_numpy():
    change = torch.randn(40, 30, generator=torch.Generator().manual_seed(1))
    found = spectrum("a", change, 128)
    assert found.values == pytest.approx(np.linalg.svd(change.numpy(), compute_uv=False), rel=1e-4)
    assert found.total == pytest.approx(float(np.linalg.norm(change.numpy()) ** 2), rel=1e-5)


def test_the_rank_holds_the_share_of_the_whole_norm():
    # squares 16, 9, 4, 1: shares 0.533, 0.833, 0.967, 1
    found = spectrum("a", made([4.0, 3.0, 2.0, 1.0]), 128)
    assert [found.rank(share) for share in (0.5, 0.8, 0.9, 0.99)] == [1, 2, 3, 4]
    assert found.held(2) == pytest.approx(25 / 30, rel=1e-4)
    cut = Spectrum("a", (40, 30), (4.0, 3.0), 30.0)  # two values were computed, the norm is whole
    assert cut.rank(0.9) is None
    assert cut.rank(0.8) == 2


def test_a_large_matrix_gets_a_randomised_svd_that_agrees():
    values = [50.0 * 0.8**k for k in range(60)]
    change = made(values, (300, 1200))
    found = spectrum("a", change, 24)
    assert len(found.values) == 24
    exact = torch.linalg.svdvals(change)[:24].tolist()
    assert found.values == pytest.approx(exact, rel=1e-3)
    assert found.total == pytest.approx(sum(value**2 for value in values), rel=1e-4)


def flat(layer, rank, shape=(512, 512)):
    """A spectrum whose 90 % rank is `rank`: that many equal values and nothing else."""
    count = round(rank / 0.9) if rank > 9 else rank
    values = (1.0,) * count
    found = Spectrum(layer, shape, values, float(count))
    return found


def test_ranks_are_clipped_rounded_and_drawn_to_their_kind():
    assert allotted([flat("m.layers.0.q", 2)], 0.9, 4, 128) == {"m.layers.0.q": 4}
    assert allotted([flat("m.layers.0.q", 9)], 0.9, 4, 128) == {"m.layers.0.q": 9}
    assert allotted([flat("m.layers.0.q", 20)], 0.9, 4, 128) == {"m.layers.0.q": 32}
    assert allotted([flat("m.layers.0.q", 300)], 0.9, 4, 128) == {"m.layers.0.q": 128}
    # own 8 and 64, mean 36: 0.8 * 36 + 0.2 * own
    both = allotted([flat("m.layers.0.q", 8), flat("m.layers.1.q", 50)], 0.9, 4, 128)
    assert both == {"m.layers.0.q": 30, "m.layers.1.q": 42}
    apart = allotted([flat("m.layers.0.q", 8), flat("m.layers.0.k", 50)], 0.9, 4, 128)
    assert apart == {"m.layers.0.q": 8, "m.layers.0.k": 64}


def test_a_layer_that_did_not_change_gets_the_least():
    still = spectrum("m.layers.0.q", torch.zeros(40, 30), 128)
    assert still.rank(0.9) == 0
    assert still.held(4) == 1.0
    assert allotted([still], 0.9, 4, 128) == {"m.layers.0.q": 4}


def weights(scale=0.0):
    generator = torch.Generator().manual_seed(4)
    return {
        "model.language_model.layers.0.mlp.up_proj.weight": torch.randn(24, 16) * 0
        + scale * torch.randn(24, 16, generator=generator),
        "model.language_model.layers.0.mlp.up_proj.bias": torch.ones(24) * scale,
        "model.language_model.layers.0.input_layernorm.weight": torch.ones(16) * scale,
        "model.language_model.embed_tokens.weight": torch.ones(50, 16) * scale,
        "model.visual.patch_embed.proj.weight": torch.ones(8, 3, 1, 16, 16) * scale,
        "model.visual.blocks.0.attn.qkv.weight": scale * torch.randn(24, 8, generator=generator),
    }


def test_only_linear_layers_are_measured():
    found = measure(weights(), weights(1.0), 128)
    names = [one.layer for one in found]
    assert names == [
        "model.language_model.layers.0.mlp.up_proj",
        "model.visual.blocks.0.attn.qkv",
    ]
    (language,) = measure(weights(), weights(1.0), 128, "language_model.layers.")
    assert language.shape == (24, 16)
    with pytest.raises(DataError, match="no linear layers"):
        measure({"a": torch.ones(3)}, {"a": torch.ones(3)}, 8)


def test_another_model_is_refused():
    other = {name: value[:-1] for name, value in weights().items()}
    with pytest.raises(DataError, match=r"before and .* after; give the same model twice"):
        measure(weights(), other, 128)


def test_shards_are_read_like_one_file(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    after = weights(1.0)
    save_file(after, whole / "model.safetensors")
    for number, (name, value) in enumerate(after.items()):
        save_file({name: value}, parts / f"model-{number:05d}-of-00006.safetensors")
    one, other = Weights(whole), Weights(parts)
    assert dict(one.items()).keys() == dict(other.items()).keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    one.close()
    other.close()
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"no \.safetensors"):
        Weights(tmp_path / "none")
    (tmp_path / "none" / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(DataError, match="cannot be read"):
        Weights(tmp_path / "none")


@pytest.mark.parametrize(
    ("disk", "module"),
    [
        ("model.layers.3.mlp.up_proj.weight", "model.language_model.layers.3.mlp.up_proj.weight"),
        ("model.language_model.layers.3.x", "model.language_model.layers.3.x"),
        ("language_model.model.layers.3.x", "model.language_model.layers.3.x"),
        ("visual.blocks.0.attn.qkv.weight", "model.visual.blocks.0.attn.qkv.weight"),
        ("lm_head.weight", "lm_head.weight"),
    ],
)
def test_names_on_disk_become_those_of_modules(disk, module):
    assert module_name(disk) == module


def test_the_file_says_how_many_parameters_it_costs(tmp_path):
    spectra = [flat("m.layers.0.q_proj", 8, (64, 32)), flat("m.layers.0.up_proj", 30, (96, 32))]
    record = ranks.to_record(spectra, 0.9, 4, 128, 2.0)
    assert record["rank_pattern"] == {
        r"m\.layers\.0\.q_proj": 8,
        r"m\.layers\.0\.up_proj": 32,
    }
    assert record["alpha_pattern"][r"m\.layers\.0\.up_proj"] == 64
    assert record["parameters"] == 8 * 96 + 32 * 128
    assert record["uniform_rank"] == pytest.approx(record["parameters"] / (96 + 128), abs=0.01)
    told, drawn = ranks.write(record, tmp_path)
    assert json.loads(told.read_text()) == json.loads(json.dumps(record))
    assert drawn.read_bytes().startswith(b"\x89PNG")
