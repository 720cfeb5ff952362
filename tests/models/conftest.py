"""A tiny randomly initialised Qwen3-VL with its own byte-level tokenizer, built once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLVisionConfig

from pixelis.models.policy import Profile, write_profile
from pixelis.models.processor import PixelProcessor
from pixelis.ops.workspace import PixelBudget

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
CORPUS = [
    '<think>look at the red card</think>\n<tool_call>\n{"name": "zoom_in", "arguments": '
    '{"bbox_2d": [120, 40, 300, 220], "image": 0}}\n</tool_call>',
    "system user assistant What colour is the sign? <tool_response> blue green é ü",
]


def build_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(SPECIAL),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    tokenizer.add_tokens([AddedToken("<tool_call>"), AddedToken("</tool_call>")])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )


VISION = Qwen3VLVisionConfig(
    depth=2,
    hidden_size=32,
    intermediate_size=48,
    num_heads=2,
    patch_size=16,
    spatial_merge_size=2,
    temporal_patch_size=1,
    out_hidden_size=64,
    num_position_embeddings=64,
    deepstack_visual_indexes=[1],
)


def build_model(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLForConditionalGeneration:
    def token(text: str) -> int:
        return tokenizer.convert_tokens_to_ids(text)

    config = Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 32,
            "max_position_embeddings": 2048,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [8, 4, 4],
            },
            "pad_token_id": token("<|endoftext|>"),
        },
        vision_config=VISION.to_dict(),
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    torch.manual_seed(7)
    return Qwen3VLForConditionalGeneration(config).eval()


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer()


@pytest.fixture(scope="session")
def budget() -> PixelBudget:
    return PixelBudget(min_pixels=64 * 64, max_pixels=96 * 96, multiple=32)


@pytest.fixture
def processor(tokenizer: PreTrainedTokenizerFast, budget: PixelBudget) -> PixelProcessor:
    return PixelProcessor.build(tokenizer, budget, VISION)


@pytest.fixture(scope="session")
def tiny_folder(
    tmp_path_factory: pytest.TempPathFactory,
    tokenizer: PreTrainedTokenizerFast,
    budget: PixelBudget,
) -> Path:
    """A checkpoint folder as it would be shipped: bf16 weights, processor, profile."""
    folder = tmp_path_factory.mktemp("tiny")
    build_model(tokenizer).to(torch.bfloat16).save_pretrained(folder)
    PixelProcessor.build(tokenizer, budget, VISION).save_pretrained(folder)
    write_profile(folder, Profile("tiny", system="Look closely.", budget=budget, new_tokens=24))
    return folder
