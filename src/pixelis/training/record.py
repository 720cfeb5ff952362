"""What a run leaves beside its weights: resolved settings, versions, commit, metrics."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel

PACKAGES = (
    "pixelis",
    "torch",
    "transformers",
    "tokenizers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "safetensors",
    "numpy",
    "pillow",
    "opencv-python-headless",
)


def commit() -> str:
    """The git commit of the source checkout, empty outside one."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def versions() -> dict[str, str]:
    """Installed versions of the packages that decide a run's outcome."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_config(folder: Path, config: BaseModel) -> None:
    """`config.json`: every setting, package versions and commit of this run."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {"config": config.model_dump(mode="json"), "versions": versions(), "commit": commit()}
    (folder / "config.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


class Metrics:
    """Appends one JSON line a step to `metrics.jsonl` and passes it on to who shows progress."""

    def __init__(self, folder: Path, show: Callable[[dict[str, Any]], None]) -> None:
        self._path = folder / "metrics.jsonl"
        self._start = time.monotonic()
        self._show = show

    def __call__(self, values: dict[str, Any]) -> None:
        timed = {**values, "seconds": round(time.monotonic() - self._start, 1)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(timed) + "\n")
        self._show(timed)
