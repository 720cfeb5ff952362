"""Which part of the goals is measured how, and what is kept about the circumstances."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pixelis.errors import ConfigError
from pixelis.evals.provenance import commit
from pixelis.evals.wheeler.agent import agent_figures
from pixelis.evals.wheeler.capacity import capacity_figures
from pixelis.evals.wheeler.curve import curve_figures
from pixelis.evals.wheeler.figures import Figure
from pixelis.evals.wheeler.reading import occlusion_figures, reading_figures
from pixelis.evals.wheeler.recall import novelty_figures, recall_figures
from pixelis.evals.wheeler.speed import speed_figures
from pixelis.evals.wheeler.training import training_figures
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.checkpoint import fingerprint


def figures_of(part: str, model: WheelerTextAutoencoder, run: Path | None) -> Sequence[Figure]:
    """The figures of one part; ConfigError when a training run is needed and not named."""
    if part == "recall":
        return [*recall_figures(model), *recall_figures(model, "words")]
    if part == "novelty":
        return novelty_figures(model)
    if part == "reading":
        return reading_figures(model)
    if part == "occlusion":
        return occlusion_figures(model)
    if part == "capacity":
        return capacity_figures(model)
    if part == "speed":
        return speed_figures()
    if part == "agent":
        return agent_figures(model)
    if run is None:
        raise ConfigError(f"measure {part}: name the folder of a run with --run")
    return training_figures(run) if part == "training" else curve_figures(run)


def about(model: WheelerTextAutoencoder, seconds: float, note: str) -> dict[str, Any]:
    """Where figures come from: model, code, machine, time; `note` tells what else matters."""
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "model": fingerprint(model)[:16],
        "trained on": model.about,
        "commit": commit(),
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "threads": torch.get_num_threads(),
        "load average at the end": None if busy is None else round(busy, 1),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(seconds, 1),
        **({"note": note} if note else {}),
    }
