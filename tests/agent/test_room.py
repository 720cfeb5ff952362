from __future__ import annotations

from dataclasses import replace

import pytest

from pixelis.agent import Agent, Budget, Task, replay
from pixelis.agent.room import image_tokens, run_call, too_many
from pixelis.episode import Call
from pixelis.models.load import load_policy
from pixelis.ops.workspace import PixelBudget, Workspace

PIXELS = PixelBudget(64 * 64, 64 * 64, 32)
HALVES = Call("halves")


def test_tokens_are_counted_after_the_resize(picture):
    assert image_tokens([picture.image], PixelBudget(64 * 32, 64 * 32, 32)) == 2
    assert image_tokens([picture.image] * 3, PIXELS) == 3 * image_tokens([picture.image], PIXELS)
    assert image_tokens([], PIXELS) == 0


def test_what_does_not_fit_leaves_no_trace(registry, picture):
    workspace = Workspace(picture, PIXELS)
    first = image_tokens(workspace.images, PIXELS)
    assert too_many(workspace, 0, first) is None
    assert too_many(workspace, 0, first - 1)
    refused = run_call(registry, HALVES, workspace, first + 5)
    assert refused.error == (
        f"halves: its images take 8 tokens, and 5 of {first + 5} are left; "
        "answer from what you have seen"
    )
    assert (len(workspace.images), refused.image) == (1, None)
    assert run_call(registry, HALVES, workspace, first + 8).error is None
    assert len(workspace.images) == 3


@pytest.mark.parametrize("by", ["budget", "profile"])
def test_the_model_is_told_and_goes_on_and_it_replays(scripted, registry, picture, call, by):
    policy = scripted({"q": (call("halves"), call("halves", "again"), "red")})
    most = image_tokens([picture.image], PIXELS) + 8
    budget = Budget(image_tokens=most if by == "budget" else None)
    if by == "profile":
        policy.profile = replace(policy.profile, image_tokens=most)
    with Agent(policy, registry, budget=budget) as agent:
        (rollout,) = agent.rollouts([Task(picture, "q")])
    first, second = rollout.episode.observations
    assert first.error is None
    assert "8 tokens, and 0 of" in second.error
    assert rollout.episode.answer.text == "red"
    assert len(rollout.images) == 3
    assert replay(rollout.episode, picture, registry).same


def test_a_picture_too_large_for_the_budget_is_said_at_once(scripted, registry, picture):
    policy = scripted({"q": ("red",)})
    with Agent(policy, registry, budget=Budget(image_tokens=1)) as agent:
        episode = agent.ask(picture, "q")
    assert episode.ended == "failed"
    assert episode.meta["error"].startswith("the picture is too large: its images take 2 tokens")
    assert episode.meta["error"].endswith("lower MAX_PIXELS")
    assert policy.batches == []


def test_a_model_leaves_room_for_words():
    policy = load_policy("nano", device="cpu")
    assert policy.profile.image_tokens == 3072
