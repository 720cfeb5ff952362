import asyncio
import time
from dataclasses import replace

import pytest

from pixelis.agent import Budget
from pixelis.models.load import load_policy
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.training.questions import Drawn
from pixelis.training.rollouts import Player, Sorted, seed_of


@pytest.fixture(scope="module")
def nano():
    return load_policy("nano", device="cpu")


@pytest.fixture
def player(nano):
    budget = Budget(steps=4, seconds=3600)
    return Player(nano.processor, nano.profile, budget, Sampling(1.2, seed=3))


def written(groups):
    return [[turn.token_ids for turn in one.turns] for g in groups for one in g.rollouts]


def test_the_same_weights_play_the_same_whatever_operations_take(nano, player):
    """The second time observations are remembered and come at once; nothing else differs."""
    questions = Drawn(8, ("attribute_recognition",)).at(0, 2)
    first = player.play(nano.model, questions, 3, 5)
    assert player.cache.hits == 0 or player.cache.misses > 0
    again = player.play(nano.model, questions, 3, 5)
    assert player.cache.hits > 0
    assert written(first) == written(again)
    told = [[one.episode.answer for one in g.rollouts] for g in first]
    assert told == [[one.episode.answer for one in g.rollouts] for g in again]
    probabilities = [turn.logprobs for g in first for one in g.rollouts for turn in one.turns]
    others = [turn.logprobs for g in again for one in g.rollouts for turn in one.turns]
    assert probabilities == others, "to the last bit"
    assert written(player.play(nano.model, questions, 3, 6)) != written(first)


def test_groups_stay_together(nano, player):
    questions = Drawn(8, ("attribute_recognition", "object_counting")).at(1, 2)
    groups = player.play(nano.model, questions, 2, 0)
    assert [group.question.id for group in groups] == [one.id for one in questions]
    for group in groups:
        assert {one.episode.question for one in group.rollouts} == {group.question.text}
        assert len({one.episode.seed for one in group.rollouts}) == 2
        assert group.media is not None


def test_training_goes_on_as_if_nothing_had_been_asked(nano, player):
    nano.model.train()
    (group,) = player.play(nano.model, Drawn(8, ("object_counting",)).at(0, 1), 2, 0)
    assert nano.model.training
    assert all(one.messages for one in group.rollouts)
    nano.model.eval()


@pytest.mark.slow
def test_every_episode_has_a_video_of_its_own(nano, player):
    (clip,) = Drawn(5, ("temporal_tracking",)).at(0, 1)
    opened = []

    def open_anew():
        opened.append(clip.open())
        return opened[-1]

    (group,) = player.play(nano.model, [replace(clip, open=open_anew)], 3, 0)
    assert len(opened) == 3
    assert group.media is None
    assert not any(one.episode.ended == "failed" for one in group.rollouts)


class Slow:
    """Gives back what it was asked, in the order it came."""

    name, profile = "slow", Profile("slow")

    def __init__(self):
        self.seen = []

    def generate(self, requests, sampling):
        self.seen.append([request.seed for request in requests])
        time.sleep(0)
        return [Turn(str(request.seed)) for request in requests]


def test_rows_have_an_order_of_their_own():
    inner = Slow()
    requests = [Request([], seed=seed) for seed in (5, 1, 3)]
    turns = Sorted(inner).generate(requests, Sampling())
    assert [turn.text for turn in turns] == ["5", "1", "3"]
    assert inner.seen == [[1, 3, 5]]
    assert asyncio.iscoroutinefunction(Sorted.generate) is False


def test_seeds_differ():
    seeds = {seed_of(s, q, n) for s in range(3) for q in ("a", "b") for n in range(4)}
    assert len(seeds) == 24
    assert seed_of(1, "a", 2) == seed_of(1, "a", 2)
