"""Policies by name: `load_policy("nano")`, `load_policy("hf:path/to/checkpoint")`."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from pixelis.errors import ConfigError, ModelError
from pixelis.models.policy import Policy, read_profile

BUNDLED = ("nano", "nano-direct")
FOLDER = "hf:"


def load_policy(spec: str, **options: Any) -> Policy:
    """The policy a specification names.

    Args:
        spec: `nano`, `nano-direct` (both bundled), or `hf:PATH` for a local checkpoint folder.
        **options: `device` (`auto`, `cpu`, `cuda`) and `threads` for local checkpoints.

    Raises:
        ConfigError: the specification is not known; the nearest one is named.
        ModelError: the weights are missing or cannot be loaded.
    """
    if spec in BUNDLED:
        return load_folder(Path(str(files("pixelis.models"))) / "weights" / spec, **options)
    if spec.startswith(FOLDER):
        return load_folder(Path(spec.removeprefix(FOLDER)), **options)
    allowed = (*BUNDLED, FOLDER + "PATH")
    near = get_close_matches(spec, allowed, 1, 0.5)
    if not near and Path(spec).is_dir():
        near = [FOLDER + spec]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"model {spec!r} is not known; give one of {', '.join(allowed)}{hint}")


def load_folder(folder: Path, **options: Any) -> Policy:
    """The policy of a checkpoint folder, with the profile stored in it or a default one."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no model (no config.json); give a checkpoint folder")
    # torch and transformers take seconds to import: only when a model is really wanted.
    from pixelis.models.local import LocalPolicy

    return LocalPolicy.load(folder, read_profile(folder), **options)
