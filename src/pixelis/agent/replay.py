"""Running an episode's calls again on its media and comparing what comes back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from pixelis.agent.room import run_call
from pixelis.episode import Episode, Observation
from pixelis.errors import DataError
from pixelis.media import Picture, Video
from pixelis.models.dialects import get_dialect
from pixelis.ops.registry import REGISTRY, Registry
from pixelis.ops.workspace import PixelBudget, Workspace

TOLERANCE = 1e-6
_PLAIN: TypeAdapter[Observation] = TypeAdapter(Observation)


class Difference(NamedTuple):
    """A field of an observation that came out otherwise."""

    step: int
    field: str
    recorded: Any
    now: Any


@dataclass(frozen=True)
class Replay:
    """What a replay found: how many calls were run and every difference, in order."""

    calls: int
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        return not self.differences


def replay(
    episode: Episode,
    media: Picture | Video,
    registry: Registry = REGISTRY,
    workspace: Workspace | None = None,
) -> Replay:
    """Runs the episode's calls again, with the pixel budget it was recorded with.

    Args:
        workspace: a fresh one from `restore`, to look at the images, masks and frames afterwards.

    Raises:
        DataError: the media are not those of the episode, or its `meta` is broken.
    """
    workspace = workspace or restore(episode, media)
    most = _image_tokens(episode)
    calls = 0
    differences: list[Difference] = []
    for number, step in enumerate(episode.steps):
        if step.call is None or step.observation is None:
            continue
        calls += 1
        now = run_call(registry, step.call, workspace, most)
        differences += compare(number, step.observation, now)
    return Replay(calls, tuple(differences))


def _image_tokens(episode: Episode) -> int | None:
    most = episode.meta.get("image_tokens")
    if most is None or (isinstance(most, int) and not isinstance(most, bool)):
        return most
    raise DataError(f"episode {episode.id or '(no id)'}: meta.image_tokens is no whole number")


def restore(episode: Episode, media: Picture | Video) -> Workspace:
    """A fresh workspace like the one the episode began with; DataError for other media."""
    if media.sha256 != episode.media.sha256:
        raise DataError(
            f"episode {episode.id or '(no id)'} is about {episode.media.name} "
            f"({episode.media.sha256[:12]}), not {media.name} ({media.sha256[:12]}); give that file"
        )
    pixels = episode.meta.get("pixels")
    try:
        budget = PixelBudget(**pixels) if pixels else None
        text_limit = int(episode.meta.get("text_limit", 4000))
        dialect = get_dialect(episode.dialect)
    except (TypeError, ValueError) as error:  # ConfigError is one of them
        raise DataError(f"episode {episode.id or '(no id)'}: meta is broken: {error}") from error
    if budget is not None and not budget.sound:
        raise DataError(f"episode {episode.id or '(no id)'}: meta.pixels fits no image: {pixels}")
    return Workspace(media, budget, dialect.convention, text_limit)


def compare(step: int, recorded: Observation, now: Observation) -> list[Difference]:
    """The fields in which two observations differ; numbers may differ by 1e-6 of their size."""
    was = _PLAIN.dump_python(recorded, mode="json")
    came = _PLAIN.dump_python(now, mode="json")
    return [
        Difference(step, name, was[name], came[name])
        for name in was
        if not _alike(was[name], came[name])
    ]


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, float | int) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(a == b)
