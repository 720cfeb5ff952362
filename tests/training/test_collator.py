from dataclasses import replace

import pytest
import torch

from pixelis.agent import Agent, Budget, Task
from pixelis.errors import DataError
from pixelis.models.load import load_policy
from pixelis.models.policy import Sampling
from pixelis.models.rows import IGNORED
from pixelis.training.collator import Collator
from pixelis.training.material import read
from pixelis.training.stock import build


@pytest.fixture(scope="module", params=["qwen2.5", "qwen3", "nano"])
def policy(request, families):
    """All three, and the room of each."""
    folder = families.get(request.param)
    return load_policy("nano" if folder is None else f"hf:{folder}", device="cpu")


@pytest.fixture(scope="module")
def collator(policy):
    room = policy.model.config.get_text_config().max_position_embeddings
    return Collator(policy.processor, policy.profile, room, policy.model.model.get_rope_index)


@pytest.fixture(scope="module")
def stock(collator, episodes, tmp_path_factory):
    return build(read([episodes])[:5], collator, tmp_path_factory.mktemp("told"))


def written(collator, labels):
    return collator.processor.tokenizer.decode(labels[labels != IGNORED])


def test_only_what_the_model_wrote_is_learned(collator, stock):
    for item in stock.items:
        slips = item.episode.slips
        row = collator.padded([collator.talk(item.episode, list(item.images()))])
        turns = [step.text for step in item.episode.steps]
        assert written(collator, row["labels"]) == "".join(
            f"{turn}<|im_end|>" for place, turn in enumerate(turns) if place not in slips
        )
        ids = row["input_ids"][0]
        told = collator.processor.tokenizer.decode(ids[ids != collator.processor.image_token_id])
        assert all(turns[place] in told for place in slips)
        assert item.episode.question in told
        assert ("# Tools" in told) == collator.profile.tools_in_prompt
        learned = int((row["labels"] != IGNORED).sum())
        assert (ids.shape[0], learned) == (item.tokens, item.learned)
    assert any(item.episode.slips for item in stock.items)


def test_a_slip_in_the_middle_is_read_and_not_learned(collator, stock):
    item = max(stock.items, key=lambda one: len(one.episode.steps))
    turns = [step.text for step in item.episode.steps]
    assert len(turns) > 2
    meta = {name: value for name, value in item.episode.meta.items() if name != "slips"}
    for told, left in (([1], [turns[0], *turns[2:]]), (2, turns[2:]), ([], turns)):
        episode = replace(item.episode, meta={**meta, "slips": told})
        row = collator.padded([collator.talk(episode, list(item.images()))])
        assert written(collator, row["labels"]) == "".join(f"{turn}<|im_end|>" for turn in left)


def test_the_tokens_are_those_that_serving_sends(policy, collator, stock):
    """The agent plays an episode whose turns are dictated; what it asked is compared."""
    for item in stock.items[:3]:
        talk = collator.talk(item.episode, list(item.images()))
        whole = collator.padded([talk])
        dictated = _Dictated(policy, [step.text for step in item.episode.steps])
        with Agent(dictated, budget=Budget(steps=9)) as agent, item.sample.open() as media:
            (rollout,) = agent.rollouts([Task(media, item.episode.question)])
        assert [seen.text for seen in rollout.episode.observations] == [
            seen.text for seen in item.episode.observations
        ]
        assert torch.equal(collator.padded([rollout])["input_ids"], whole["input_ids"])
        for request in dictated.requests:
            served = policy.processor.encode(
                [request.messages], [request.images], tools=[request.tools], prompt=True
            )
            length = served.input_ids.shape[1]
            assert torch.equal(served.input_ids[0], whole["input_ids"][0, :length])
            patches = len(served.pixel_values)
            assert torch.equal(served.pixel_values, whole["pixel_values"][:patches])


def test_packed_is_the_same_as_each_alone(policy, collator, stock):
    talks = [collator.talk(item.episode, list(item.images())) for item in stock.items[:4]]
    padded, packed = collator.padded(talks), collator.packed(talks)
    assert packed["input_ids"].shape == (1, sum(item.tokens for item in stock.items[:4]))
    assert packed["position_ids"].shape == (4, *packed["input_ids"].shape)
    assert "attention_mask" not in packed
    with torch.no_grad():
        one = policy.model(**padded, use_cache=False)
        other = policy.model(**packed, use_cache=False)
    start = 0
    for row, length in enumerate(padded["attention_mask"].sum(1).tolist()):
        there = other.logits[0, start : start + length]
        torch.testing.assert_close(there, one.logits[row, :length], atol=1e-4, rtol=1e-4)
        start += length
    assert float(other.loss) == pytest.approx(float(one.loss), abs=1e-4)
    assert float(one.logits.std()) > 0.01


def test_neighbours_would_be_seen_without_positions(policy, collator, stock):
    """The comparison above can fail: with one run of positions the second episode changes."""
    talks = [collator.talk(item.episode, list(item.images())) for item in stock.items[:2]]
    packed = collator.packed(talks)
    first = stock.items[0].tokens
    with torch.no_grad():
        apart = policy.model(**packed, use_cache=False).logits[0, first:]
        packed["position_ids"] = packed["position_ids"][1:]
        joined = policy.model(**packed, use_cache=False).logits[0, first:]
    assert float((apart - joined).abs().max()) > 1e-3


def test_an_episode_that_is_too_long_is_refused(collator, stock):
    short = Collator(collator.processor, collator.profile, 40)
    item = stock.items[0]
    with pytest.raises(DataError, match=r"has \d+ tokens and there is room for 40"):
        short.padded([short.talk(item.episode, list(item.images()))])
    with pytest.raises(DataError, match=r"episodes\.jsonl: line \d+ has"):
        build([item.sample], short, item.sample.file.parent / "told-short")


def test_images_and_placeholders_must_agree(collator, stock):
    item = stock.items[0]
    with pytest.raises(DataError, match="images, 0 came"):
        collator.padded([collator.talk(item.episode, ())])


def test_packing_needs_positions(collator, stock):
    without = Collator(collator.processor, collator.profile, collator.room)
    item = stock.items[0]
    with pytest.raises(ValueError, match="get_rope_index"):
        without.packed([without.talk(item.episode, list(item.images()))])


class _Dictated:
    """Says the turns it is given, with the model's own processor behind it."""

    def __init__(self, policy, turns):
        self.profile, self.name = policy.profile, policy.name
        self.turns = turns
        self.requests = []
        self._policy = policy

    def generate(self, requests, sampling: Sampling):
        from pixelis.models.policy import Turn

        self.requests += requests
        done = [sum(m["role"] == "assistant" for m in one.messages) for one in requests]
        return [Turn(self.turns[place]) for place in done]
