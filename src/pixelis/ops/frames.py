"""`select_frames`: frames of a video as images, by number or spread over a range."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import AliasChoices, Field, model_validator

from pixelis.episode import Observation
from pixelis.errors import OpError
from pixelis.geometry import View, whole
from pixelis.media import Video
from pixelis.ops.arguments import Arguments
from pixelis.ops.registry import operation
from pixelis.ops.workspace import Workspace

MOST_FRAMES = 8
_USUAL_COUNT = 4

Number = Annotated[int, Field(ge=0)]


class SelectFrames(Arguments):
    """Which frames to look at: a list of numbers, or a number of them spread over a range."""

    frames: list[int] | None = Field(
        None,
        min_length=1,
        max_length=MOST_FRAMES,
        description="frame numbers, at most 8; -1 is the last frame",
    )
    start: Number | None = Field(
        None,
        validation_alias=AliasChoices("from", "start"),
        description="first frame of a range; 0 when left out",
    )
    end: Number | None = Field(
        None,
        validation_alias=AliasChoices("to", "end"),
        description="last frame of a range, included; the last of the video when left out",
    )
    count: int | None = Field(
        None,
        ge=1,
        le=MOST_FRAMES,
        description="how many frames to spread over the range, at most 8",
    )

    @model_validator(mode="after")
    def _one_way(self) -> SelectFrames:
        ranged = any(value is not None for value in (self.start, self.end, self.count))
        if self.frames is not None and ranged:
            raise ValueError("give either frames or from/to/count, not both")
        return self


@operation(SelectFrames, video_only=True)
def select_frames(workspace: Workspace, arguments: SelectFrames) -> Observation:
    """Look at frames of a video: by number, or a few spread evenly over a range.

    Frames are numbered from 0, and from the end by negative numbers: -1 is the last. Ranges include
    both ends. Every frame becomes an image of the
    episode, fitted to the model's pixel budget; repeated numbers are shown once. `image`, `view`
    and `box` of the observation are those of the first; `data` holds `images`, `frames` and
    `timestamps` (seconds from the first frame) of all. Raises OpError for frames that do not
    exist and for an empty range.
    """
    video = workspace.media
    assert isinstance(video, Video)
    numbers = _numbers(workspace, arguments, video.frames)
    images = [_add(workspace, number) for number in numbers]
    times = [round(video.timestamp(number), 3) for number in numbers]
    data: dict[str, Any] = {"images": images, "frames": numbers, "timestamps": times}
    handle = workspace.add_handle("frames", data, box=whole(video.size))
    parts = (
        f"{workspace.image_name(image)} is frame {workspace.frame_name(number)} at {seconds:.2f} s"
        for image, number, seconds in zip(images, numbers, times, strict=True)
    )
    return Observation(
        f"{handle.name} of {video.frames} frames: {', '.join(parts)}",
        image=images[0],
        view=workspace.view(images[0]),
        box=whole(video.size),
        handle=handle.name,
        data=data,
    )


def _numbers(workspace: Workspace, arguments: SelectFrames, total: int) -> list[int]:
    """The asked frame numbers, each once, checked against the video's length."""
    last = total - 1
    if arguments.frames is not None:
        numbers = list(dict.fromkeys(n + total if -total <= n < 0 else n for n in arguments.frames))
    else:
        start = arguments.start or 0
        end = last if arguments.end is None else arguments.end
        if start > end:
            first, final, low, high = map(workspace.frame_name, (start, end, 0, last))
            raise OpError(
                f"range from {first} to {final} is empty; need from <= to in {low}..{high}"
            )
        spread = np.linspace(start, end, arguments.count or _USUAL_COUNT)
        numbers = list(dict.fromkeys(round(float(number)) for number in spread))
    for number in numbers + ([arguments.end] if arguments.end is not None else []):
        if not 0 <= number <= last:
            raise workspace.no_frame(number, total)
    return numbers


def _add(workspace: Workspace, number: int) -> int:
    workspace.check_time()
    frame = workspace.frame(number)
    size = workspace.budget.fit(workspace.media.size)
    shown = frame if frame.size == size else frame.resize(size, Image.Resampling.LANCZOS)
    return workspace.add_image(shown, View(whole(workspace.media.size), size, number))
