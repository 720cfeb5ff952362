"""A calibration is fitted on what was really answered."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixelis.agent import Agent
from pixelis.evals.question import Benchmark, Question
from pixelis.evolve.calibration import error
from pixelis.models.policy import Profile, Turn
from pixelis.online.calibrate import Said, ask, best
from pixelis.online.settings import EvolveConfig
from pixelis.ops.workspace import PixelBudget


def digits(count, wrong):
    """Questions that the counting policy answers rightly, but for every `wrong`th."""

    def load(index):
        gold = (index + (index % wrong == 0)) % 10
        return Question(
            f"q{index}", Image.new("RGB", (32, 32)), f"Which digit is {index % 10}?", str(gold),
            "number", "digits", f"p{index}",
        )  # fmt: skip

    return Benchmark("digits", tuple(f"q{index}" for index in range(count)), load)


@pytest.mark.parametrize("ahead", [1, 7])
def test_every_verdict_is_judged_by_its_own_gold(agent, ahead):
    told = []
    config = EvolveConfig(model="counting", votes=3, ahead=ahead)
    said = ask(agent, digits(20, 4), config, lambda *state: told.append(state))
    assert [one.right for one in said] == [index % 4 != 0 for index in range(20)]
    assert told[-1] == (20, 20)
    assert len(told) == -(-20 // ahead)


class Silent:
    """Never answers."""

    name = "silent"
    profile = Profile("silent", system="S", budget=PixelBudget(64 * 64, 64 * 64, 32))

    def generate(self, requests, sampling):
        return [Turn("", (), None, 0.7) for _ in requests]


def test_what_was_not_answered_is_left_out():
    with Agent(Silent()) as agent:
        assert ask(agent, digits(6, 2), EvolveConfig(votes=1)) == []


def test_the_best_map_says_what_is_true_and_others_are_told():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.8, 1.0, 600)
    said = [Said(float(value), bool(rng.random() < 0.3)) for value in sure]
    found = best(said)
    assert set(found.measured) == {"identity", "isotonic", "temperature", "logistic"}
    assert found.measured["identity"].after == found.measured["identity"].before > 0.5
    after = [found.calibration(one.confidence) for one in said]
    assert error(after, [one.right for one in said]) < 0.05
    assert found.calibration.n == 600
