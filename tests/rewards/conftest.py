"""Episodes as an agent would record them, built call by call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.geometry import Box, Size, View

SIZE = Size(400, 300)


class Builder:
    """Grows an episode; every method gives the builder back."""

    def __init__(self, kind="picture"):
        self.episode = Episode("What colour is it?", Media(kind, "a.png", SIZE, "0"))
        self.images = 1
        self.counts = {}

    def step(self, call, seen):
        self.episode = self.episode.with_step(Step(call=call, observation=seen))
        return self

    def handle(self, kind):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return f"{kind}_{self.counts[kind]}"

    def zoom(self, *box, image=0):
        call = Call("zoom_in", {"bbox_2d": list(box), "image": image})
        self.images += 1
        view = View(Box(*box), Size(64, 64))
        seen = Observation("a crop", None, self.images - 1, view, Box(*box), self.handle("crop"))
        return self.step(call, seen)

    def segment(self, x, y, *box):
        call = Call("segment_object_at", {"point_2d": [x, y]})
        seen = Observation("a mask", box=Box(*box), handle=self.handle("mask"))
        return self.step(call, seen)

    def nothing(self, x, y):
        return self.step(
            Call("segment_object_at", {"point_2d": [x, y]}), Observation("no clear object here")
        )

    def properties(self, mask, *box, wanted=None):
        call = Call("get_properties", {"mask": mask, **({"properties": wanted} if wanted else {})})
        return self.step(call, Observation("red", box=Box(*box), handle=mask))

    def read(self, *box):
        call = Call("read_text", {"bbox_2d": list(box)})
        return self.step(call, Observation("a line", box=Box(*box), handle=self.handle("text")))

    def fail(self, op="zoom_in", **arguments):
        return self.step(Call(op, arguments), Observation("bad", error="bad"))

    def malformed(self, reason="cannot be read"):
        return self.step(None, Observation(reason, error=reason))

    def answer(self, text="red", *evidence, known=True, ended="answered"):
        given = Answer(text, text, evidence, known=known)
        return replace(self.episode, answer=given, ended=ended)

    def end(self, ended="steps"):
        return replace(self.episode, ended=ended)


@pytest.fixture
def build():
    return Builder
