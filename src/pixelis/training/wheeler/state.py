"""Checkpoints of a run: weights to load anywhere, and all that an exact resume needs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pixelis.errors import CheckpointError, ModelError
from pixelis.wheeler.checkpoint import load_weights, read_training, weights_of
from pixelis.wheeler.tokens import read_tokenizer

if TYPE_CHECKING:
    from pixelis.training.wheeler.run import Run


def save(run: Run, path: Path, whole: bool = True) -> None:
    """Writes a checkpoint and replaces the older one at once; `whole` includes the optimizer."""
    record = {
        "shape": run.model.shape.model_dump(),
        "about": {**run.about, "steps": run.step},
        "vigilance": run.model.vigilance,
        "strictness": run.model.strictness,
    }
    state: dict[str, Any] = {
        "record": json.dumps(record),
        "tokenizer": run.model.tokenizer.to_str(),
        "model": weights_of(run.model),
        "step": run.step,
        "best": run.best,
    }
    if whole:
        state |= {"optimizer": run.optimizer.state_dict(), "scaler": run.scaler.state_dict()}
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def load(run: Run, path: Path) -> None:
    """Goes on where a checkpoint ended; CheckpointError when it belongs to other settings."""
    state = read_training(path)
    if "optimizer" not in state:
        raise CheckpointError(f"{path} holds weights alone; resume from last.pt")
    record = json.loads(state["record"])
    mine = run.model.shape.model_dump()
    differ = [name for name, value in record["shape"].items() if mine.get(name) != value]
    if differ:
        told = ", ".join(f"{k} {record['shape'][k]} against {mine.get(k)}" for k in differ)
        raise CheckpointError(f"{path} has other sizes ({told}); give those or another folder")
    corpus = record["about"].get("corpus")
    if corpus != run.source.name:
        raise CheckpointError(
            f"{path} was trained on {corpus}, this run reads {run.source.name}; never mix corpora"
        )
    try:
        load_weights(run.model, state["model"], path)
    except ModelError as error:
        raise CheckpointError(str(error)) from error
    run.model.tokenizer = read_tokenizer(state["tokenizer"], path)
    run.optimizer.load_state_dict(state["optimizer"])
    run.scaler.load_state_dict(state["scaler"])
    run.step, run.best = int(state["step"]), float(state["best"])
