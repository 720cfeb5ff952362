import json
import os
import subprocess
import sys

import pytest
import torch
from peft import LoraConfig, get_peft_model

from pixelis.errors import ConfigError, ModelError
from pixelis.models.adapter import base_of, is_adapter, put_on, renamed_attributes
from pixelis.models.load import load_policy
from pixelis.models.policy import Profile, Request, Sampling, write_profile
from pixelis.models.quantize import quantization


def question():
    return Request([{"role": "user", "content": "What is it?"}])


@pytest.fixture
def adapters(tiny_folder, tmp_path):
    """Adapters with values of their own, saved for the tiny model."""
    model = load_policy(f"hf:{tiny_folder}", device="cpu").model
    torch.manual_seed(5)
    with renamed_attributes():
        wrapped = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "up_proj"]))
    for name, value in wrapped.named_parameters():
        if "lora_B" in name:
            value.data.normal_(std=0.5)
    wrapped.peft_config["default"].base_model_name_or_path = str(tiny_folder)
    folder = tmp_path / "adapter"
    wrapped.save_pretrained(folder, save_embedding_layers=False)
    return folder


def test_adapters_are_put_on_the_model_they_name(adapters, tiny_folder):
    assert is_adapter(adapters)
    assert not is_adapter(tiny_folder)
    plain = load_policy(f"hf:{tiny_folder}", device="cpu")
    adapted = load_policy(f"hf:{adapters}", device="cpu")
    assert adapted.profile == plain.profile
    ids = torch.arange(20)[None]
    with torch.no_grad():
        before, after = plain.model(ids).logits, adapted.model(ids).logits
        assert float((before - after).abs().max()) > 0.1
        merged = put_on(plain.model, adapters).merge_and_unload()
        torch.testing.assert_close(merged(ids).logits, after, atol=1e-4, rtol=1e-4)
    (turn,) = adapted.generate([question()], Sampling(max_new_tokens=4))
    assert turn.token_ids


def test_a_profile_beside_the_adapters_counts(adapters, tiny_folder):
    budget = load_policy(f"hf:{tiny_folder}", device="cpu").profile.budget
    write_profile(adapters, Profile("mine", system="Mine.", budget=budget))
    assert load_policy(f"hf:{adapters}", device="cpu").name == "mine"


def named(folder, base):
    path = folder / "adapter_config.json"
    record = json.loads(path.read_text())
    record["base_model_name_or_path"] = base
    path.write_text(json.dumps(record))


def test_the_model_may_lie_beside_them_or_be_a_bundled_one(adapters, tiny_folder):
    (adapters / "model").symlink_to(tiny_folder)
    named(adapters, "model")
    assert base_of(adapters).samefile(tiny_folder)
    named(adapters, "nano")
    assert base_of(adapters).name == "nano"


def test_a_model_that_is_gone(adapters):
    named(adapters, "gone/away")
    with pytest.raises(ModelError, match=r"gone/away .*nothing is fetched"):
        load_policy(f"hf:{adapters}", device="cpu")
    named(adapters, "./gone")
    with pytest.raises(ModelError, match="which is not there"):
        load_policy(f"hf:{adapters}", device="cpu")
    named(adapters, None)
    with pytest.raises(ModelError, match="name a model folder"):
        load_policy(f"hf:{adapters}", device="cpu")


def test_their_model_is_fetched_only_when_that_is_allowed(adapters, tmp_path):
    """In a process whose hub is a port where nobody listens."""
    named(adapters, "some-one/some-model")
    code = (
        "from pixelis.models.load import load_policy\n"
        "for allowed in (False, True):\n"
        "    try: load_policy(f'hf:{FOLDER}', allow_download=allowed)\n"
        "    except RuntimeError as error: print(error)"
    ).replace("{FOLDER}", str(adapters))
    place = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **place}, capture_output=True, text=True
    )
    refused, tried = done.stdout.splitlines()
    assert "nothing is fetched unless you add --allow-download" in refused
    assert tried.startswith("some-one/some-model cannot be downloaded")


def test_adapters_of_another_shape(adapters, tiny_folder):
    named(adapters, "nano")
    with pytest.raises(ModelError, match="do not fit their model"):
        load_policy(f"hf:{adapters}", device="cpu")


def test_four_bit_training_says_what_it_needs():
    with pytest.raises(ConfigError, match="needs bitsandbytes and a CUDA GPU"):
        quantization("nf4", "cpu")
