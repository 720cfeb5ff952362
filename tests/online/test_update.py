"""An update on nano: what was rewarded becomes likelier, and each tier holds it back."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from pixelis.agent import Agent, Task
from pixelis.data.tasks import draw
from pixelis.models.policy import Sampling
from pixelis.online.settings import EvolveConfig
from pixelis.online.update import Group, PolicyGradient
from pixelis.online.wear import Wearer
from pixelis.training.adapters import lora
from pixelis.training.lines import Weighed, line_of, tensors

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
    return PolicyGradient(wearer, EvolveConfig(**{"temperature": 1.5, **settings}))


def likelihood(update, rollout):
    with torch.no_grad():
        return float(update._logprobs(tensors([lined(update, rollout)], update.processor)).sum())


def lined(update, rollout, advantage=1.0, shift=0.0):
    """A line whose tokens were chosen with a probability e^shift of what it was."""
    line = line_of(rollout, update.processor)
    moved = tuple(value + shift for value in line.logprobs)
    return Weighed(replace(line, logprobs=moved), advantage)


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


def test_probabilities_are_those_that_tokens_were_chosen_with(wearer, rollouts):
    """Were prompt, images, mask, temperature or padding off, this would fail."""
    update = updater(wearer)
    batch = tensors([lined(update, one) for one in rollouts], update.processor)
    with torch.no_grad():
        now = update._logprobs(batch)
    then = torch.cat([torch.tensor(line_of(one, update.processor).logprobs) for one in rollouts])
    assert float((now - then).abs().max()) < 1e-3
    alone = [likelihood(update, one) for one in rollouts]
    assert sum(alone) == pytest.approx(float(now.sum()), abs=1e-3), "padding changes nothing"


def by_hand(logits, lines, promoted, beta, temperature):
    """The loss in float64, token by token, from each line's own logits; the formula of the module
    and of the papers, with nothing of ours."""
    losses = []
    for (line, gain, _), rows, reference in zip(lines, logits, promoted, strict=True):
        number = 0
        for place, written in enumerate(line.written):
            if not written:
                continue
            scores = [float(v) / temperature for v in rows[place - 1]]
            top = max(scores)
            new = scores[line.ids[place]] - top - math.log(sum(math.exp(v - top) for v in scores))
            ratio = math.exp(new - line.logprobs[number])
            kept = gain * min(max(ratio, 0.8), 1.28)
            gap = reference[number] - new
            losses.append(-min(gain * ratio, kept) + beta * (math.exp(gap) - gap - 1))
            number += 1
    return losses


def test_the_loss_is_the_formula(wearer, rollouts):
    update = updater(wearer)
    shifts, gains = (0.5, -0.5, 0.5, -0.5), (1.0, 1.0, -1.0, -1.0)  # clipped and not, both ways
    lines = [lined(update, *one) for one in zip(rollouts, gains, shifts, strict=True)]
    logits, promoted = [], []
    for one in lines:  # each alone, so that padding would show
        batch = tensors([one], update.processor)
        ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
        names = ("pixel_values", "image_grid_thw", "mm_token_type_ids")
        with torch.no_grad():
            seen = {name: batch[name] for name in names}
            logits.append(update.model(input_ids=ids, use_cache=False, **seen).logits[0].tolist())
        promoted.append([value - 0.3 for value in one.line.logprobs])
    batch = tensors(lines, update.processor)
    reference = torch.tensor([value for row in promoted for value in row])
    found = update._losses(batch, reference, 0.2)
    wanted = by_hand(logits, lines, promoted, 0.2, 1.5)
    assert len(wanted) == len(found)
    assert found.tolist() == pytest.approx(wanted, rel=1e-3, abs=1e-3)
    found.sum().backward()
    assert any(float(p.grad.abs().max()) > 0 for p in update.parameters if p.grad is not None)


def test_only_what_the_model_chose_gets_a_gradient(wearer, rollouts):
    update = updater(wearer)
    batch = tensors([lined(update, one) for one in rollouts], update.processor)
    kept = []

    def keep(module, given, output):
        output.logits.retain_grad()
        kept.append(output.logits)

    hook = update.model.register_forward_hook(keep)
    try:
        learned = (batch["tool_mask"] * batch["completion_mask"]).bool()
        update._losses(batch, torch.zeros(int(learned.sum())), 0.1).sum().backward()
    finally:
        hook.remove()
    slopes = kept[0].grad.abs().sum(-1)
    wanted = torch.zeros_like(slopes, dtype=torch.bool)
    wanted[:, -1 - learned.shape[1] : -1] = learned
    assert bool((slopes > 0)[~wanted].any()) is False, "observations, questions, padding"
    assert float((slopes > 0)[wanted].float().mean()) > 0.99


def test_a_turn_told_in_other_words_is_read_and_not_learned(wearer, rollouts):
    update = updater(wearer)
    plain = rollouts[0]
    messages = [dict(message) for message in plain.messages]
    spoken = [message for message in messages if message["role"] == "assistant"]
    spoken[0].pop("token_ids")
    retold = replace(plain, messages=messages)
    fewer = len(plain.turns[0].logprobs)
    assert len(line_of(retold, update.processor).logprobs) == (
        len(line_of(plain, update.processor).logprobs) - fewer
    )
    rows = update._rows([Group([retold, *rollouts[1:]], [1.0, 0.0, 0.0, 0.0])])
    assert sum(rows[0].line.written) == len(rows[0].line.logprobs)
