"""What `episode.save` does: the pixels are fetched again, so that episodes stay small."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pixelis.agent.replay import restore
from pixelis.episode import Episode
from pixelis.media import Limits, Picture, Video, open_media
from pixelis.ops.registry import Registry
from pixelis.trace import check_path, write_html, write_json


def save(
    episode: Episode, path: str | Path, media: Any, registry: Registry, limits: Limits | None = None
) -> None:
    """Writes the trace of an episode about `media`, in the format that the path's ending names.

    For a page the calls that worked are run again: operations are deterministic, and that keeps
    no image, mask or open video with the episode. Raises ConfigError when it cannot be written,
    MediaError or DataError when the media are gone or are others now.
    """
    if check_path(path).suffix.lower() == ".json":
        write_json(episode, path, media if _is_path(media) else None)
        return
    given = isinstance(media, Picture | Video)
    opened = open_media(media, limits)
    with nullcontext(opened) if given else opened, restore(episode, opened) as workspace:
        for step in episode.steps:
            # A call that failed left nothing behind then, and must not now.
            if step.call and step.observation and step.observation.error is None:
                registry.run(step.call, workspace)
        write_html(episode, workspace, path)


def _is_path(media: Any) -> bool:
    if isinstance(media, str):
        return media[:5].lower() != "data:"
    return isinstance(media, os.PathLike)
