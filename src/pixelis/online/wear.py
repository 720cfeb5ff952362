"""Putting adapter versions on a policy that is loaded, and taking them off, between requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelis.errors import MissingExtraError, ModelError
from pixelis.models.adapter import CONFIG, put_on, renamed_attributes
from pixelis.online.versions import WEIGHTS


class Wearer:
    """The adapters of one policy whose weights are here.

    Call nothing while the policy writes a turn. Version 0, the model without adapters, is worn
    as adapters that add nothing.

    Attributes:
        number: the version worn now.
    """

    def __init__(self, policy: Any) -> None:
        if not hasattr(policy, "model") or not hasattr(policy.model, "named_modules"):
            raise ModelError(f"{policy.name} runs elsewhere: adapters cannot be put on it")
        self.policy = policy
        self.number = 0
        self.wrapped: Any = None
        self._shape: dict[str, Any] = {}

    def wear(self, folder: Path, number: int) -> None:
        """Puts the adapters of a folder on; ModelError when they do not fit."""
        shape = _shape(folder)
        if self.wrapped is None:
            self.wrapped, self._shape = put_on(self.policy.model, folder), shape
        elif shape != self._shape:
            raise ModelError(f"the adapters of {folder} have another shape; start the service anew")
        else:
            from safetensors.torch import load_file

            self.load(load_file(folder / WEIGHTS))
        self.policy.model.eval()
        self.number = number

    def begin(self, config: Any) -> None:
        """Puts on fresh adapters that add nothing yet, for training; `config` is PEFT's."""
        try:
            from peft import get_peft_model
        except ImportError as error:
            raise MissingExtraError("peft", "train") from error
        with renamed_attributes():
            self.wrapped = get_peft_model(self.policy.model, config)

    def bare(self) -> None:
        """Goes back to version 0."""
        if self.wrapped is not None:
            zeros = {
                name: value.new_zeros(value.shape) if "lora_B" in name else value
                for name, value in self.state().items()
            }
            self.load(zeros)
        self.number = 0

    def state(self) -> dict[str, Any]:
        """Weights of the adapters by PEFT's names, copies."""
        from peft import get_peft_model_state_dict

        found = get_peft_model_state_dict(self.wrapped, save_embedding_layers=False)
        return {name: value.detach().clone() for name, value in found.items()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Puts weights of `state()` back; ModelError when any does not fit."""
        from peft import set_peft_model_state_dict

        try:
            done: Any = set_peft_model_state_dict(self.wrapped, dict(state))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"the adapters do not fit: {reason}") from error
        if done.unexpected_keys:
            raise ModelError(f"the adapters do not fit: {done.unexpected_keys[0]}")


def _shape(folder: Path) -> dict[str, Any]:
    """What must be equal for weights to be swapped in place."""
    try:
        config = json.loads((folder / CONFIG).read_bytes())
        names = ("r", "lora_alpha", "rank_pattern", "alpha_pattern")
        return {
            **{name: config.get(name) for name in names},
            "target_modules": sorted(config["target_modules"]),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / CONFIG} cannot be read ({error})") from error
