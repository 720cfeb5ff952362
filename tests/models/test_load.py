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
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no usable processor"):
        load_policy(f"hf:{tmp_path}")


def test_a_folder_with_a_profile(tiny_folder):
    policy = load_policy(f"hf:{tiny_folder}", device="cpu")
    assert policy.name == "tiny"
    assert policy.profile.system == "Look closely."
