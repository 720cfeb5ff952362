"""An update on nano: what was rewarded becomes likelier, and each tier holds it back."""

from __future__ import annotations

import math

import pytest
import torch

from pixelis.agent import Agent, Task
from pixelis.data.tasks import draw
from pixelis.models.policy import Sampling
from pixelis.online.settings import EvolveConfig
from pixelis.online.update import Group, PolicyGradient
from pixelis.online.wear import Wearer
from pixelis.training.adapters import lora

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def agent():
    with Agent.load("nano", threads=1) as agent:
        yield agent


@pytest.fixture(scope="module")
def rollouts(agent):
    task = draw(3, 1, "train", ("attribute_recognition",))
    asked = [Task(task.source, task.question, n, sampling=Sampling(1.5)) for n in range(4)]
    found = agent.rollouts(asked)
    assert len({str(rollout.episode.to_dict()["steps"]) for rollout in found}) > 1
    return found


@pytest.fixture(scope="module")
def wearer(agent):
    wearer = Wearer(agent.policy)
    wearer.begin(lora(agent.policy.model, 4))
    return wearer


def updater(wearer, **settings):
    wearer.bare()
    return PolicyGradient(wearer, EvolveConfig(**settings))


def likelihood(update, rollout):
    with torch.no_grad():
        return float(update._logprobs(update.collator.padded([rollout]))[0].sum())


def test_what_was_rewarded_becomes_likelier(wearer, rollouts):
    update = updater(wearer)
    before = [likelihood(update, rollout) for rollout in rollouts]
    done = update.step([Group(rollouts, [1.0, 0.0, 0.0, 0.0])], 1e-3)
    after = [likelihood(update, rollout) for rollout in rollouts]
    gains = [b - a for a, b in zip(before, after, strict=True)]
    assert done.used
    assert done.kl == pytest.approx(0.0, abs=1e-6), "nothing had changed before"
    assert gains[0] > 0
    assert gains[0] == max(gains)


def test_a_rejected_answer_becomes_less_likely(wearer, rollouts):
    update = updater(wearer)
    before = likelihood(update, rollouts[0])
    update.step([Group(rollouts, [-1.0, 0.0, 0.0, 0.0], weight=-1.0)], 1e-3)
    assert likelihood(update, rollouts[0]) < before


def test_equal_rewards_teach_nothing(wearer, rollouts):
    update = updater(wearer)
    done = update.step([Group(rollouts, [1.0] * 4)], 1e-3)
    assert not done.used
    assert update.change() == 0.0


def test_the_cap_bounds_how_far_a_version_moves(wearer, rollouts):
    update = updater(wearer, cap=0.01)
    for _ in range(2):
        done = update.step([Group(rollouts, [1.0, 0.0, 0.0, 0.0])], 1e-2)
    assert 0 < done.change <= 0.01 * (1 + 1e-4)
    free = updater(wearer, cap=0.01, magnitude=False)
    assert free.step([Group(rollouts, [1.0, 0.0, 0.0, 0.0])], 1e-2).change > 0.01


def test_a_batch_far_from_the_promoted_version_is_skipped(wearer, rollouts):
    update = updater(wearer, kl_target=1e-9, cap=100.0)
    group = [Group(rollouts, [1.0, 0.0, 0.0, 0.0])]
    assert update.step(group, 1e-2).used
    moved = update.change()
    second = update.step(group, 1e-2)
    assert second.kl > 1e-8
    assert not second.used
    assert update.change() == moved


def test_wearing_and_taking_off_is_exact(wearer, agent, rollouts):
    update = updater(wearer)
    bare = likelihood(update, rollouts[0])
    update.step([Group(rollouts, [1.0, 0.0, 0.0, 0.0])], 1e-2)
    assert not math.isclose(likelihood(update, rollouts[0]), bare, abs_tol=1e-6)
    wearer.bare()
    assert likelihood(update, rollouts[0]) == bare
