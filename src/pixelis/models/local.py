"""A transformers checkpoint in a local folder as a policy: many turns in one padded generate.

A checkpoint without a vision tower is one, too: it sees only the text of observations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
)
from transformers.utils import is_flash_attn_2_available
from transformers.utils import logging as transformers_logging

from pixelis.errors import ConfigError, ModelError, reason_of
from pixelis.models.dialects import get_dialect
from pixelis.models.dialects.pick import dialect_of
from pixelis.models.estimate import (
    CONTEXT_SHARE,
    parameter_counts,
    pixel_range,
    read_json,
    weight_size,
)
from pixelis.models.memory import free_bytes
from pixelis.models.pixels import with_pixels
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.models.processor import PixelProcessor
from pixelis.models.quantize import Quantize, check, quantization
from pixelis.models.template import END
from pixelis.models.text import OURS_ALONE, TextProcessor, sees, text_profile

WORTH_RECKONING = 1_000_000_000  # bytes of weights


class LocalPolicy:
    """A model of the Qwen family and its processor.

    Args:
        model: Qwen2.5-VL or Qwen3-VL for conditional generation, or a text model.
        processor: takes over the profile's pixel budget.
        profile: how the checkpoint wants to be spoken to.
    """

    def __init__(
        self, model: PreTrainedModel, processor: PixelProcessor | TextProcessor, profile: Profile
    ) -> None:
        self.model = model.eval()
        self.processor = processor
        if profile.image_tokens is None and sees(model.config):
            context = int(model.config.get_text_config().max_position_embeddings)
            profile = replace(profile, image_tokens=int(context * CONTEXT_SHARE))
        self.profile = profile
        processor.set_budget(profile.budget)
        tokenizer = processor.tokenizer
        self._closing = _closing_ids(tokenizer)
        self._banned = _banned_ids(tokenizer, self._closing)
        # Defaults saved with a checkpoint (temperature, penalties) must not leak into ours.
        model.generation_config = GenerationConfig(
            eos_token_id=sorted(self._closing), pad_token_id=tokenizer.pad_token_id
        )

    @classmethod
    def load(
        cls,
        folder: Path,
        profile: Profile | None = None,
        device: str = "auto",
        threads: int | None = None,
        quantize: str | None = None,
        pixels: Mapping[str, int] | None = None,
    ) -> LocalPolicy:
        """The policy of a local checkpoint folder; nothing is downloaded.

        Args:
            folder: safetensors weights with their config and tokenizer.
            profile: None takes a default that fits stock checkpoints.
            device: `cpu`, `cuda`, or `auto` for the GPU when there is one.
            threads: CPU threads of this process, None leaves them.
            quantize: `int8` or `int4` weights; None keeps them whole.
            pixels: `min_pixels` and `max_pixels` to use in place of the profile's.

        Raises:
            ModelError: the folder cannot be loaded, or its weights do not fit into the memory.
        """
        wanted = check(quantize)
        if threads is not None:
            torch.set_num_threads(threads)
        device = choose_device(device)
        seeing = sees(_config(folder))
        processor = (PixelProcessor if seeing else TextProcessor).load(folder)
        kind = AutoModelForImageTextToText if seeing else AutoModelForCausalLM
        check_memory(folder, device, wanted)
        options = _quantized(wanted, device) if wanted else {}
        transformers_logging.disable_progress_bar()
        try:
            model, found = kind.from_pretrained(
                folder,
                dtype=dtype_for(device),
                attn_implementation=attention_for(device),
                output_loading_info=True,
                **OURS_ALONE,
                **options,
            )
        except (OSError, ValueError, RuntimeError, SafetensorError, StrictDataclassError) as error:
            reason = reason_of(error)
            raise ModelError(f"{folder} cannot be loaded: {reason}") from error
        if missing := sorted(found["missing_keys"]):
            # transformers would fill them with random numbers and go on
            raise ModelError(
                f"{folder}: its weights lack {len(missing)} of the model's tensors, such as "
                f"{missing[0]}; give a complete checkpoint"
            )
        profile = profile or default_profile(
            processor,
            folder.resolve().name,
            str(model.config.model_type),
            sum(each.numel() for each in model.parameters()),
        )
        return cls(model.to(device), processor, with_pixels(profile, pixels or {}))

    @property
    def name(self) -> str:
        return self.profile.name

    @torch.inference_mode()
    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        """One turn for each request, in order; image tokens are never written.

        With the same `sampling.seed` and `Request.seed` a turn is drawn from the same random
        numbers whatever else is in the batch. A conversation that leaves no room in the model's
        context gets an empty turn that ended by `length`. Raises ModelError when images and
        placeholders differ in number.
        """
        if not requests:
            return []
        batch = self.processor.encode(
            [request.messages for request in requests],
            [request.images for request in requests],
            tools=[request.tools for request in requests],
            prompt=True,
            side="left",
        ).to(self.model.device)
        length = batch.input_ids.shape[1]
        most = sampling.max_new_tokens or self.profile.new_tokens
        room = self._context - length
        if room < most and len(requests) > 1:
            return self._apart(requests, sampling, batch.attention_mask.sum(1) + most)
        if room < 1:
            return [Turn("", ended="length")]
        chooser = Chooser(requests, sampling, self._banned)
        output = self.model.generate(
            **batch.inputs(),
            do_sample=False,
            max_new_tokens=min(most, room),
            logits_processor=LogitsProcessorList([chooser]),
        )
        logprobs = torch.stack(chooser.logprobs, 1).cpu()
        rows = zip(output[:, length:].tolist(), logprobs.tolist(), strict=True)
        return [self._turn(ids, row) for ids, row in rows]

    @property
    def _context(self) -> int:
        """Most tokens of prompt and turn together."""
        return int(self.model.config.get_text_config().max_position_embeddings)

    def _apart(
        self, requests: Sequence[Request], sampling: Sampling, ends: torch.Tensor
    ) -> list[Turn]:
        """Turns where a long conversation leaves the others their room: each such is served alone.

        Args:
            ends: tokens of each conversation with the longest turn it may get.
        """
        fits = [end <= self._context for end in ends.tolist()]
        together = [request for request, fit in zip(requests, fits, strict=True) if fit]
        served = iter(self.generate(together, sampling))
        return [
            next(served) if fit else self.generate([request], sampling)[0]
            for request, fit in zip(requests, fits, strict=True)
        ]

    def _turn(self, ids: Sequence[int], logprobs: Sequence[float]) -> Turn:
        """The turn up to and including its closing token; what follows is padding."""
        end = next((i + 1 for i, token in enumerate(ids) if token in self._closing), None)
        ids, logprobs = tuple(ids[:end]), tuple(logprobs[:end])
        words = ids if end is None else ids[:-1]
        return Turn(
            text=self.processor.tokenizer.decode(words, skip_special_tokens=False),
            token_ids=ids,
            logprobs=logprobs,
            confidence=sum(map(math.exp, logprobs)) / len(logprobs),
            ended="length" if end is None else "stop",
        )


class Chooser(LogitsProcessor):
    """Chooses each row's next token and keeps its log probability.

    Sampling is done here by the Gumbel-max trick (the largest of logits plus Gumbel noise is a
    draw from their softmax), with one generator per row, so that a row's draw does not depend on
    its neighbours; `generate` then only takes the largest score.
    """

    def __init__(
        self, requests: Sequence[Request], sampling: Sampling, banned: Sequence[int]
    ) -> None:
        self.sampling = sampling
        self.banned = list(banned)
        self.logprobs: list[torch.Tensor] = []
        self.generators = [
            torch.Generator().manual_seed(sampling.seed_of(request) % 2**63) for request in requests
        ]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores (batch, vocabulary) whose largest entry is the chosen token.

        What is kept are the model's own log probabilities, before banned tokens are taken out:
        trainers work them out again from the model alone, and a ratio needs both alike.
        """
        scores = scores.float() / (self.sampling.temperature or 1.0)
        own = scores.log_softmax(-1)
        scores[:, self.banned] = -torch.inf
        if self.sampling.temperature > 0:
            logprobs = scores.log_softmax(-1)
            noise = [
                -torch.empty(scores.shape[1]).exponential_(generator=generator).log()
                for generator in self.generators
            ]
            scores = nucleus(logprobs, self.sampling.top_p) + torch.stack(noise).to(scores.device)
        chosen = scores.argmax(-1, keepdim=True)
        self.logprobs.append(own.gather(1, chosen)[:, 0])
        return scores


def nucleus(logprobs: torch.Tensor, top_p: float) -> torch.Tensor:
    """`logprobs` (batch, vocabulary) with all but the smallest set that sums to `top_p` at -inf."""
    if top_p >= 1:
        return logprobs
    ordered, index = logprobs.sort(-1, descending=True)
    before = ordered.exp().cumsum(-1) - ordered.exp()
    cut = torch.zeros_like(before, dtype=torch.bool).scatter(1, index, before >= top_p)
    return logprobs.masked_fill(cut, -torch.inf)


def choose_device(device: str) -> str:
    """`auto` made `cuda` where there is a GPU (ROCm answers to that name too), else `cpu`.

    ConfigError for a device that is not there.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind = device.partition(":")[0]
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(kind, False):
        here = ", ".join(name for name, found in there.items() if found)
        raise ConfigError(f"device {device!r} is not here; devices are {here}")
    return device


def dtype_for(device: str) -> torch.dtype:
    """What a device computes well with: bf16 on a GPU that has it, float32 on a CPU.

    bf16 is slow and coarse on most CPUs; weights on disk may be bf16 all the same.
    """
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.float16 if device.startswith("mps") else torch.float32


def attention_for(device: str) -> str:
    """FlashAttention on a GPU where it is installed, else PyTorch's own fused attention."""
    fast = device.startswith("cuda") and is_flash_attn_2_available()
    return "flash_attention_2" if fast else "sdpa"


def _config(folder: Path) -> Any:
    """The configuration in a folder; ModelError when it cannot be read."""
    try:
        return AutoConfig.from_pretrained(folder, **OURS_ALONE)
    except (OSError, ValueError, KeyError, TypeError, StrictDataclassError) as error:
        reason = reason_of(error)
        if "trust_remote_code" in str(error):
            reason = "it brings code of its own (auto_map), which is not run"
        raise ModelError(f"{folder} has no usable configuration: {reason}") from error


def _quantized(quantize: Quantize, device: str) -> dict[str, Any]:
    """Loading options; on a GPU weights are quantised there, as its 4-bit layout demands."""
    options: dict[str, Any] = {"quantization_config": quantization(quantize, device)}
    return options if device == "cpu" else options | {"device_map": {"": device}}


def check_memory(folder: Path, device: str, quantize: Quantize | None) -> None:
    """ModelError when the weights in `folder` need more than the device has left.

    Small checkpoints are not looked at: reckoning would take longer than loading them.
    """
    if sum(path.stat().st_size for path in folder.glob("*.safetensors")) < WORTH_RECKONING:
        return
    left = free_bytes(device)
    dtype = str(dtype_for(device)).removeprefix("torch.")
    # Four bits are packed on a GPU only; see `quantization`.
    stored: Quantize | None = "int8" if quantize and device == "cpu" else quantize
    needed = weight_size(parameter_counts(read_json(folder / "config.json")), dtype, stored)
    if left is not None and needed > left:
        fewer = "" if quantize else "--quantize int8, "
        raise ModelError(
            f"{folder} needs {needed / 1e9:.1f} GB for its weights in {quantize or dtype} and "
            f"{device} has {left / 1e9:.1f} GB left; try {fewer}another device or a smaller model"
        )


def default_profile(
    processor: PixelProcessor | TextProcessor, name: str, model_type: str = "", parameters: int = 0
) -> Profile:
    """A profile for a checkpoint that has none beside its weights; its name picks the dialect."""
    if isinstance(processor, TextProcessor):
        return text_profile(name)
    low, high = pixel_range(parameters)
    budget = replace(processor.budget, min_pixels=low, max_pixels=high)
    dialect = get_dialect(dialect_of(name, model_type))
    return Profile(name, dialect.name, dialect.system, tools_in_prompt=True, budget=budget)


def _closing_ids(tokenizer: Any) -> frozenset[int]:
    known = tokenizer.get_vocab()
    names = {END, "<|endoftext|>"} - {tokenizer.pad_token}
    closing = {known[name] for name in names if name in known}
    if END not in known:
        raise ModelError(f"the tokenizer has no {END}; one of the Qwen family is needed")
    return frozenset(closing)


def _banned_ids(tokenizer: Any, closing: frozenset[int]) -> list[int]:
    """Control tokens such as `<|image_pad|>` that a model must never write."""
    added = tokenizer.get_added_vocab()
    control = {i for text, i in added.items() if text.startswith("<|") and text.endswith("|>")}
    return sorted(control - closing)
