import json

import pytest

from pixelis.errors import ConfigError
from pixelis.models.policy import Profile, Sampling, read_profile, write_profile
from pixelis.ops.workspace import PixelBudget


def test_a_profile_survives_the_disk(tmp_path):
    profile = Profile("nano", system="Schau genau. é", budget=PixelBudget(1024, 4096, 32))
    write_profile(tmp_path, profile)
    assert read_profile(tmp_path) == profile


def test_no_profile_is_none(tmp_path):
    assert read_profile(tmp_path) is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"name": "x", "colour": 1}', '{"budget": 3}'])
def test_a_broken_profile_names_the_file(tmp_path, text):
    (tmp_path / "pixelis.json").write_text(text)
    with pytest.raises(ConfigError, match=r"pixelis\.json"):
        read_profile(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"dialect": None}, "field dialect"),
        ({"system": 3}, "field system"),
        ({"new_tokens": "9"}, "field new_tokens"),
        ({"new_tokens": 0}, "new_tokens"),
        ({"image_tokens": -1}, "image_tokens"),
        ({"text_limit": -1}, "text_limit"),
        ({"budget": {"max_pixels": 0}}, "budget"),
        ({"budget": {"multiple": 0}}, "budget"),
        ({"budget": {"multiple": 10**30}}, "budget"),
        ({"budget": {"min_pixels": {}}}, r"field budget\.min_pixels"),
        ({"budget": {"most": 3}}, "budget"),
    ],
)
def test_what_no_model_could_work_with_is_refused(tmp_path, wrong, told):
    (tmp_path / "pixelis.json").write_text(json.dumps({"name": "x", **wrong}))
    with pytest.raises(ConfigError, match=told) as found:
        read_profile(tmp_path)
    assert "pixelis.json" in str(found.value)
    assert "\n" not in str(found.value)


def test_a_profile_is_plain_json(tmp_path):
    write_profile(tmp_path, Profile("nano"))
    assert json.loads((tmp_path / "pixelis.json").read_text())["budget"]["multiple"] == 32


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": -1}, {"temperature": float("nan")}, {"top_p": 0}, {"max_new_tokens": 0}],
)
def test_sampling_refuses_nonsense(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Sampling(**wrong)
