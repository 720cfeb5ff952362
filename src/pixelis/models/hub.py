"""Checkpoints of a model hub as local folders; fetched only when that was allowed."""

from __future__ import annotations

import re
from pathlib import Path

from pixelis.errors import ModelError

ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
# Weights as safetensors only: a pickle could run code.
FILES = ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")


def find_checkpoint(place: str, allow_download: bool = False) -> Path:
    """The folder of a checkpoint: `place` itself, or where the hub's cache has that id.

    Raises:
        ModelError: there is no such folder, and `place` is no hub id, or one that is not here and
            may not be or cannot be downloaded.
    """
    folder = Path(place)
    if folder.is_dir() or not ID.fullmatch(place):
        return folder
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        cached = snapshot_download(place, local_files_only=True, allow_patterns=list(FILES))
        if list(Path(cached).glob("*.safetensors")):
            return Path(cached)
    except LocalEntryNotFoundError:
        pass  # not here yet
    if not allow_download:
        raise ModelError(
            f"{place} is no folder, and as a hub id it is not on this machine; nothing is fetched "
            "unless you add --allow-download"
        )
    try:
        return Path(snapshot_download(place, allow_patterns=list(FILES)))
    except (OSError, httpx2.HTTPError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{place} cannot be downloaded: {reason}") from error
