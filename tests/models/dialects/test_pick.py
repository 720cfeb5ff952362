import pytest

from pixelis.errors import ConfigError
from pixelis.models.dialects import DIALECTS, get_dialect
from pixelis.models.dialects.pick import NAMES, TYPES, dialect_of, in_dialect
from pixelis.models.policy import Profile
from pixelis.ops.workspace import PixelBudget


@pytest.mark.parametrize(
    ("name", "model_type", "dialect"),
    [
        ("DeepEyes-7B", "qwen2_5_vl", "deepeyes"),
        ("DeepEyesV2_7B_1031", "qwen2_5_vl", "deepeyes-v2"),
        ("Chain-of-Focus-7B", "qwen2_5_vl", "chain-of-focus"),
        ("Mini-o3-7B-v1", "qwen2_5_vl", "mini-o3"),
        ("PixelReasoner-RL-v1", "qwen2_5_vl", "pixel-reasoner"),
        ("Thyme-RL", "qwen2_5_vl", "thyme"),
        ("PyVision-Image-7B-RL", "qwen2_5_vl", "pyvision"),
        ("Qwen2.5-VL-7B-Instruct", "qwen2_5_vl", "qwen2.5-vl"),
        ("Qwen2.5-VL-7B-Instruct", "", "qwen2.5-vl"),
        ("my-finetune", "qwen2_vl", "qwen2.5-vl"),
        ("Qwen3-VL-8B-Instruct", "qwen3_vl", "qwen3-vl"),
        ("anything", "", "qwen3-vl"),
    ],
)
def test_the_checkpoint_picks_its_dialect(name, model_type, dialect):
    assert dialect_of(name, model_type) == dialect


def test_every_picked_name_is_a_dialect():
    assert {*NAMES.values(), *TYPES.values()} <= set(DIALECTS)


def test_another_dialect_brings_its_system_message_and_schemas():
    budget = PixelBudget(56 * 56, 560 * 560, 28)
    profile = Profile("m", "qwen3-vl", "Look.", budget=budget, new_tokens=99)
    other = in_dialect(profile, "deepeyes")
    assert (other.dialect, other.tools_in_prompt) == ("deepeyes", True)
    assert other.system == get_dialect("deepeyes").system
    assert (other.name, other.budget, other.new_tokens) == ("m", budget, 99)
    assert in_dialect(profile, "qwen3-vl") is profile


def test_an_unknown_dialect_is_refused_with_all_names():
    with pytest.raises(ConfigError, match="did you mean 'mini-o3'") as caught:
        in_dialect(Profile("m"), "mini-03")
    assert all(name in str(caught.value) for name in DIALECTS)


def test_system_messages_say_how_places_are_given():
    said = {name: dialect.system for name, dialect in DIALECTS.items()}
    assert "from 0 to 1000" in said["qwen3-vl"]
    assert "pixels of the named image" in said["qwen2.5-vl"]
    assert "pixels of the named image" in said["deepeyes"]
    assert "1.0" in said["mini-o3"]
    assert "image 1 is the original" in said["pixel-reasoner"]
    assert "not run" in said["thyme"]
