import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from pixelis.agent import Agent, Budget, Task
from pixelis.errors import ModelError
from pixelis.media import Picture
from pixelis.models.dialects import get_dialect
from pixelis.models.load import load_policy
from pixelis.models.local import LocalPolicy, default_profile, nucleus
from pixelis.models.policy import Request, Sampling
from pixelis.ops.registry import Registry

SAMPLED = Sampling(temperature=1.0, top_p=0.95, seed=3)


@pytest.fixture(scope="module")
def policy(tiny_folder):
    return load_policy(f"hf:{tiny_folder}", device="cpu")


def request(number, extra=""):
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 255, (80, 90 + 30 * number, 3), dtype=np.uint8)
    question = {"type": "text", "text": "What is it?" + " blue" * number + extra}
    told = [{"role": "user", "content": [{"type": "image"}, question]}]
    return Request(told, [Image.fromarray(pixels)], seed=number)


REQUESTS = [request(number) for number in range(4)]


def test_weights_are_float32_on_the_cpu(policy):
    assert {parameter.dtype for parameter in policy.model.parameters()} == {torch.float32}


@pytest.mark.parametrize("sampling", [Sampling(), SAMPLED])
def test_a_batch_gives_what_each_request_gives_alone(policy, sampling):
    together = policy.generate(REQUESTS, sampling)
    for one, turn in zip(REQUESTS, together, strict=True):
        (alone,) = policy.generate([one], sampling)
        assert alone.token_ids == turn.token_ids
        assert alone.logprobs == pytest.approx(turn.logprobs, abs=1e-4)


def test_seeds_decide_what_is_sampled(policy):
    first = policy.generate(REQUESTS, SAMPLED)
    assert policy.generate(REQUESTS, SAMPLED) == first
    other = policy.generate(REQUESTS, Sampling(temperature=1.0, top_p=0.95, seed=4))
    assert [turn.text for turn in other] != [turn.text for turn in first]


def test_logprobs_are_those_of_the_model(policy):
    (turn,) = policy.generate(REQUESTS[1:2], Sampling(temperature=0.7, seed=5))
    told = [*REQUESTS[1].messages]
    told.append({"role": "assistant", "content": turn.text, "token_ids": turn.token_ids})
    batch = policy.processor.encode([told], [REQUESTS[1].images])
    logits = policy.model(**batch.inputs()).logits[0, :-1].float()
    logprobs = (logits / 0.7).log_softmax(-1)
    target = batch.input_ids[0, 1:]
    expected = logprobs.gather(1, target[:, None])[:, 0][batch.written[0, 1:]]
    assert turn.logprobs == pytest.approx(expected.tolist(), abs=1e-4)
    assert turn.confidence == pytest.approx(np.mean([math.exp(p) for p in turn.logprobs]))


def test_no_image_or_control_token_is_ever_written(policy):
    hot = Sampling(temperature=50.0, max_new_tokens=60, seed=1)
    turns = policy.generate(REQUESTS, hot)
    written = {token for turn in turns for token in turn.token_ids}
    assert len(written) > 100
    assert not written & set(policy._banned)
    assert policy.processor.image_token_id in policy._banned
    assert all("<|" not in turn.text for turn in turns)


def test_the_closing_token_ends_a_turn(policy):
    hot = Sampling(temperature=50.0, max_new_tokens=150, seed=1)
    closing = policy.processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
    turns = policy.generate([replace(REQUESTS[0], seed=seed) for seed in range(12)], hot)
    stopped = [turn for turn in turns if turn.ended == "stop"]
    assert stopped
    for turn in turns:
        assert (turn.token_ids[-1] == closing) == (turn.ended == "stop")
        assert turn.token_ids.count(closing) <= 1
        assert len(turn.logprobs) == len(turn.token_ids)


def test_the_length_is_kept(policy):
    (turn,) = policy.generate(REQUESTS[:1], Sampling(max_new_tokens=3))
    assert (len(turn.token_ids), turn.ended) == (3, "length")
    (turn,) = policy.generate(REQUESTS[:1], Sampling())
    assert len(turn.token_ids) <= 24


def test_a_conversation_too_long_for_the_model_ends_alone(policy):
    long = request(1, " red" * 3000)
    turns = policy.generate([REQUESTS[0], long, REQUESTS[1]], Sampling())
    assert turns[1].token_ids == ()
    assert turns[1].ended == "length"
    assert turns[0].token_ids == policy.generate([REQUESTS[0]], Sampling())[0].token_ids
    assert len(turns[2].token_ids) > 0


def test_a_conversation_that_leaves_little_room_takes_none_from_the_others(policy):
    def length(asked):
        return policy.processor.encode([asked.messages], [asked.images]).input_ids.shape[1]

    words = next(n for n in range(100, 3000) if length(request(1, " red" * n)) > 2048 - 16)
    tight = request(1, " red" * words)
    asked = [REQUESTS[0], tight, REQUESTS[1], tight]
    few = Sampling(temperature=1.0, seed=2)
    alone = [policy.generate([each], few)[0] for each in asked]
    assert 0 < len(alone[1].token_ids) < 16
    assert alone[1].ended == "length"
    assert max(len(turn.token_ids) for turn in alone) > 16
    together = policy.generate(asked, few)
    assert [turn.token_ids for turn in together] == [turn.token_ids for turn in alone]


def test_an_image_mismatch_is_an_error(policy):
    broken = Request(REQUESTS[0].messages, [])
    with pytest.raises(ModelError, match="placeholders"):
        policy.generate([broken], Sampling())


def test_nothing_to_do(policy):
    assert policy.generate([], Sampling()) == []


def test_nucleus_keeps_the_smallest_set():
    logprobs = torch.tensor([[0.5, 0.1, 0.3, 0.1]]).log()
    kept = torch.isfinite(nucleus(logprobs, 0.7))
    assert kept.tolist() == [[True, False, True, False]]
    assert torch.isfinite(nucleus(logprobs, 1e-6)).sum() == 1


def test_a_folder_without_weights(policy, tiny_folder, tmp_path):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "processor_config.json"):
        (tmp_path / name).write_bytes((tiny_folder / name).read_bytes())
    with pytest.raises(ModelError, match=str(tmp_path)):
        LocalPolicy.load(tmp_path, device="cpu")


def test_damaged_weights_are_one_line(policy, tiny_folder, tmp_path):
    copy_folder(tiny_folder, tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded") as told:
        LocalPolicy.load(tmp_path, device="cpu")
    assert "\n" not in str(told.value)


def test_weights_that_lack_a_tensor_are_refused_not_filled_with_noise(
    policy, tiny_folder, tmp_path
):
    copy_folder(tiny_folder, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    gone = next(name for name in tensors if "q_proj" in name)
    del tensors[gone]
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="lack 1 of the model's tensors"):
        LocalPolicy.load(tmp_path, device="cpu")


def copy_folder(source, target):
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


def test_a_stock_checkpoint_gets_a_profile_that_explains_the_tools(tiny_folder, tmp_path):
    for path in tiny_folder.iterdir():
        if path.name != "pixelis.json":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    policy = load_policy(f"hf:{tmp_path}", device="cpu")
    assert policy.profile.tools_in_prompt
    assert policy.profile.budget == policy.processor.budget
    assert "0 to 1000" in policy.profile.system


def test_episodes_with_a_real_model_keep_their_exact_tokens(policy):
    picture = Picture(REQUESTS[0].images[0], "noise", "00")
    tasks = [Task(picture, f"What is it {n}?", seed=n) for n in range(3)]
    with Agent(policy, Registry(), Budget(steps=3), sampling=SAMPLED) as agent:
        rollouts = agent.rollouts(tasks)
        again = agent.rollouts(tasks[1:2])
    for rollout in rollouts:
        assert rollout.episode.ended != "failed", rollout.episode.meta
        batch = policy.processor.encode([rollout.messages], [rollout.images])
        sampled = [token for turn in rollout.turns for token in turn.token_ids]
        assert batch.input_ids[0][batch.written[0]].tolist() == sampled
    assert again[0].turns[0].token_ids == rollouts[1].turns[0].token_ids


@pytest.mark.parametrize(
    ("name", "model_type", "dialect"),
    [
        ("my-finetune", "qwen2_5_vl", "qwen2.5-vl"),
        ("my-finetune", "qwen3_vl", "qwen3-vl"),
        ("Mini-o3-7B-v1", "qwen2_5_vl", "mini-o3"),
    ],
)
def test_a_checkpoint_without_a_profile_speaks_as_its_family(processor, name, model_type, dialect):
    profile = default_profile(processor, name, model_type)
    assert (profile.dialect, profile.name) == (dialect, name)
    assert profile.system == get_dialect(dialect).system
    assert profile.tools_in_prompt
