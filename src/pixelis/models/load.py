"""Policies by name: `load_policy("nano")`, `load_policy("openai:http://127.0.0.1:8000/v1")`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from pixelis.errors import ConfigError, ModelError
from pixelis.models.pixels import wanted, with_pixels
from pixelis.models.policy import Policy, Profile, read_profile

BUNDLED = ("nano", "nano-direct")
FOLDER, LOADER, SERVER = "hf:", "loader:", "openai:"
FORMS = (
    *BUNDLED,
    "hf:PATH_OR_ID",
    "loader:package.module:function",
    "openai:BASE_URL#MODEL",
)


def load_policy(spec: str, **options: Any) -> Policy:
    """The policy a specification names.

    Args:
        spec: `nano`, `nano-direct` (both bundled), `hf:PATH_OR_ID` for a checkpoint folder, a
            folder of LoRA adapters or a hub id, `loader:package.module:function`, or
            `openai:BASE_URL#MODEL` for a server.
        **options: for models that run here `device` (`auto`, `cpu`, `cuda`, `mps`), `threads`,
            `quantize` (`int8`, `int4`) and `allow_download` (hub ids; off by default); for all but
            the bundled ones `min_pixels` and `max_pixels` of an image, which else come from
            MIN_PIXELS and MAX_PIXELS, or from the profile.

    Raises:
        ConfigError: the specification is not known; the nearest one is named.
        ModelError: the weights are missing or cannot be loaded, or the server is out of reach.
    """
    asked = {name: options.pop(name, None) for name in ("min_pixels", "max_pixels")}
    if spec in BUNDLED:  # these know images of one size only
        refuse_pixels(spec, asked)
        options.pop("allow_download", None)
        return load_folder(bundled(spec), **options)
    if spec.startswith(FOLDER):
        from pixelis.models.hub import find_checkpoint

        allowed = bool(options.pop("allow_download", False))
        if not spec.removeprefix(FOLDER):
            raise ConfigError(f"model {spec!r} names no checkpoint; give one of {', '.join(FORMS)}")
        folder = find_checkpoint(spec.removeprefix(FOLDER), allowed)
        pixels = wanted(os.environ, **asked)
        return load_folder(folder, allowed, pixels=pixels, **options)
    if spec.startswith(LOADER):
        from pixelis.models.loader import load

        _refuse_quantize(spec, options)
        return load(spec.removeprefix(LOADER), pixels=wanted(os.environ, **asked), **options)
    if spec.startswith(SERVER):
        _refuse_quantize(spec, options)
        return load_server(spec.removeprefix(SERVER), wanted(os.environ, **asked))
    near = get_close_matches(spec, FORMS, 1, 0.5)
    if not near and Path(spec).is_dir():
        near = [FOLDER + spec]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"model {spec!r} is not known; give one of {', '.join(FORMS)}{hint}")


def refuse_pixels(spec: str, asked: Mapping[str, Any]) -> None:
    """ConfigError when limits are asked of a bundled model, which knows images of one size."""
    given = [name.replace("_", "-") for name, value in asked.items() if value is not None]
    if given:
        raise ConfigError(f"--{given[0]} does not suit {spec}, which knows images of one size only")


def _refuse_quantize(spec: str, options: dict[str, Any]) -> None:
    if options.pop("quantize", None):
        kind = "server" if spec.startswith(SERVER) else "loader"
        raise ConfigError(f"--quantize is for checkpoints; the {kind} decides for its own")


def bundled(name: str) -> Path:
    """The folder of a model that comes with the package."""
    return Path(str(files("pixelis.models"))) / "weights" / name


def load_folder(folder: Path, allow_download: bool = False, **options: Any) -> Policy:
    """The policy of a checkpoint folder, with the profile stored in it or a default one.

    A folder of adapter weights (`adapter_config.json`) is put on top of the model it names, which
    is fetched when it is a hub id and `allow_download` is True.
    """
    if not folder.is_dir():
        raise ModelError(
            f"there is no folder {folder}; give a checkpoint folder, or a hub id ORG/NAME"
        )
    from pixelis.models.adapter import is_adapter, load_adapter

    if is_adapter(folder):
        return load_adapter(folder, allow_download, **options)
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no model (no config.json); give a checkpoint folder")
    # torch and transformers take seconds to import: only when a model is really wanted.
    from pixelis.models.local import LocalPolicy

    return LocalPolicy.load(folder, read_profile(folder), **options)


def load_server(text: str, pixels: Mapping[str, int] | None = None) -> Policy:
    """The policy of a model behind a server, with the profile its address names."""
    from pixelis.models.remote import RemotePolicy, read_address

    address = read_address(text)
    profile = _profile(address.profile) if address.profile else None
    policy = RemotePolicy.load(address, profile)
    policy.profile = with_pixels(policy.profile, pixels or {})
    return policy


def _profile(name: str) -> Profile:
    folder = bundled(name) if name in BUNDLED else Path(name)
    profile = read_profile(folder)
    if profile is None:
        raise ConfigError(
            f"openai: profile = {name!r} has no pixelis.json; give {', '.join(BUNDLED)} or a folder"
        )
    return profile
