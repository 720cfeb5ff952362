"""A trained nano as an ordinary Hugging Face folder: bf16 safetensors, processor, profile."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast, Qwen3VLForConditionalGeneration

from pixelis.models.nano import SYSTEM, TEXT_LIMIT
from pixelis.models.policy import Profile, write_profile
from pixelis.models.processor import PixelProcessor
from pixelis.training.pool import BUDGET

NEW_TOKENS = 240  # a list of twenty things


def export(
    model: Qwen3VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    name: str,
) -> Path:
    """Writes the checkpoint; `from_pretrained` and `--model hf:FOLDER` load it.

    The model is rounded to bf16 on disk only; the one passed in is not changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.to("cpu") for k, v in model.state_dict().items() if k != "lm_head.weight"}  # tied
    weights = {k: v.to(torch.bfloat16).contiguous() for k, v in state.items()}
    model.config.dtype = "bfloat16"
    model.save_pretrained(folder, state_dict=weights)
    model.config.dtype = "float32"
    PixelProcessor.build(tokenizer, BUDGET, model.config.vision_config).save_pretrained(folder)
    profile = Profile(
        name, system=SYSTEM, budget=BUDGET, text_limit=TEXT_LIMIT, new_tokens=NEW_TOKENS
    )
    write_profile(folder, profile)
    return folder
