"""Folders of LoRA adapters as policies: their model is loaded, then they are put on."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.errors import MissingExtraError, ModelError, reason_of
from pixelis.models.policy import read_profile

if TYPE_CHECKING:
    from pixelis.models.local import LocalPolicy

CONFIG = "adapter_config.json"
BASE = "base_model_name_or_path"


def is_adapter(folder: Path) -> bool:
    """Whether the folder holds adapters and no model of its own."""
    return (folder / CONFIG).is_file() and not (folder / "config.json").is_file()


def base_of(folder: Path, allow_download: bool = False) -> Path:
    """The folder of the model that adapters belong to.

    Their configuration names it: a bundled model, a folder (a relative one lies beside the
    adapters or in the working directory), or a hub id, which is fetched only when that is allowed.
    ModelError when it is not here.
    """
    from pixelis.models.hub import find_checkpoint
    from pixelis.models.load import BUNDLED, bundled

    try:
        named = json.loads((folder / CONFIG).read_text(encoding="utf-8"))[BASE]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / CONFIG} names no model ({error})") from error
    if not isinstance(named, str) or not named:
        raise ModelError(f"{folder / CONFIG}: {BASE} is {named!r}; name a model folder")
    if named in BUNDLED:
        return bundled(named)
    beside = folder / named
    found = beside if beside.is_dir() else find_checkpoint(named, allow_download)
    if not (found / "config.json").is_file():
        raise ModelError(
            f"{folder} holds adapters for {named}, which is not there; put its folder there or "
            f"name another in {CONFIG}"
        )
    return found


def load_adapter(folder: Path, allow_download: bool = False, **options: Any) -> LocalPolicy:
    """The policy of the adapters' model with the adapters on it, unmerged.

    The profile is the adapters' own, or that of their model. MissingExtraError without PEFT.
    """
    from pixelis.models.local import LocalPolicy

    base = base_of(folder, allow_download)
    profile = read_profile(folder) or read_profile(base)
    policy = LocalPolicy.load(base, profile, **options)
    put_on(policy.model, folder)
    policy.model.eval()
    return policy


def put_on(model: Any, folder: Path) -> Any:
    """Puts adapters into the layers of the model itself; gives PEFT's wrapper around it.

    Raises ModelError when they do not fit.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtraError("peft", "train") from error
    try:
        with renamed_attributes():
            return PeftModel.from_pretrained(model, folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = reason_of(error)
        raise ModelError(f"the adapters of {folder} do not fit their model: {reason}") from error


@contextmanager
def renamed_attributes() -> Iterator[None]:
    """No warning that PEFT 0.21 asks models of transformers 5.23 by a name that has changed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is", FutureWarning)
        yield
