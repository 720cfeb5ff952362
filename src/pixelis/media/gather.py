"""Which files of a folder, or of a pattern, are pictures and videos."""

from __future__ import annotations

import glob
import mimetypes
from pathlib import Path

from pixelis.errors import ConfigError
from pixelis.media.sniff import HEAD_BYTES, sniff


def gather(place: str) -> list[Path]:
    """Media files in order of their names, each once.

    Args:
        place: a folder (searched to its leaves; hidden files are left out, and so is what neither
            is named nor begins like a picture or video), a glob pattern (everything it matches;
            `**` crosses folders), or one file.

    Raises:
        ConfigError: there is nothing.
    """
    path = Path(place)
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*")) if _wanted(file, path)]
        if not found:
            raise ConfigError(f"folder {place} holds no pictures or videos")
        return found
    if path.is_file():
        return [path]
    matches = sorted({Path(name) for name in glob.glob(place, recursive=True)})
    found = [file for file in matches if file.is_file()]
    if not found:
        raise ConfigError(f"{place!r} is no folder and matches no file; put a pattern in quotes")
    return found


def _wanted(file: Path, root: Path) -> bool:
    if any(part.startswith(".") for part in file.relative_to(root).parts) or not file.is_file():
        return False
    kind = (mimetypes.guess_type(file.name)[0] or "").partition("/")[0]
    return kind in ("image", "video") or _begins_like_media(file)


def _begins_like_media(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return sniff(opened.read(HEAD_BYTES)) is not None
    except OSError:  # what cannot be read and has no media name is none of ours
        return False
