import contextlib
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


def test_no_folder_at_all():
    with pytest.raises(ConfigError, match="'hf:' names no checkpoint"):
        load_policy("hf:")


def test_a_profile_of_an_unknown_dialect_is_named(tiny_folder, tmp_path):
    for path in tiny_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pixelis.json").write_text('{"name": "x", "dialect": "mini-03"}')
    with pytest.raises(
        ConfigError, match=r"pixelis\.json: dialect 'mini-03' is not known; .*mini-o3"
    ):
        load_policy(f"hf:{tmp_path}", device="cpu")


@pytest.mark.parametrize("place", ["config.json", "tokenizer_config.json"])
def test_code_beside_the_weights_is_neither_run_nor_asked_about(
    tiny_folder, tmp_path, place, monkeypatch, capfd
):
    for path in tiny_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "mystery.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit")
    record = json.loads((tmp_path / place).read_text())
    kinds = ("AutoConfig", "AutoModelForImageTextToText")
    record["auto_map"] = {kind: "mystery.Mystery" for kind in kinds}
    if place == "config.json":
        record["model_type"] = "mystery"
    else:
        record["auto_map"] = {"AutoTokenizer": ["mystery.Mystery", None]}
        record["tokenizer_class"] = "Mystery"
    (tmp_path / place).write_text(json.dumps(record))
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with contextlib.suppress(ModelError):  # a tokenizer may be found without its code
        load_policy(f"hf:{tmp_path}", device="cpu")
    if place == "config.json":
        with pytest.raises(ModelError, match=r"code of its own .* which is not run"):
            load_policy(f"hf:{tmp_path}", device="cpu")
    assert not (tmp_path / "ran").exists()
    assert "Do you wish" not in capfd.readouterr().out


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
