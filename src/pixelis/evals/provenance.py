"""Where figures come from: the commit of the code and a hash of the weights."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

from pixelis.errors import ModelError
from pixelis.models.hub import find_checkpoint

SOURCE = Path(__file__).parents[1]  # all of the package: whatever of it changes may move a figure


def commit(source: Path = SOURCE) -> str | None:
    """The git commit of the package's source, `+changes` when files differ; None outside git."""
    head = _git(source, "rev-parse", "HEAD")
    if head is None:
        return None
    changed = _git(source, "status", "--porcelain", "--untracked-files=no", ".")
    return f"{head}+changes" if changed else head


@cache
def running() -> str:
    """`commit()` as it was when this process first asked, since that is the code it runs; or ""."""
    return commit() or ""


def together(commits: Iterable[str]) -> str | None:
    """The commit of results that were measured at `commits`: one, or all joined by `+`.

    None when one of them is not known.
    """
    found = sorted(set(commits))
    return "+".join(found) if found and all(found) else None


def origin(model: str, command: str) -> dict[str, str | None]:
    """What stands beside every figure of a model: it, the command, the commit, the weights."""
    return {
        "model": model,
        "command": command,
        "commit": commit(),
        "weights": weights_hash(model),
    }


@cache
def _digest(path: Path, size: int, changed_ns: int) -> bytes:
    """SHA-256 of a file, computed once while it stays as it is."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def weights_hash(model: str) -> str | None:
    """SHA-256 over names and bytes of the safetensors behind a model specification.

    Args:
        model: `nano`, `nano-direct` or `hf:PATH_OR_ID`; None is returned for what has no weights
            here. Of a folder of adapters only their own weights count.
    """
    if model.startswith("hf:"):
        try:
            folder = find_checkpoint(model.removeprefix("hf:"))
        except ModelError:  # not on this machine
            return None
    else:
        folder = Path(str(files("pixelis.models"))) / "weights" / model
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        return None
    digest = hashlib.sha256()
    for path in found:
        facts = path.stat()
        digest.update(path.name.encode() + _digest(path, facts.st_size, facts.st_mtime_ns))
    return digest.hexdigest()


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
