"""LoRA for a run: which layers, which ranks, and adapters merged into a model of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pixelis.errors import ConfigError
from pixelis.models.policy import Profile, write_profile
from pixelis.models.processor import PixelProcessor

LANGUAGE = "language_model.layers."
HEADS = ("lm_head",)  # never: the loss multiplies by its weight alone


def linear_layers(model: nn.Module, targets: str = "language") -> dict[str, nn.Linear]:
    """Linear layers by their full name: of the language model's blocks, or of `all` but heads."""
    found = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] not in HEADS
    }
    if targets == "all":
        return found
    return {name: module for name, module in found.items() if LANGUAGE in name}


def lora(
    model: nn.Module,
    rank: int,
    alpha: float | None = None,
    dropout: float = 0.0,
    targets: str = "language",
    ranks: Mapping[str, Any] | None = None,
) -> Any:
    """PEFT's configuration.

    Args:
        rank: of every layer that `ranks` does not name.
        alpha: None takes twice the rank.
        ranks: what `pixelis train ranks` wrote: `rank_pattern` and `alpha_pattern` by pattern.

    Raises:
        ConfigError: `ranks` names layers that this model has not.
    """
    from peft import LoraConfig

    names = sorted(linear_layers(model, targets))
    patterns = _patterns(names, ranks) if ranks is not None else {}
    if patterns:
        names = [name for name in names if _rank(name, patterns) is not None]
    return LoraConfig(
        r=rank,
        lora_alpha=int(alpha or 2 * rank),
        lora_dropout=dropout,
        bias="none",
        target_modules=names,
        **patterns,
    )


def pattern(name: str) -> str:
    """A key for PEFT that only the layer of this full name matches; its keys are regular
    expressions, and the first that fits wins."""
    return re.escape(name)


def read_ranks(path: Path) -> dict[str, Any]:
    """The file that `pixelis train ranks` wrote; ConfigError when it is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(record[name], dict) for name in ("rank_pattern", "alpha_pattern")):
            raise TypeError("rank_pattern and alpha_pattern must be objects")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"ranks = {path}: {error}; give a file of `pixelis train ranks`"
        ) from error
    return record


def learned(
    layers: Mapping[str, nn.Linear], rank: int, ranks: Mapping[str, Any] | None = None
) -> int:
    """Parameters of adapters on these layers: rank × (inputs + outputs) each."""
    total = 0
    for name, layer in layers.items():
        given = rank if ranks is None else _rank(name, ranks) or 0
        total += given * (layer.in_features + layer.out_features)
    return total


def save_adapters(wrapped: Any, folder: Path, base: str, profile: Profile) -> Path:
    """Adapter weights, the name of their model, the profile: `--model hf:FOLDER` loads it."""
    wrapped.peft_config["default"].base_model_name_or_path = base
    wrapped.save_pretrained(folder, save_embedding_layers=False)  # True would ask the hub
    (folder / "README.md").unlink(missing_ok=True)  # a template with blanks to fill in
    write_profile(folder, profile)
    return folder


def save_model(
    model: Any, processor: PixelProcessor, profile: Profile, folder: Path, dtype: torch.dtype
) -> Path:
    """A whole checkpoint in `dtype`; the model passed in is not changed."""
    folder.mkdir(parents=True, exist_ok=True)
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    state = {
        name: value.detach().to("cpu", dtype if value.is_floating_point() else None).contiguous()
        for name, value in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    kept = model.config.dtype
    model.config.dtype = str(dtype).removeprefix("torch.")
    model.save_pretrained(folder, state_dict=state)
    model.config.dtype = kept
    processor.save_pretrained(folder)
    write_profile(folder, profile)
    return folder


def _patterns(names: list[str], ranks: Mapping[str, Any]) -> dict[str, Any]:
    strange = [key for key in ranks["rank_pattern"] if not any(_fits(key, n) for n in names)]
    if strange:
        raise ConfigError(
            f"ranks: {len(strange)} layers are not in this model (or not among its targets), such "
            f"as {strange[0]!r}; measure ranks on the same model"
        )
    return {name: dict(ranks[name]) for name in ("rank_pattern", "alpha_pattern")}


def _rank(name: str, ranks: Mapping[str, Any]) -> int | None:
    """The rank of the first key that fits the name, as PEFT finds it."""
    given = ranks["rank_pattern"].items()
    return next((rank for key, rank in given if _fits(key, name)), None)


def _fits(key: str, name: str) -> bool:
    return re.match(rf"(.*\.)?({key})$", name) is not None
