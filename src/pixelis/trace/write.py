"""Writes traces: `.html` is one offline page, `.json` is the episode and where its media lie."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from pixelis.episode import Episode
from pixelis.errors import ConfigError
from pixelis.ops.workspace import Workspace

ENDINGS = (".html", ".json")


def check_path(path: str | Path) -> Path:
    """The path, if a trace can be written there; ConfigError otherwise, before any work is done."""
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"trace {path.name!r} must end in {' or '.join(ENDINGS)}")
    if path.is_dir():
        raise ConfigError(f"trace {path} is a folder; name a file")
    if not path.parent.is_dir():
        raise ConfigError(f"trace {path}: there is no folder {path.parent}; make it first")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _refused(path, error) from error
    return path


def write(
    episode: Episode, workspace: Workspace, path: str | Path, media_path: str | Path | None = None
) -> Path:
    """Writes the trace in the format its ending names; ConfigError for another ending.

    Args:
        workspace: of this episode, still open: it holds the images, masks and video frames.
        media_path: where the picture or video lies, for replay.
    """
    if check_path(path).suffix.lower() == ".html":
        return write_html(episode, workspace, path)
    return write_json(episode, path, media_path)


def write_html(episode: Episode, workspace: Workspace, path: str | Path) -> Path:
    """One self-contained page: no request leaves it, no script but its own runs."""
    from pixelis.trace.page import render

    return write_text(check_path(path), render(episode, workspace))


def write_json(episode: Episode, path: str | Path, media_path: str | Path | None = None) -> Path:
    """The episode; `meta.media_path` says where the media were, absolute."""
    if media_path is not None:
        place = str(Path(media_path).resolve())
        episode = replace(episode, meta={**episode.meta, "media_path": place})
    return write_text(check_path(path), episode.to_json(indent=2) + "\n")


def write_text(path: Path, text: str) -> Path:
    """Writes beside the target and moves it there, so that no half-written trace is left."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        raise _refused(path, error) from error
    return path


def _refused(path: Path, error: OSError) -> ConfigError:
    reason = error.strerror or type(error).__name__
    return ConfigError(f"trace {path} cannot be written ({reason}); choose another place")
