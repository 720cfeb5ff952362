"""nano: a Qwen3-VL small enough for a CPU; its configuration and its first weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration

from pixelis.models.tokenizer import number_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEM = "Look, then answer."
SIDE_PX = 256
TEXT_LIMIT = 60  # letters of read text quoted to nano; it answers by reference
PATCH_PX = 16
MERGE = 2


def nano_config(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLConfig:
    """The configuration; about 4.4 M parameters with a vocabulary of 3,700."""
    ids = tokenizer.convert_tokens_to_ids
    text = {
        "vocab_size": math.ceil(len(tokenizer) / 64) * 64,
        "hidden_size": 192,
        "intermediate_size": 512,
        "num_hidden_layers": 6,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": 4096,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [8, 4, 4],
            "mrope_interleaved": True,
        },
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "tie_word_embeddings": True,
    }
    vision = {
        "depth": 4,
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_heads": 4,
        "patch_size": PATCH_PX,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 1,
        "out_hidden_size": 192,
        "num_position_embeddings": 256,
        "deepstack_visual_indexes": [1],
    }
    return Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )


def new_nano(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> Qwen3VLForConditionalGeneration:
    """A nano with fresh weights.

    Three starts differ from the library's. The vision position table is sinusoidal at std 0.5: at
    the default 0.02 it drowns beside the patch embedding, and the tower does not find out where
    things are. Number embeddings are smooth in the number, so that neighbours look alike. And
    attention may be sharp from the start: queries and keys are normalised, so that with 32
    dimensions no logit can exceed 5.7, too little to single out one image token among 200.
    """
    torch.manual_seed(seed)
    model = Qwen3VLForConditionalGeneration(nano_config(tokenizer))
    _sharpen_attention(model)
    _smooth_positions(model.model.visual.pos_embed)
    _smooth_numbers(model.model.language_model.embed_tokens, number_ids(tokenizer))
    return model


@torch.no_grad()
def _sharpen_attention(model: Qwen3VLForConditionalGeneration, factor: float = 2.0) -> None:
    for layer in model.model.language_model.layers:
        layer.self_attn.q_norm.weight.mul_(factor)


def _waves(values: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines of values in [0, 1] at doubling frequencies, shape (n, width)."""
    count = width // 2
    frequencies = math.pi * 2 ** torch.linspace(0, 6, count)
    angles = values[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@torch.no_grad()
def _smooth_positions(table: nn.Embedding, std: float = 0.5) -> None:
    side = math.isqrt(table.num_embeddings)
    grid = torch.linspace(0, 1, side)
    ys, xs = torch.meshgrid(grid, grid, indexing="ij")
    half = table.embedding_dim // 2
    waves = torch.cat([_waves(ys.flatten(), half), _waves(xs.flatten(), half)], dim=1)
    table.weight.copy_(waves * std / waves.std())


@torch.no_grad()
def _smooth_numbers(table: nn.Embedding, ids: Sequence[int], std: float = 0.02) -> None:
    waves = _waves(torch.linspace(0, 1, len(ids)), table.embedding_dim)
    table.weight[torch.tensor(ids)] += waves * std / waves.std()
