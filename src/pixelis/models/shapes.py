"""How many numbers each tensor of a known architecture has, by arithmetic on its configuration.

Importing the library that builds the model takes longer than the answer: seconds, for a table of
products. `tests/models/test_shapes.py` holds every count against the built model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Counts = Iterator[tuple[str, int]]
Part = Mapping[str, Any]


def counts(config: dict[str, Any]) -> dict[str, int] | None:
    """Numbers in each tensor, by its name; None for another architecture or a field left out."""
    known = KNOWN.get(str(config.get("model_type")))
    if known is None or not config.get("text_config"):
        return None
    text, vision = config["text_config"], config["vision_config"]
    if not (_sound(text, "num_attention_heads") and _sound(vision, "num_heads")):
        return None
    tied = config.get("tie_word_embeddings")
    if tied is None or tied != text.get("tie_word_embeddings", tied):
        return None
    try:
        found = dict(known(vision)) | dict(_language(text, config["model_type"] == "qwen2_5_vl"))
    except (KeyError, TypeError):
        return None
    if not tied:
        found["lm_head.weight"] = text["vocab_size"] * text["hidden_size"]
    return found


def _sound(part: Part, heads: str) -> bool:
    """Whether sizes are positive whole numbers and heads divide the width; else ask the library."""
    sizes = [part[key] for key in part if key.endswith("_size") or key == heads]
    if any(type(size) is not int or size < 1 for size in sizes):
        return False
    return bool(part.get("hidden_size", 1) % part.get(heads, 1) == 0)


def _language(text: Part, biased: bool) -> Counts:
    """The language model; the older one has biases on q, k and v, the newer norms on q and k."""
    wide, inner = text["hidden_size"], text["intermediate_size"]
    head = text.get("head_dim") if not biased else None
    head = head or wide // text["num_attention_heads"]
    yield "model.language_model.embed_tokens.weight", text["vocab_size"] * wide
    for number in range(text["num_hidden_layers"]):
        at = f"model.language_model.layers.{number}"
        for letter, heads in (
            ("q", text["num_attention_heads"]),
            ("k", text["num_key_value_heads"]),
            ("v", text["num_key_value_heads"]),
        ):
            yield f"{at}.self_attn.{letter}_proj.weight", wide * heads * head
            if biased:
                yield f"{at}.self_attn.{letter}_proj.bias", heads * head
        yield f"{at}.self_attn.o_proj.weight", wide * text["num_attention_heads"] * head
        if not biased:
            yield f"{at}.self_attn.q_norm.weight", head
            yield f"{at}.self_attn.k_norm.weight", head
        for name in ("gate_proj", "up_proj", "down_proj"):
            yield f"{at}.mlp.{name}.weight", wide * inner
        yield f"{at}.input_layernorm.weight", wide
        yield f"{at}.post_attention_layernorm.weight", wide
    yield "model.language_model.norm.weight", wide


def _linear(name: str, into: int, out: int) -> Counts:
    yield f"{name}.weight", into * out
    yield f"{name}.bias", out


def _patches(vision: Part) -> int:
    """Numbers in one patch of the picture, over the frames it spans."""
    return int(vision.get("in_channels", 3) * vision["temporal_patch_size"]) * int(
        vision["patch_size"] ** 2
    )


def _tower_25(vision: Part) -> Counts:
    wide, inner = vision["hidden_size"], vision["intermediate_size"]
    yield "model.visual.patch_embed.proj.weight", _patches(vision) * wide
    for number in range(vision["depth"]):
        at = f"model.visual.blocks.{number}"
        yield f"{at}.norm1.weight", wide
        yield f"{at}.norm2.weight", wide
        yield from _linear(f"{at}.attn.qkv", wide, 3 * wide)
        yield from _linear(f"{at}.attn.proj", wide, wide)
        yield from _linear(f"{at}.mlp.gate_proj", wide, inner)
        yield from _linear(f"{at}.mlp.up_proj", wide, inner)
        yield from _linear(f"{at}.mlp.down_proj", inner, wide)
    merged = wide * vision["spatial_merge_size"] ** 2
    yield "model.visual.merger.ln_q.weight", wide
    yield from _linear("model.visual.merger.mlp.0", merged, merged)
    yield from _linear("model.visual.merger.mlp.2", merged, vision["out_hidden_size"])


def _norm(name: str, wide: int) -> Counts:
    yield f"{name}.weight", wide
    yield f"{name}.bias", wide


def _tower_3(vision: Part) -> Counts:
    wide, inner = vision["hidden_size"], vision["intermediate_size"]
    yield from _linear("model.visual.patch_embed.proj", _patches(vision), wide)
    yield "model.visual.pos_embed.weight", vision["num_position_embeddings"] * wide
    for number in range(vision["depth"]):
        at = f"model.visual.blocks.{number}"
        yield from _norm(f"{at}.norm1", wide)
        yield from _norm(f"{at}.norm2", wide)
        yield from _linear(f"{at}.attn.qkv", wide, 3 * wide)
        yield from _linear(f"{at}.attn.proj", wide, wide)
        yield from _linear(f"{at}.mlp.linear_fc1", wide, inner)
        yield from _linear(f"{at}.mlp.linear_fc2", inner, wide)
    merged = wide * vision["spatial_merge_size"] ** 2
    levels = [f"deepstack_merger_list.{k}" for k in range(len(vision["deepstack_visual_indexes"]))]
    for name in ("merger", *levels):
        at = f"model.visual.{name}"
        yield from _norm(f"{at}.norm", wide if name == "merger" else merged)
        yield from _linear(f"{at}.linear_fc1", merged, merged)
        yield from _linear(f"{at}.linear_fc2", merged, vision["out_hidden_size"])


KNOWN: dict[str, Callable[[Part], Counts]] = {"qwen2_5_vl": _tower_25, "qwen3_vl": _tower_3}
