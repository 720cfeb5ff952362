"""The misuse term: what is subtracted for calls that could not work and for running out of room.

    0.5   a video operation on a still picture; `get_properties` without a mask or a box
    0.25  any other call that failed: out of range, unknown handle, cannot be read
    0.5   the episode ended by a limit (calls, images, tokens, time, going in circles), not by
          an answer

A call that found nothing costs nothing here: looking and not finding is no mistake.
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.episode import Episode
from pixelis.rewards.calls import Look, looks

VIDEO_ONLY = frozenset({"select_frames", "track_object"})
MEASURES = "get_properties"
NEVER, FAILED, OVER = 0.5, 0.25, 0.5
LIMITS = frozenset({"steps", "calls", "images", "tokens", "time", "loop", "empty"})


def misuse(episode: Episode, video_only: frozenset[str] = VIDEO_ONLY) -> float:
    """How much the episode misused, in [0, 1]; the mix subtracts it.

    Args:
        video_only: operations that make no sense on a still picture.
    """
    costs = [cost for look in looks(episode) for cost in _costs(look, episode, video_only)]
    over = OVER * (episode.ended in LIMITS)
    return min(1.0, sum(costs) + over)


def _costs(look: Look, episode: Episode, video_only: frozenset[str]) -> Iterator[float]:
    if look.seen.error is None:
        return
    yield NEVER if _never(look, episode, video_only) else FAILED


def _never(look: Look, episode: Episode, video_only: frozenset[str]) -> bool:
    """Whether no arguments could have made the call work."""
    if look.call is None:
        return False
    if look.call.op in video_only:
        return episode.media.kind == "picture"
    return look.call.op == MEASURES and not {"mask", "bbox_2d"} & set(look.call.arguments)
