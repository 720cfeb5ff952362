from __future__ import annotations

import pytest

from pixelis.errors import ConfigError
from pixelis.models.load import load_policy
from pixelis.models.nano import SIDE_PX
from pixelis.models.pixels import wanted, with_pixels
from pixelis.models.policy import Profile
from pixelis.ops.workspace import PixelBudget

PROFILE = Profile("p", budget=PixelBudget(1000 * 1024, 2000 * 1024, 32))


def test_options_go_before_the_environment():
    environment = {"MIN_PIXELS": "5", "MAX_PIXELS": " 9 ", "OTHER": "1"}
    assert wanted(environment) == {"min_pixels": 5, "max_pixels": 9}
    assert wanted(environment, min_pixels=7, max_pixels=None)["min_pixels"] == 7
    assert wanted({"MIN_PIXELS": ""}) == {}
    with pytest.raises(ConfigError, match="MAX_PIXELS = 'many'"):
        wanted({"MAX_PIXELS": "many"})


@pytest.mark.parametrize(
    ("pixels", "budget"),
    [
        ({}, (1000 * 1024, 2000 * 1024)),
        ({"max_pixels": 500 * 1024}, (500 * 1024, 500 * 1024)),
        ({"min_pixels": 3000 * 1024}, (3000 * 1024, 3000 * 1024)),
        ({"min_pixels": 5, "max_pixels": 5000}, (5, 5000)),
    ],
)
def test_a_limit_given_alone_moves_the_other(pixels, budget):
    found = with_pixels(PROFILE, pixels).budget
    assert (found.min_pixels, found.max_pixels, found.multiple) == (*budget, 32)


@pytest.mark.parametrize("pixels", [(9000, 8000), (1, 1023), (0, 5000), (-4, 5000)])
def test_limits_that_cannot_be_met(pixels):
    with pytest.raises(ConfigError, match="is not allowed"):
        with_pixels(PROFILE, dict(zip(("min_pixels", "max_pixels"), pixels, strict=True)))


def test_a_checkpoint_takes_them_over(tiny_folder, monkeypatch):
    policy = load_policy(f"hf:{tiny_folder}", device="cpu", max_pixels=64 * 96)
    assert policy.profile.budget == policy.processor.budget == PixelBudget(64 * 64, 64 * 96, 32)
    monkeypatch.setenv("MAX_PIXELS", str(128 * 128))
    assert load_policy(f"hf:{tiny_folder}", device="cpu").profile.budget.max_pixels == 128 * 128
    assert load_policy("nano", device="cpu").profile.budget.max_pixels == SIDE_PX**2


def test_bundled_models_know_one_size():
    with pytest.raises(ConfigError, match="--max-pixels does not suit nano"):
        load_policy("nano", max_pixels=9999)
