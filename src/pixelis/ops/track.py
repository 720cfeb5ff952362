"""The operation `track_object`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from pydantic import Field

from pixelis.episode import Observation
from pixelis.errors import OpError
from pixelis.geometry import Box, Size, View, whole
from pixelis.media import Video
from pixelis.ops.arguments import Arguments, BoxArgument
from pixelis.ops.follow import Track, follow
from pixelis.ops.registry import operation
from pixelis.ops.sheet import contact_sheet
from pixelis.ops.workspace import Workspace

MOST_FRAMES = 1000
SMALLEST_SIDE = 6  # px; a narrower box holds nothing that could be recognised
SAMPLES, SAMPLED_SPAN = 25, 60  # pictures of the empty scene, from at least this many frames
REACH, SPEED = 12.0, 0.3  # how far around the box is looked, in its sides, and more per frame
LOSS = 2  # fewer frames of loss are a blink
PARTS = ("beginning", "middle", "end")
STILL = 0.2  # displacement in sides below which an object stood still
DIRECTIONS = ("right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right")


class TrackObject(Arguments):
    bbox_2d: BoxArgument | None = Field(
        None, description="The object in start_frame: [x1, y1, x2, y2]; or give mask."
    )
    mask: str | None = Field(None, description="Handle of the object's mask in start_frame.")
    start_frame: int = Field(0, ge=0, description="First frame, the one the box or mask is in.")
    end_frame: int | None = Field(
        None, ge=0, description="Last frame, included; the last of the video when left out."
    )
    image: int = Field(0, ge=0, description="Index of the image the box refers to.")


class Journey(NamedTuple):
    """Summary of a track: displacement (dx, dy) in px, px per frame, and a word for the way."""

    dx: float
    dy: float
    speed: float
    direction: str


@operation(TrackObject, video_only=True)
def track_object(workspace: Workspace, arguments: TrackObject) -> Observation:
    """Follows one object of a video from start_frame to end_frame, both included.

    Without them it is followed through the whole video (at most as many frames as one call may
    take). Gives its box in each frame where it can be seen, the frames in which it is lost (hidden
    or out of the picture), how far, how fast and which way it moved, whether it was found again,
    and a contact sheet with its path.
    """
    video = workspace.media
    assert isinstance(video, Video)
    start, end = _range(workspace, video, arguments)
    box, mask = _target(workspace, arguments)
    corner = _region(box, end - start, video.size).rounded()
    track = follow(
        _pictures(video, start, end, corner),
        box.shift(-corner[0], -corner[1]),
        _samples(video, start, end, corner),
        None if mask is None else mask[corner[1] : corner[3], corner[0] : corner[2]],
        workspace.check_time,
    )
    track.boxes = {n: b.shift(corner[0], corner[1]) for n, b in track.boxes.items()}
    journey = summarise(track)
    handle = workspace.add_handle("track", fields(track, journey), box, start)
    sheet = contact_sheet(video, track, (start, end), workspace.budget)
    image = workspace.add_image(sheet, View(whole(video.size), Size(*sheet.size), start))
    sure = [track.confidence[number] for number in track.boxes]
    return Observation(
        text=_tell(workspace, arguments, handle.name, track, journey),
        image=image,
        view=workspace.view(image),
        box=box,
        handle=handle.name,
        confidence=round(sum(sure) / len(sure), 4),
        data=handle.data,
    )


# arguments ----------------------------------------------------------------------------------------
def _range(workspace: Workspace, video: Video, arguments: TrackObject) -> tuple[int, int]:
    start, end = arguments.start_frame, arguments.end_frame
    if end is None:
        end = min(video.frames, start + MOST_FRAMES) - 1
    asked = f"frames {workspace.frame_name(start)}..{workspace.frame_name(end)}"
    if not start < end < video.frames:
        raise OpError(
            f"{asked} cannot be followed; need start_frame < end_frame "
            f"within {workspace.frame_name(0)}..{workspace.frame_name(video.frames - 1)}"
        )
    if end - start >= MOST_FRAMES:
        raise OpError(f"{asked} are too many; at most {MOST_FRAMES} in one call")
    return start, end


def _target(workspace: Workspace, arguments: TrackObject) -> tuple[Box, np.ndarray | None]:
    """The object's box in source px, and its mask when a handle of one was given."""
    if (arguments.bbox_2d is None) == (arguments.mask is None):
        raise OpError("give either bbox_2d or mask, the object in start_frame")
    size = workspace.media.size
    if arguments.bbox_2d is not None:
        box = workspace.resolve_box(arguments.bbox_2d, arguments.image)
        return box.grow_to(SMALLEST_SIDE, size), None
    assert arguments.mask is not None
    handle = workspace.handle(arguments.mask)
    if handle.mask is None or not handle.mask.any():
        raise OpError(f"{handle.name} is not a mask; give a mask handle or bbox_2d")
    if handle.frame is not None and handle.frame != arguments.start_frame:
        raise OpError(
            f"{handle.name} is a mask of frame {workspace.frame_name(handle.frame)}, not of "
            f"start_frame {workspace.frame_name(arguments.start_frame)}; start there or give "
            "bbox_2d"
        )
    rows, columns = np.flatnonzero(handle.mask.any(1)), np.flatnonzero(handle.mask.any(0))
    box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return box.grow_to(SMALLEST_SIDE, size), handle.mask


def _region(box: Box, frames: int, size: Size) -> Box:
    """As much of the picture as the object can reach: a small one needs all the pixels it has."""
    side = math.sqrt(box.area)
    return box.pad(max(REACH, SPEED * frames) * side).clip(size)


# pictures -----------------------------------------------------------------------------------------
def _cut(image: Image.Image, corner: tuple[int, int, int, int]) -> np.ndarray:
    return np.asarray(image.crop(corner).convert("RGB"))


def _pictures(
    video: Video, start: int, end: int, corner: tuple[int, int, int, int]
) -> Iterator[tuple[int, np.ndarray]]:
    for number, image in video.between(start, end):
        yield number, _cut(image, corner)


def _samples(
    video: Video, start: int, end: int, corner: tuple[int, int, int, int]
) -> Iterator[np.ndarray]:
    """Pictures from around the range: a slow object would hide the scene in a short one."""
    more = max(0, SAMPLED_SPAN - (end - start + 1)) // 2
    low, high = max(0, start - more), min(video.frames - 1, end + more)
    wanted = set(np.linspace(low, high, SAMPLES).round().astype(int).tolist())
    for number, image in video.between(low, high):
        if number in wanted:
            yield _cut(image, corner)


# results ------------------------------------------------------------------------------------------
def summarise(track: Track) -> Journey:
    """Where the object went between the first and the last frame in which it was seen."""
    numbers = sorted(track.boxes)
    centers = [track.boxes[number].center for number in numbers]
    dx, dy = centers[-1].x - centers[0].x, centers[-1].y - centers[0].y
    length = sum(math.dist(a, b) for a, b in pairwise(centers))
    frames = max(1, numbers[-1] - numbers[0])
    side = math.sqrt(track.boxes[numbers[0]].area)
    if math.hypot(dx, dy) < STILL * side:
        return Journey(dx, dy, length / frames, "still")
    octant = round(math.atan2(dy, dx) / (math.pi / 4)) % 8
    return Journey(dx, dy, length / frames, DIRECTIONS[octant])


def fields(track: Track, journey: Journey) -> dict[str, Any]:
    """What `{track_1...}` can refer to, as plain JSON values; frame numbers are string keys."""
    return {
        "boxes": {str(n): [round(v, 1) for v in box] for n, box in track.boxes.items()},
        "confidence": {str(n): value for n, value in track.confidence.items()},
        "lost": list(track.lost),
        "found": sorted(track.boxes),
        "displacement": [round(journey.dx, 1), round(journey.dy, 1)],
        "mean_speed_px_per_frame": round(journey.speed, 2),
        "direction": journey.direction,
    }


def runs(numbers: list[int]) -> str:
    """`3, 7-9` for 3, 7, 8, 9."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)


def stretches(lost: Sequence[int]) -> list[tuple[int, int]]:
    """First and last frame of each stretch of at least `LOSS` lost frames."""
    found: list[tuple[int, int]] = []
    for number in lost:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return [one for one in found if one[1] - one[0] + 1 >= LOSS]


def loss(lost: Sequence[int], found: Sequence[int], first: int, frames: int) -> str:
    """What became of a track in words: `never lost`, `lost 1 time, found again`, or `lost 2 times,
    gone from the middle on` (thirds of the followed range).

    Args:
        lost, found: frame numbers; stretches of fewer than `LOSS` lost frames do not count.
        first, frames: of the range.
    """
    times = len(stretches(lost))
    if not times:
        return "never lost"
    said = f"lost {times} time{'s' * (times > 1)}"
    last = found[-1] if found else first - 1
    if last >= first + frames - LOSS:
        return f"{said}, found again"
    third = min(3 * (last + 1 - first) // frames, 2)
    return f"{said}, gone from the {PARTS[third]} on"


def _tell(
    workspace: Workspace, arguments: TrackObject, name: str, track: Track, journey: Journey
) -> str:
    found = sorted(track.boxes)
    first, last = (workspace.show(track.boxes[n], arguments.image) for n in (found[0], found[-1]))
    where = [workspace.frame_name(number) for number in (found[0], found[-1])]
    total = len(track.confidence)
    start = min([*found, *track.lost])
    lost = f"; lost in frames {runs([*map(workspace.frame_name, track.lost)])}" * bool(track.lost)
    lost += f"; {loss(list(track.lost), found, start, total)}"
    return (
        f"{name}: seen in {len(found)} of {total} frames, from {first} in frame {where[0]} to "
        f"{last} in frame {where[1]}; direction {journey.direction}, displacement "
        f"{journey.dx:.0f}, {journey.dy:.0f} px, {journey.speed:.1f} px per frame{lost}"
    )
