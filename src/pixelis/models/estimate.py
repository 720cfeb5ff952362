"""What a model will need, from its configuration alone: no weights are read or made.

Parameters of known architectures are counted by arithmetic (`shapes`), of others on the model built
on torch's meta device, where nothing is allocated. Peak memory is weights + key-value cache + the
larger of two passes over everything at once:

    cache   = 2 * layers * kv_heads * head_dim * tokens * bytes
    vision  = patches * (4 * width + 2 * intermediate) * bytes      of the largest image
    prefill = tokens * (4 * width + 2 * intermediate) * bytes       of the whole conversation

(queries, keys, values and the residual; the gate and the up projection). Attention is fused and
keeps no square matrix. What allocators and libraries take comes on top.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pixelis.errors import ConfigError, ModelError, reason_of
from pixelis.models import shapes
from pixelis.models.load import BUNDLED, FOLDER, bundled
from pixelis.models.pixels import limited
from pixelis.models.policy import read_profile
from pixelis.models.quantize import KEPT, Quantize
from pixelis.ops.budget import PixelBudget

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
STORED = {"int8": 1.0, "int4": 0.5, "nf4": 0.53}
LARGE = 2e9  # parameters from which a stock checkpoint is given large images
LARGE_PIXELS = (401_408, 4_014_080)
SMALL_PIXELS = (256 * 256, 1024 * 1024)
CONTEXT_SHARE = 0.75  # of the context, for images; the rest is for words

_VISION_25 = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "num_heads": 16,
    "out_hidden_size": 3584,
    "patch_size": 14,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
    "fullatt_block_indexes": [7, 15, 23, 31],
}
_VISION_3 = {
    "depth": 27,
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_heads": 16,
    "out_hidden_size": 4096,
    "patch_size": 16,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
    "num_position_embeddings": 2304,
    "deepstack_visual_indexes": [8, 16, 24],
}
SHAPES: dict[str, dict[str, Any]] = {
    "qwen2.5-vl-7b": {
        "model_type": "qwen2_5_vl",
        "text_config": {
            "vocab_size": 152_064,
            "hidden_size": 3584,
            "intermediate_size": 18_944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "max_position_embeddings": 128_000,
        },
        "vision_config": _VISION_25,
        "tie_word_embeddings": False,
    },
    "qwen3-vl-8b": {
        "model_type": "qwen3_vl",
        "text_config": {
            "vocab_size": 151_936,
            "hidden_size": 4096,
            "intermediate_size": 12_288,
            "num_hidden_layers": 36,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "max_position_embeddings": 262_144,
        },
        "vision_config": _VISION_3,
        "tie_word_embeddings": False,
    },
}


@dataclass(frozen=True)
class Estimate:
    """Bytes and tokens; see the module for how they are reckoned.

    Attributes:
        side_px: image sides are multiples of this; one token shows a square of it.
        image_tokens: of the smallest and the largest image the budget allows.
        tokens: of the conversation reckoned with.
        fits: images of the largest size that the context takes.
    """

    parameters: int
    weights: int
    cache: int
    activations: int
    peak: int
    side_px: int
    image_tokens: tuple[int, int]
    tokens: int
    context: int
    fits: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_config(name: str) -> dict[str, Any]:
    """The configuration of a known shape, or of a folder; ConfigError names what there is."""
    if name in SHAPES:
        return SHAPES[name]
    path = place_of(name)
    path = path / "config.json" if path.is_dir() else path
    if not path.is_file():
        near = get_close_matches(name, (*BUNDLED, *SHAPES), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"{name!r} is no folder with a config.json; shapes are {', '.join(SHAPES)}{hint}"
        )
    config = read_json(path)
    if "vision_config" not in config:
        raise ConfigError(f"{path} describes no vision-language model (no vision_config)")
    return config


def read_json(path: Path) -> dict[str, Any]:
    """The configuration in a file, of a text model too; ConfigError when there is none."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{path} holds no configuration")
    return config


def parameter_counts(config: dict[str, Any]) -> dict[str, int]:
    """How many numbers each tensor of the model has."""
    known = shapes.counts(config)
    if known is not None:
        return known
    return {name: each.numel() for name, each in build_meta(config).named_parameters()}


def read_pixels(name: str) -> tuple[int, int] | None:
    """Fewest and most pixels of an image as the profile beside the weights has them, if it is."""
    profile = None if name in SHAPES else read_profile(place_of(name))
    return None if profile is None else (profile.budget.min_pixels, profile.budget.max_pixels)


def place_of(name: str) -> Path:
    """The folder (or `config.json`) that a name speaks of; a hub id only from the hub's cache."""
    if name in BUNDLED:
        return bundled(name)
    if not name.startswith(FOLDER):
        return Path(name)
    from pixelis.models.hub import find_checkpoint

    place = name.removeprefix(FOLDER)
    try:
        return find_checkpoint(place)
    except ModelError:  # what is not here is told with what there is instead
        return Path(place)


def pixel_range(parameters: float) -> tuple[int, int]:
    """Fewest and most pixels of an image for a stock checkpoint of this many parameters."""
    return LARGE_PIXELS if parameters >= LARGE else SMALL_PIXELS


def image_tokens(pixels: int, side_px: int) -> int:
    return max(1, pixels // side_px**2)


def estimate(
    config: dict[str, Any],
    dtype: str = "bfloat16",
    quantize: Quantize | None = None,
    images: int = 4,
    words: int = 2048,
    pixels: tuple[int, int] | None = None,
    limits: Mapping[str, int] | None = None,
) -> Estimate:
    """What one conversation needs.

    Args:
        config: as in `config.json`.
        dtype: of weights and activations.
        images: of the largest size in the conversation.
        words: tokens of text in it, the system message and all turns.
        pixels: fewest and most of an image; None takes what suits the size of the model.
        limits: `min_pixels` and `max_pixels` to go before these; ConfigError when they cannot be.
    """
    counts, text, vision = _reckoned(config) or _built(config)
    parameters = sum(counts.values())
    side = vision.patch_size * vision.spatial_merge_size
    budget = PixelBudget(*(pixels or pixel_range(parameters)), side)
    budget = limited(budget, limits or {})
    low, high = budget.min_pixels, budget.max_pixels
    largest = image_tokens(high, side)
    tokens = images * largest + words
    size = BYTES[dtype]
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    cache = 2 * text.num_hidden_layers * text.num_key_value_heads * head * tokens * size
    patches = largest * vision.spatial_merge_size**2
    seeing = patches * (4 * vision.hidden_size + 2 * vision.intermediate_size) * size
    reading = tokens * (4 * text.hidden_size + 2 * text.intermediate_size) * size
    weights = weight_size(counts, dtype, quantize)
    context = int(text.max_position_embeddings)
    return Estimate(
        parameters,
        weights,
        cache,
        max(seeing, reading),
        weights + cache + max(seeing, reading),
        side,
        (image_tokens(low, side), largest),
        tokens,
        context,
        int(context * CONTEXT_SHARE) // largest,
    )


def _reckoned(config: dict[str, Any]) -> tuple[dict[str, int], Any, Any] | None:
    """Counts and the two configurations without the library; None where it must be asked."""
    known = shapes.counts(config)
    if known is None or "max_position_embeddings" not in config["text_config"]:
        return None
    return (
        known,
        SimpleNamespace(**config["text_config"]),
        SimpleNamespace(**config["vision_config"]),
    )


def _built(config: dict[str, Any]) -> tuple[dict[str, int], Any, Any]:
    model = build_meta(config)
    counts = {name: each.numel() for name, each in model.named_parameters()}
    return counts, model.config.get_text_config(), model.config.vision_config


def weight_size(counts: dict[str, int], dtype: str, quantize: Quantize | None) -> int:
    """Bytes of the weights; embeddings and what quantising leaves alone keep their type."""
    kept = ("embed", "norm", *KEPT[quantize]) if quantize else ()
    total = 0.0
    for name, count in counts.items():
        whole = not quantize or name.endswith("bias") or any(word in name for word in kept)
        total += count * (BYTES[dtype] if whole else STORED[quantize or "int8"])
    return int(total)


def build_meta(config: dict[str, Any]) -> Any:
    """The model on the meta device: shapes without values."""
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

    known = dict(config)
    try:
        kind = known.pop("model_type")
        made = AutoConfig.for_model(kind, **known)
        seeing = "vision_config" in config
        with torch.device("meta"):
            return (AutoModelForImageTextToText if seeing else AutoModelForCausalLM).from_config(
                made
            )
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RuntimeError,
        StrictDataclassError,
        TypeError,
        ValueError,
    ) as error:  # whatever wrong numbers make the library stumble over
        reason = reason_of(error)
        raise ModelError(f"this configuration makes no model: {reason}") from error
