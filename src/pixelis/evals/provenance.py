"""Where figures come from: the commit of the code and a hash of the weights."""

from __future__ import annotations

import hashlib
import subprocess
from importlib.resources import files
from pathlib import Path


def commit() -> str | None:
    """The git commit of this source tree, `+changes` when files differ; None outside git."""
    here = Path(__file__).parent
    head = _git(here, "rev-parse", "HEAD")
    if head is None:
        return None
    changed = _git(here, "status", "--porcelain", "--untracked-files=no", ".")
    return f"{head}+changes" if changed else head


def weights_hash(model: str) -> str | None:
    """SHA-256 over names and bytes of the safetensors behind a model specification.

    Args:
        model: `nano`, `nano-direct` or `hf:PATH`; None is returned for what has no weights here.
    """
    if model.startswith("hf:"):
        folder = Path(model.removeprefix("hf:"))
    else:
        folder = Path(str(files("pixelis.models"))) / "weights" / model
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        return None
    digest = hashlib.sha256()
    for path in found:
        with path.open("rb") as file:
            digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
