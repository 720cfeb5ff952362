"""Facts about the calls of an episode, which the reward terms share.

A call may fail (an error came back), find nothing ("no text found": no error, but nothing to go on
with), or find something. Only a find that shows more than was there before tells anything: the
same call again does not, nor does the whole picture once more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pixelis.episode import Call, Episode, Observation
from pixelis.geometry import Box

SAME_PLACE = 0.8  # intersection over union from which two boxes are one place
WHOLE = 0.9  # share of the picture from which showing it shows nothing new
PLACES = frozenset({"bbox_2d", "point_2d", "image", "label"})


class Look(NamedTuple):
    """A call and what came of it.

    Attributes:
        call: None for one that could not be read.
        region: what it looked at, in source pixels; None when nothing came back.
        frame: of the video, None in a picture.
    """

    call: Call | None
    seen: Observation
    region: Box | None
    frame: int | None


def looks(episode: Episode) -> list[Look]:
    """Every call of the episode with its observation, those that could not be read included."""
    return [
        Look(step.call, step.observation, _region(step.observation), _frame(step.observation))
        for step in episode.steps
        if step.observation is not None
    ]


def found(seen: Observation) -> bool:
    """Whether the call brought something: no error, and a handle or an image to go on with."""
    return seen.error is None and (seen.handle is not None or seen.image is not None)


def telling(episode: Episode) -> list[bool]:
    """For each look, whether it found something that was not there before."""
    found_so_far: list[Look] = []
    marks = []
    for look in looks(episode):
        new = found(look.seen) and not any(alike(look, before) for before in found_so_far)
        marks.append(new and not _whole_again(look, episode))
        found_so_far.append(look)
    return marks


def used(episode: Episode) -> bool:
    """Whether it worked in pixel space: at least one call told something."""
    return any(telling(episode))


def alike(look: Look, before: Look) -> bool:
    """Whether two calls ask for the same: equal calls, or one operation at one place."""
    if look.call is None or before.call is None:
        return look.call is before.call and look.seen.text == before.seen.text
    if look.call.key() == before.call.key():
        return True
    if _manner(look.call) != _manner(before.call) or look.frame != before.frame:
        return False
    if look.region is None or before.region is None:
        return False
    return look.region.iou(before.region) >= SAME_PLACE


def names(call: Call | None, handle: str) -> bool:
    """Whether an argument of the call is this handle."""
    return call is not None and any(value == handle for value in call.arguments.values())


def _manner(call: Call) -> tuple[str, dict[str, Any]]:
    """The operation and its arguments but for where it looks."""
    rest = {name: value for name, value in call.arguments.items() if name not in PLACES}
    return call.op, rest


def _region(seen: Observation) -> Box | None:
    if seen.error is not None:
        return None
    return seen.box or (seen.view.box if seen.view is not None else None)


def _frame(seen: Observation) -> int | None:
    return seen.view.frame if seen.view is not None else None


def _whole_again(look: Look, episode: Episode) -> bool:
    """A still picture shown once more: nothing of it is larger than it was."""
    if look.region is None or look.seen.image is None or episode.media.kind != "picture":
        return False
    size = episode.media.size
    return look.region.area >= WHOLE * size.width * size.height
