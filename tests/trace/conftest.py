"""An episode with one of everything a trace shows, on a picture drawn here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.geometry import Box, Size, View
from pixelis.media import open_media
from pixelis.ops.workspace import Workspace

DISC = Box(40, 30, 120, 110)
LINES = [
    {"text": "HELLO", "box": [150, 120, 220, 140], "confidence": 0.9},
    {"text": "WORLD", "box": [150, 145, 230, 165], "confidence": 0.8},
]
TEXT = Box(150, 120, 230, 165)


@dataclass
class Told:
    """An episode and the workspace it left."""

    episode: Episode
    workspace: Workspace

    def asking(self, question: str) -> Told:
        return Told(replace(self.episode, question=question), self.workspace)

    def answering(self, answer: Answer | None, ended: str = "answered") -> Told:
        return Told(replace(self.episode, answer=answer, ended=ended), self.workspace)


@pytest.fixture
def told() -> Told:
    image = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(image).ellipse(DISC.rounded(), fill="red")
    media = open_media(image)
    workspace = Workspace(media)
    steps = (_zoom(workspace), _segment(workspace), _mistake(), _read(workspace))
    answer = Answer("HELLO\nWORLD, red", "{text_1}, {mask_1.color}", ("text_1", "mask_1"), 0.9)
    episode = Episode(
        "What does it say?",
        Media("picture", "sign.png", media.size, media.sha256),
        id="e1",
        model="nano",
        steps=(*steps, Step(thought="Done.", answer=answer)),
        answer=answer,
        ended="answered",
        seconds=1.5,
    )
    return Told(episode, workspace)


def _zoom(workspace: Workspace) -> Step:
    box = Box(30, 20, 130, 120)
    view = View(box, Size(200, 200))
    image = workspace.add_image(workspace.source().crop(box.rounded()).resize(view.size), view)
    seen = Observation("image 1", image=image, view=view, box=box)
    call = Call("zoom_in", {"bbox_2d": [100, 100, 433, 600]})
    return Step(thought="Closer.", call=call, observation=seen)


def _segment(workspace: Workspace) -> Step:
    mask = np.asarray(workspace.source())[..., 1] < 128
    data = {"color": {"name": "red"}, "area_px": int(mask.sum())}
    handle = workspace.add_handle("mask", data, DISC, mask=mask)
    seen = Observation("mask_1", box=DISC, handle=handle.name, confidence=0.8, data=data)
    return Step(call=Call("segment_object_at", {"point_2d": [260, 350]}), observation=seen)


def _mistake() -> Step:
    reason = "zoom_in: box [9, 9, 1, 1] is empty"
    call = Call("zoom_in", {"bbox_2d": [9, 9, 1, 1]})
    return Step(call=call, observation=Observation(reason, error=reason))


def _read(workspace: Workspace) -> Step:
    data = {"text": "HELLO\nWORLD", "lines": LINES}
    handle = workspace.add_handle("text", data, TEXT)
    seen = Observation('text_1: "HELLO\nWORLD"', box=TEXT, handle=handle.name, data=data)
    return Step(call=Call("read_text"), observation=seen)
