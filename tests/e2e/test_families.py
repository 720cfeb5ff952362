"""Qwen2.5-VL and Qwen3-VL, tiny and random but saved to disk as their checkpoints are, in the image
sizes of the real ones, and nano: whole episodes, their tokens and their images."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from pixelis.agent import Agent, Budget, Task
from pixelis.models.load import load_policy
from pixelis.models.local import attention_for, dtype_for
from pixelis.models.policy import Request, Sampling

_spec = spec_from_file_location("tiny", Path(__file__).parents[1] / "models" / "conftest.py")
tiny = module_from_spec(_spec)
_spec.loader.exec_module(tiny)

SIZES = [(1280, 960), (900, 1600), (640, 480), (3000, 700)]
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 32768,
}
VISION_25 = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_heads": 2,
    "patch_size": 14,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
    "window_size": 112,
    "fullatt_block_indexes": [1],
    "out_hidden_size": 64,
    "tokens_per_second": 2,
}
VISION_3 = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_heads": 2,
    "patch_size": 16,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
    "out_hidden_size": 64,
    "num_position_embeddings": 2304,
    "deepstack_visual_indexes": [0],
}


def special(tokenizer) -> dict[str, int]:
    names = ("image_pad", "video_pad", "vision_start", "vision_end")
    ids = (tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in names)
    keys = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    return dict(zip(keys, ids, strict=True))


def qwen25(tokenizer):
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]}
    text = TEXT | {"vocab_size": len(tokenizer), "rope_parameters": rope}
    config = Qwen2_5_VLConfig(text_config=text, vision_config=VISION_25, **special(tokenizer))
    return Qwen2_5_VLForConditionalGeneration(config)


def qwen3(tokenizer):
    rope = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [6, 5, 5]}
    text = TEXT | {"vocab_size": len(tokenizer), "rope_parameters": rope, "head_dim": 32}
    config = Qwen3VLConfig(text_config=text, vision_config=VISION_3, **special(tokenizer))
    return Qwen3VLForConditionalGeneration(config)


FAMILIES = {"qwen2.5": (qwen25, 14), "qwen3": (qwen3, 16)}


@pytest.fixture(scope="module", params=[*FAMILIES, "nano"])
def policy(request, tmp_path_factory):
    """Loaded from a folder with the files that the family's own checkpoints have; and nano."""
    if request.param == "nano":
        return load_policy("nano", device="cpu")
    build, patch = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp("family")
    tokenizer = tiny.build_tokenizer()
    torch.manual_seed(3)
    build(tokenizer).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    images = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "size": {"shortest_edge": 256 * 256, "longest_edge": 1280 * 28 * 28},
        "patch_size": patch,
        "merge_size": 2,
        "temporal_patch_size": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    return load_policy(f"hf:{folder}", device="cpu")


def picture(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return Image.fromarray(pixels).resize((width, height))


class Acting:
    """A policy that zooms twice, then lets the model write; so an episode has three images."""

    def __init__(self, policy) -> None:
        self.policy = policy
        self.profile, self.name = policy.profile, policy.name
        self.requests: list[Request] = []

    def generate(self, requests, sampling):
        self.requests += requests
        turns = self.policy.generate(requests, sampling)
        tokenizer = self.policy.processor.tokenizer
        return [self.lead(r, t, tokenizer) for r, t in zip(requests, turns, strict=True)]

    def lead(self, request, turn, tokenizer):
        done = sum(message["role"] == "assistant" for message in request.messages)
        if done == 2:
            return turn
        box = [[50, 50, 450, 400], [0, 0, 400, 200]][done]  # fits as px and as 1000ths
        call = json.dumps({"name": "zoom_in", "arguments": {"bbox_2d": box}})
        text = f"<tool_call>\n{call}\n</tool_call>"
        ids = tokenizer(text + "<|im_end|>", add_special_tokens=False)["input_ids"]
        return type(turn)(text, tuple(ids))


@pytest.fixture(scope="module")
def played(policy):
    """Episodes with what the policy was shown."""
    acting = Acting(policy)
    tasks = [Task(picture(*size), f"What is it {n}?") for n, size in enumerate(SIZES)]
    budget = Budget(steps=3, new_tokens=12)
    with Agent(acting, budget=budget, sampling=Sampling(1.0, seed=5)) as agent:
        return agent.rollouts(tasks), acting.requests


def tokens(policy, messages, images, tools, prompt=False):
    return policy.processor.encode([messages], [images], tools=[tools], prompt=prompt)


@pytest.mark.slow
def test_episodes_end_and_show_the_real_sizes(policy, played):
    rollouts, _ = played
    multiple = policy.profile.budget.multiple
    assert multiple in (28, 32)
    for rollout, size in zip(rollouts, SIZES, strict=True):
        assert rollout.episode.ended != "failed", rollout.episode.meta
        assert len(rollout.images) == 3
        for image in rollout.images:
            assert image.width % multiple == image.height % multiple == 0
            assert image.width * image.height <= policy.profile.budget.max_pixels
        first = rollout.images[0]
        # nano's images have one size, about which only few aspects fit
        rel = 0.25 if policy.name == "nano" else 0.1
        assert first.width / first.height == pytest.approx(size[0] / size[1], rel=rel)
    largest = max(r.images[0].width * r.images[0].height for r in rollouts)
    assert largest == 256 * 256 if policy.name == "nano" else largest > 900_000


def runs(ids: torch.Tensor, token: int) -> list[int]:
    """Lengths of the runs of a token."""
    edges = torch.diff((ids == token).int(), prepend=torch.zeros(1), append=torch.zeros(1))
    return ((edges == -1).nonzero() - (edges == 1).nonzero())[:, 0].tolist()


@pytest.mark.slow
def test_image_places_are_image_features_after_any_truncation(policy, played):
    processor = policy.processor
    merge = processor.image_processor.merge_size**2
    for rollout in played[0]:
        for end in range(2, len(rollout.messages) + 1):
            messages = rollout.messages[:end]
            shown = rollout.images[: sum(str(m).count("'image'") for m in messages)]
            batch = tokens(policy, messages, shown, rollout.tools)
            features = [int(grid.prod()) // merge for grid in batch.image_grid_thw]
            assert len(features) == len(shown)
            assert runs(batch.input_ids[0], processor.image_token_id) == features
        with torch.inference_mode():
            pixels, grid = batch.pixel_values, batch.image_grid_thw
            seen = policy.model.model.get_image_features(pixels, grid).pooler_output
        assert [len(each) for each in seen] == features


@pytest.mark.slow
def test_training_sees_the_very_tokens_of_serving(policy, played):
    rollouts, requests = played
    for rollout in rollouts:
        whole = tokens(policy, rollout.messages, rollout.images, rollout.tools)
        ids = whole.input_ids[0].tolist()
        asked = [r for r in requests if r.messages[1]["content"] == rollout.messages[1]["content"]]
        assert len(asked) == 3
        for request in asked:
            served = tokens(policy, request.messages, request.images, request.tools, prompt=True)
            length = served.input_ids.shape[1]
            assert served.input_ids[0].tolist() == ids[:length]
            patches = len(served.pixel_values)
            assert torch.equal(served.pixel_values, whole.pixel_values[:patches])
        written = [token for turn in rollout.turns for token in turn.token_ids]
        assert whole.input_ids[0][whole.written[0]].tolist() == written


@pytest.mark.slow
def test_a_batch_gives_what_each_gives_alone(policy):
    chats = [[{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}]] * 2
    asked = [Request(c, (picture(*s),)) for c, s in zip(chats, SIZES[1:3], strict=True)]
    few = Sampling(max_new_tokens=6)
    alone = [policy.generate([each], few)[0].text for each in asked]
    assert [turn.text for turn in policy.generate(asked, few)] == alone


def test_dtype_and_attention_by_device():
    assert (dtype_for("cpu"), attention_for("cpu")) == (torch.float32, "sdpa")
    assert attention_for("mps") == "sdpa"
    assert dtype_for("mps") == torch.float16
