import json

import pytest

from pixelis.errors import ConfigError, ModelError
from pixelis.models.load import load_policy


@pytest.mark.parametrize(("spec", "near"), [("nanoo", "'nano'"), ("nano-dirct", "'nano-direct'")])
def test_an_unknown_name_gets_the_nearest(spec, near):
    with pytest.raises(ConfigError, match=f"did you mean {near}"):
        load_policy(spec)


def test_what_is_allowed_is_listed():
    with pytest.raises(ConfigError, match="nano, nano-direct, hf:PATH_OR_ID"):
        load_policy("zzzz")


def test_a_bare_folder_is_recognised(tmp_path):
    with pytest.raises(ConfigError, match=f"did you mean 'hf:{tmp_path}'"):
        load_policy(str(tmp_path))


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_policy(f"hf:{tmp_path}")


def test_a_model_without_tokenizer(tmp_path):
    for kind, reason in (("qwen3_vl", "no usable processor"), ("qwen3", "no usable tokenizer")):
        (tmp_path / "config.json").write_text(f'{{"model_type": "{kind}"}}')
        with pytest.raises(ModelError, match=reason):
            load_policy(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no usable configuration"):
        load_policy(f"hf:{tmp_path}")


def test_a_folder_with_a_profile(tiny_folder):
    policy = load_policy(f"hf:{tiny_folder}", device="cpu")
    assert policy.name == "tiny"
    assert policy.profile.system == "Look closely."


@pytest.mark.parametrize("place", ["none", "/no/such/place", "a/b/c"])
def test_a_folder_that_is_not_there(place):
    with pytest.raises(ModelError, match=f"there is no folder {place}"):
        load_policy(f"hf:{place}")


def test_a_broken_configuration_is_one_line(tiny_folder, tmp_path):
    for path in tiny_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["text_config"]["hidden_size"] = "wide"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="hidden_size") as told:
        load_policy(f"hf:{tmp_path}", device="cpu")
    assert "\n" not in str(told.value)
