"""Policies whose weights are loaded by a function of the user: `loader:package.module:function`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pixelis.errors import ConfigError, ModelError, PixelisError
from pixelis.models.pixels import with_pixels
from pixelis.models.policy import Profile

FORM = "loader:package.module:function"


@dataclass(frozen=True)
class LoaderConfig:
    """What the function is told: `load_model(config) -> (model, tokenizer, processor)`.

    Attributes:
        device: `cpu` or `cuda`; the model is moved there afterwards.
        dtype: `float32` or `bfloat16`, what this device computes well with.
        allow_download: whether the user allowed fetching weights.
    """

    device: str
    dtype: str
    allow_download: bool = False


def find_function(spec: str) -> Any:
    """The function that `package.module:function` names; ConfigError says what is missing."""
    module_name, colon, name = spec.partition(":")
    if not colon or not module_name or not name:
        raise ConfigError(f"loader:{spec} is not complete; write {FORM}")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"loader:{spec}: there is no module {error.name!r}; put its folder on PYTHONPATH"
        ) from error
    except Exception as error:  # named door: the fault is in code that is not ours
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(f"loader:{spec} cannot be imported: {reason[:300]}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise ConfigError(f"loader:{spec}: module {module_name} has no function {name!r}")
    return function


def run_function(spec: str, function: Any, config: LoaderConfig) -> Any:
    """What the user's function gives; ModelError with its name for whatever it raises."""
    try:
        return function(config)
    except PixelisError:
        raise
    except Exception as error:  # named door: the fault is in code that is not ours
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(f"loader:{spec} failed: {reason[:300]}") from error


def check_loaded(spec: str, loaded: Any) -> tuple[Any, Any, Any]:
    """Model, tokenizer and processor; ModelError when the function gave something else."""
    if not isinstance(loaded, tuple | list) or len(loaded) != 3:
        raise ModelError(
            f"loader:{spec} gave {type(loaded).__name__}, not (model, tokenizer, processor)"
        )
    model, tokenizer, processor = loaded
    if not callable(getattr(model, "generate", None)) or not hasattr(model, "config"):
        raise ModelError(
            f"loader:{spec}: its model ({type(model).__name__}) cannot generate; give one of "
            "transformers"
        )
    # A processor may bring one; that of a text model may be one.
    known = (tokenizer, getattr(processor, "tokenizer", None), processor)
    own = next((each for each in known if hasattr(each, "get_vocab")), None)
    if own is None:
        raise ModelError(f"loader:{spec} gave no tokenizer, alone or in its processor")
    return model, own, processor


def load(
    spec: str,
    profile: Profile | None = None,
    device: str = "auto",
    threads: int | None = None,
    allow_download: bool = False,
    pixels: Mapping[str, int] | None = None,
) -> Any:
    """The policy around what the function `spec` loads.

    The processor may be any of the Qwen-VL ones: its image sizes and means are taken over. A model
    without a vision tower sees only the text of observations and needs no processor.
    """
    function = find_function(spec)
    import torch

    from pixelis.models.local import LocalPolicy, choose_device, default_profile, dtype_for
    from pixelis.models.processor import PixelProcessor
    from pixelis.models.text import TextProcessor, sees

    if threads is not None:
        torch.set_num_threads(threads)
    device = choose_device(device)
    dtype = str(dtype_for(device)).removeprefix("torch.")
    config = LoaderConfig(device, dtype, allow_download)
    model, tokenizer, processor = check_loaded(spec, run_function(spec, function, config))
    own: PixelProcessor | TextProcessor
    if sees(model.config):
        own = PixelProcessor.adopt(processor, tokenizer)
    else:
        own = TextProcessor(tokenizer)
    profile = profile or default_profile(
        own,
        spec.rpartition(":")[2],
        str(getattr(model.config, "model_type", "")),
        sum(each.numel() for each in model.parameters()),
    )
    return LocalPolicy(model.to(device), own, with_pixels(profile, pixels or {}))
