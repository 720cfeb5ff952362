"""A tiny random text-only Qwen3, from a folder and from a loader, as a policy that cannot see."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import Qwen3Config, Qwen3ForCausalLM

from pixelis.agent import Agent, Budget, Task
from pixelis.errors import ModelError
from pixelis.models.dialects.system import BLIND
from pixelis.models.load import load_policy
from pixelis.models.policy import Request, Sampling, Turn
from pixelis.models.text import TextProcessor, unseen

LOADER = """
from transformers import AutoModelForCausalLM, AutoTokenizer

def load_model(config):
    model = AutoModelForCausalLM.from_pretrained({folder!r}, dtype=config.dtype)
    return model, AutoTokenizer.from_pretrained({folder!r}), None

def as_processor(config):
    model, tokenizer, _ = load_model(config)
    return model, None, tokenizer

def bare(config):
    return load_model(config)[0], None, None
"""
RED = Image.new("RGB", (96, 64), "red")
READ = '<tool_call>\n{"name": "read_text", "arguments": {}}\n</tool_call>'
ZOOM = '<tool_call>\n{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 500, 500]}}\n</tool_call>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    place = tmp_path_factory.mktemp("qwen3-text")
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=8192,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(11)
    Qwen3ForCausalLM(config).to(torch.bfloat16).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def policy(folder):
    return load_policy(f"hf:{folder}", device="cpu")


@pytest.fixture
def module(folder, tmp_path, monkeypatch):
    name = f"text_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(LOADER.format(folder=str(folder)))
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def request(words: str, image: Image.Image = RED) -> Request:
    content = [{"type": "image"}, {"type": "text", "text": words}]
    return Request([{"role": "user", "content": content}], (image,))


class Leading:
    """Reads, zooms, then lets the model write; keeps what the model was given."""

    def __init__(self, policy):
        self.policy, self.profile, self.name = policy, policy.profile, policy.name
        self.requests = []

    def generate(self, requests, sampling):
        self.requests += requests
        turns = self.policy.generate(requests, sampling)
        return [self.lead(*pair) for pair in zip(requests, turns, strict=True)]

    def lead(self, request, turn):
        done = sum(message["role"] == "assistant" for message in request.messages)
        return turn if done == 2 else Turn((READ, ZOOM)[done])


def test_it_is_given_the_text_of_observations_and_no_image(policy):
    leading = Leading(policy)
    budget = Budget(steps=3, new_tokens=8)
    with Agent(leading, budget=budget, sampling=Sampling(1.0, seed=2)) as agent:
        (rollout,) = agent.rollouts([Task(RED, "What does it say?")])
    assert rollout.episode.ended != "failed", rollout.episode.meta
    assert len(rollout.images) == 2
    last = leading.requests[-1]
    batch = policy.processor.encode([last.messages], [last.images], tools=[last.tools], prompt=True)
    told = policy.processor.tokenizer.decode(batch.input_ids[0])
    assert BLIND in told
    assert '"read_text"' in told
    for seen in rollout.episode.observations:
        assert seen.text in told
    assert not any(mark in told for mark in ("<|image_pad|>", "<|vision_start|>", "<|vision_end|>"))


def test_training_sees_the_very_tokens_of_serving(policy):
    budget = Budget(steps=2, new_tokens=12)
    with Agent(policy, budget=budget, sampling=Sampling(1.0, seed=4)) as agent:
        (rollout,) = agent.rollouts([Task(RED, "What is it?")])
    whole = policy.processor.encode([rollout.messages], [rollout.images], tools=[rollout.tools])
    written = [token for turn in rollout.turns for token in turn.token_ids]
    assert written
    assert whole.input_ids[0][whole.written[0]].tolist() == written


def test_a_picture_changes_nothing_and_a_batch_neither(policy):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (80, 80, 3), np.uint8))
    asked = [request("red?"), request("red?", noise), request("What is the sign?")]
    few = Sampling(max_new_tokens=8)
    turns = policy.generate(asked, few)
    assert turns[0].token_ids == turns[1].token_ids != turns[2].token_ids
    assert [policy.generate([one], few)[0].token_ids for one in asked] == [
        turn.token_ids for turn in turns
    ]


def test_it_answers_as_the_library_does(policy):
    """The same prompt through the library's own greedy decoding."""
    one = request("What is the sign?")
    batch = policy.processor.encode([one.messages], [one.images], prompt=True)
    length = batch.input_ids.shape[1]
    out = Qwen3ForCausalLM.generate(
        policy.model, **batch.inputs(), max_new_tokens=6, do_sample=False,
        suppress_tokens=policy._banned,
    )  # fmt: skip
    (turn,) = policy.generate([one], Sampling(max_new_tokens=6))
    assert list(turn.token_ids) == out[0, length:].tolist()[: len(turn.token_ids)]


@pytest.mark.parametrize("function", ["load_model", "as_processor"])
def test_a_loader_gives_the_same_policy(module, policy, function):
    mine = load_policy(f"loader:{module}:{function}", device="cpu")
    assert isinstance(mine.processor, TextProcessor)
    assert mine.profile.system == policy.profile.system
    asked = [request(text) for text in ("red?", "What is the sign?")]
    few = Sampling(max_new_tokens=8)
    assert mine.generate(asked, few) == policy.generate(asked, few)


def test_a_loader_without_a_tokenizer(module):
    with pytest.raises(ModelError, match="gave no tokenizer"):
        load_policy(f"loader:{module}:bare")


def test_images_and_places_must_be_equal_in_number(policy):
    with pytest.raises(ModelError, match="1 image placeholders and 0 images"):
        policy.generate([Request(request("?").messages, ())], Sampling())


def test_images_do_not_count_against_the_context(policy):
    assert policy.profile.image_tokens is None


def test_messages_without_images():
    assert unseen({"role": "user", "content": "x"}) == {"role": "user", "content": "x"}
    shown = {"role": "tool", "content": [{"type": "text", "text": "a"}, {"type": "image"}]}
    assert unseen(shown)["content"] == [{"type": "text", "text": "a"}]
    assert len(shown["content"]) == 2


def test_another_tokenizer_is_refused(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "tokenizer.json").read_text().replace("<|im_end|>", "<|no_end|>")
    (tmp_path / "tokenizer.json").write_text(text)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings["eos_token"] = "<|no_end|>"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match="one of the Qwen family"):
        load_policy(f"hf:{tmp_path}", device="cpu")
