"""What a step looked at, ready to be drawn: shapes on the source, crops, frames of a clip."""

from __future__ import annotations

from typing import Any

from pixelis.episode import Episode, Step
from pixelis.errors import OpError
from pixelis.media import Video
from pixelis.models.dialects.dialect import count_images
from pixelis.ops.workspace import Workspace
from pixelis.trace.pixels import CROP_SIDE_PX, shown
from pixelis.trace.scene import PlacedMark, call_text, evidence_of, parts_of, place

FRAME_SIDE_PX = 1200


class Sight:
    """Follows one episode from step to step; used by one thread at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.placed: list[PlacedMark] = []
        self._number = 0
        self._frames: set[int] = set()

    def step(self, step: Step) -> dict[str, Any]:
        """The next step's shapes (`marks`), new images (`crops`) and frames not sent before."""
        self._number += 1
        outlines = {mark.mark.outline for mark in self.placed}
        mine = place(self._number, step.observation, self.workspace, outlines)
        self.placed += mine
        return {
            "number": self._number,
            "call_text": call_text(step.call) if step.call else "",
            "marks": [
                {"id": mark.id, "hue": mark.hue, **mark.mark._asdict()} for mark in mine
            ],
            "crops": self._crops(step),
            "frames": self._new_frames(mine, step),
        }  # fmt: skip

    def answer(self, episode: Episode) -> list[dict[str, Any]]:
        """The answer in pieces, each with the ids of the shapes it rests on."""
        return [
            {"text": part.text, "source": part.source, "marks": list(part.marks)}
            for part in parts_of(episode, self.placed)
        ]

    def evidence(self, episode: Episode) -> dict[str, list[str]]:
        """Handles the answer rests on, with the ids of their shapes."""
        return {name: list(ids) for name, ids in evidence_of(episode, self.placed).items()}

    def _crops(self, step: Step) -> list[dict[str, Any]]:
        seen = step.observation
        if seen is None or seen.image is None or seen.error is not None:
            return []
        crops = []
        for index in range(seen.image, seen.image + count_images(seen)):
            view = self.workspace.views[index]
            pixels = shown(self.workspace.images[index], CROP_SIDE_PX)
            crops.append(
                {"image": index, "box": list(view.box), "frame": view.frame, **pixels._asdict()}
            )
        return crops

    def _new_frames(self, marks: list[PlacedMark], step: Step) -> dict[str, str]:
        """Data URLs of a clip's frames that the marks lie on."""
        if not isinstance(self.workspace.media, Video):
            return {}
        wanted = {mark.mark.frame for mark in marks if mark.mark.frame is not None}
        if step.observation is not None and step.observation.view is not None:
            frame = step.observation.view.frame
            wanted |= set() if frame is None else {frame}
        new = sorted(wanted - self._frames)
        self._frames |= wanted
        try:
            return {
                str(number): shown(self.workspace.frame(number), FRAME_SIDE_PX).url
                for number in new
            }
        except OpError:  # a frame that cannot be decoded is not shown
            return {}
