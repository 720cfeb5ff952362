"""Weights on disk: a folder of safetensors, and the `.pt` files of training. No pickled code."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from tokenizers import Tokenizer
from torch import Tensor

from pixelis.errors import CheckpointError, ModelError
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.shape import Shape
from pixelis.wheeler.tokens import load_tokenizer, read_tokenizer

WEIGHTS, TOKENIZER, ABOUT = "model.safetensors", "tokenizer.json", "wheeler.json"
BUNDLED = ("small",)
UNSAFE = torch.serialization.pickle.UnpicklingError  # type: ignore[attr-defined]


def save(model: WheelerTextAutoencoder, folder: Path, about: dict[str, Any], half: bool) -> Path:
    """Writes a model folder; `half` stores weights in 16 bits, which loading turns back into 32.

    `about` says where the weights come from (corpus, steps, figures); it is kept as it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = torch.float16 if half else torch.float32
    weights = {name: value.to(kind).contiguous() for name, value in weights_of(model).items()}
    (folder / WEIGHTS).write_bytes(serialise(weights))  # save_file would hide it from other users
    model.tokenizer.save(str(folder / TOKENIZER))
    record = {
        "shape": model.shape.model_dump(),
        "vigilance": model.vigilance,
        "strictness": model.strictness,
        "about": about,
    }
    (folder / ABOUT).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return folder


def load(path: str | Path, device: str | torch.device = "cpu") -> WheelerTextAutoencoder:
    """The model of a folder, of a training `.pt` file, or a bundled one by name (`small`).

    ModelError says what is missing or does not fit.
    """
    place = bundled(str(path)) if str(path) in BUNDLED else Path(path)
    if place.suffix == ".pt":
        return _load_training(place).to(device)
    if not (place / WEIGHTS).is_file():
        raise ModelError(
            f"{place} holds no {WEIGHTS}; give a folder that training wrote, a .pt file, "
            f"or {' or '.join(BUNDLED)}"
        )
    record = _record(place / ABOUT)
    try:
        weights = load_file(place / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{place / WEIGHTS} is broken: {error}") from error
    return build(record, load_tokenizer(place / TOKENIZER), weights, place).to(device)


def bundled(name: str) -> Path:
    """The folder of a model that ships with the package."""
    return Path(__file__).parent / "weights" / name


def build(
    record: dict[str, Any], tokenizer: Tokenizer, weights: dict[str, Tensor], place: Path
) -> WheelerTextAutoencoder:
    """A model from its parts; ModelError when they do not fit each other."""
    try:
        shape = Shape(**record["shape"])
    except (ValidationError, KeyError, TypeError) as error:
        raise ModelError(f"{place}: its sizes are not Wheeler's ({error})") from error
    model = WheelerTextAutoencoder(shape, tokenizer)
    if not all(isinstance(value, Tensor) for value in weights.values()):
        raise ModelError(f"{place} holds weights that are no tensors")
    load_weights(model, {name: value.float() for name, value in weights.items()}, place)
    try:
        model.vigilance = float(record.get("vigilance", 0.0))
        model.strictness = float(record.get("strictness", -1.0))
        model.about = dict(record.get("about", {}))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{place}: its description is broken ({error})") from error
    return model.eval()


def weights_of(model: WheelerTextAutoencoder) -> dict[str, Tensor]:
    """The weights by name; the token table, which encoder and decoder share, once."""
    state = model.state_dict()
    return {name: value for name, value in state.items() if name != "decoder.embed.weight"}


def load_weights(model: WheelerTextAutoencoder, weights: dict[str, Tensor], place: Path) -> None:
    """Puts weights into a model; ModelError names the first that is missing, odd or of other size.

    Names may carry the prefix that compiled modules get.
    """
    weights = {name.replace("_orig_mod.", ""): value for name, value in weights.items()}
    wanted = weights_of(model)
    for name in [*wanted.keys(), *weights.keys()]:
        if name not in weights or name not in wanted or wanted[name].shape != weights[name].shape:
            raise ModelError(f"{place} does not fit its own sizes: {name} is missing or differs")
    model.load_state_dict({**weights, "decoder.embed.weight": weights["encoder.embed.weight"]})


def read_training(path: Path) -> dict[str, Any]:
    """The parts of a training `.pt` file; CheckpointError when it is none.

    Only tensors and plain values are read: a file that wants to run code is refused.
    """
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path} is no checkpoint of Wheeler; give one that training wrote")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        missing = {"record", "tokenizer", "model", "step"} - set(state)
    except UNSAFE as error:
        raise CheckpointError(
            f"{path} holds more than tensors and plain values, which could run code; it is not read"
        ) from error
    except (OSError, RuntimeError, TypeError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of Wheeler: {str(error).splitlines()[0]}"
        ) from error
    if missing:
        raise CheckpointError(f"{path} is no checkpoint of Wheeler: {min(missing)} is missing")
    return state


def _load_training(path: Path) -> WheelerTextAutoencoder:
    state = read_training(path)
    try:
        record = json.loads(state["record"])
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is no checkpoint of Wheeler: {error}") from error
    return build(record, read_tokenizer(state["tokenizer"], path), state["model"], path)


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    if not isinstance(record, dict):
        raise ModelError(f"{path} is no description of a model")
    return record


def fingerprint(model: WheelerTextAutoencoder) -> str:
    """Hash of sizes and weights: frames of two models with one fingerprint mean the same."""
    digest = hashlib.sha256(model.shape.model_dump_json().encode())
    for name, value in sorted(weights_of(model).items()):
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
