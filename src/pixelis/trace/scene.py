"""An episode laid out for the page: stages with marks, steps, and the parts of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from pixelis.answers.reference import Span, expand, handles_of
from pixelis.episode import Answer, Call, Episode, Observation, Step
from pixelis.geometry import Box, Size
from pixelis.media import Video
from pixelis.ops.workspace import Workspace
from pixelis.trace.marks import Mark, marks_of, whole_outline
from pixelis.trace.pixels import CROP_SIDE_PX, STAGE_SIDE_PX, Shown, shown

HUES = 6
# What an answer that says it cannot know is followed by, in the terminal and on the page.
LARGER = "a larger model may: --model hf:PATH"
WHOLE = "the whole picture"
NOTHING_FOUND = "nothing of that name was found"
ENDINGS = {
    "answered": "It answered.",
    "steps": "It used up its steps.",
    "calls": "It used up its calls.",
    "images": "It used up its images.",
    "tokens": "It used up its tokens.",
    "time": "It ran out of time.",
    "loop": "It repeated the same call.",
    "empty": "It wrote nothing that could be used.",
    "failed": "The model failed.",
    "running": "It was still running.",
}


class PlacedMark(NamedTuple):
    """A mark with its id on the page and the number of the step it belongs to."""

    id: str
    step: int
    hue: int
    mark: Mark


class Stage(NamedTuple):
    """The picture, or one frame of the video, with the marks on it."""

    id: str
    frame: int | None
    caption: str
    pixels: Shown
    size: Size
    marks: tuple[PlacedMark, ...]


class Crop(NamedTuple):
    """An image that an operation made for the model."""

    number: int
    pixels: Shown
    alt: str


@dataclass(frozen=True)
class StepCard:
    """One step as the timeline shows it; `marks` are ids."""

    number: int
    hue: int
    step: Step
    call: str
    crops: tuple[Crop, ...] = ()
    marks: tuple[str, ...] = ()


class Part(NamedTuple):
    """A piece of the answer and the marks behind it; none when it rests on nothing."""

    text: str
    source: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """Everything the page shows, as plain values."""

    episode: Episode
    ended: str
    stages: tuple[Stage, ...]
    steps: tuple[StepCard, ...]
    parts: tuple[Part, ...] = ()
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def compose(episode: Episode, workspace: Workspace) -> Scene:
    """The scene of an episode whose workspace is still open."""
    placed: list[PlacedMark] = []
    cards = []
    crops = _crops(episode, workspace)
    for number, step in enumerate(episode.steps, 1):
        mine = place(number, step.observation, workspace, {mark.mark.outline for mark in placed})
        placed += mine
        card = StepCard(
            number,
            (number - 1) % HUES,
            step,
            call_text(step.call) if step.call else "",
            crops.get(number, ()),
            tuple(mark.id for mark in mine),
        )
        cards.append(card)
    return Scene(
        episode,
        ENDINGS[episode.ended],
        tuple(_stages(placed, workspace)),
        tuple(cards),
        tuple(parts_of(episode, placed)),
        evidence_of(episode, placed),
    )


def why_not(episode: Episode) -> str:
    """Why there is no answer, in words."""
    ending = ENDINGS[episode.ended].rstrip(".")
    return str(episode.meta.get("error") or f"no answer: {ending[0].lower()}{ending[1:]}")


def looked_at(episode: Episode) -> dict[str, Box]:
    """Where the operations looked, source pixels: by handle, by step (`step 2`) without one."""
    return {
        seen.handle or f"step {number}": seen.box
        for number, step in enumerate(episode.steps, 1)
        if (seen := step.observation) is not None and seen.error is None and seen.box is not None
    }


def call_text(call: Call) -> str:
    """A call as one would write it: `zoom_in(bbox_2d=[10, 20, 300, 400])`."""
    arguments = (f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in call.arguments.items())
    return f"{call.op}({', '.join(arguments)})"


def evidence_of(episode: Episode, placed: Sequence[PlacedMark]) -> dict[str, tuple[str, ...]]:
    """The marks of what the answer names; of every place looked at when it cannot know."""
    answer = episode.answer or Answer("")
    if answer.known or answer.evidence:
        return {name: _ids(placed, name) for name in answer.evidence}
    looked: dict[str, tuple[str, ...]] = {}
    for one in placed:
        name = one.mark.handle or f"step {one.step}"
        looked[name] = (*looked.get(name, ()), one.id)
    return looked


def place(
    number: int, observation: Observation | None, workspace: Workspace, there: Set[str]
) -> list[PlacedMark]:
    """The marks of a step; a mask whose outline is `there` already is not filled twice, and
    a box around all of the picture points at nothing.
    """
    if observation is None:
        return []
    handle = workspace.handles.get(observation.handle or "")
    marks = marks_of(observation, handle, still=not isinstance(workspace.media, Video))
    everything = whole_outline(workspace.media.size)
    marks = [
        mark._replace(kind="box") if mark.kind == "mask" and mark.outline in there else mark
        for mark in marks
        if mark.outline != everything
    ]
    hue = (number - 1) % HUES
    return [PlacedMark(f"m{number}-{i}", number, hue, mark) for i, mark in enumerate(marks)]


def _stages(placed: Sequence[PlacedMark], workspace: Workspace) -> Iterator[Stage]:
    """The picture, or every frame that was shown to the model or has a mark."""
    media = workspace.media
    seen = {view.frame for view in workspace.views} | {mark.mark.frame for mark in placed}
    for frame in sorted(seen, key=lambda number: -1 if number is None else number):
        caption = media.name
        if isinstance(media, Video) and frame is not None:
            caption = f"{media.name}, frame {frame} at {media.timestamp(frame):.2f} s"
        pixels = shown(workspace.frame(frame), STAGE_SIDE_PX)
        mine = tuple(mark for mark in placed if mark.mark.frame == frame)
        yield Stage(f"stage-{frame or 0}", frame, caption, pixels, media.size, mine)


def _crops(episode: Episode, workspace: Workspace) -> dict[int, tuple[Crop, ...]]:
    """Images by step number; a step's images begin with the one its observation names."""
    found: dict[int, tuple[Crop, ...]] = {}
    end = len(workspace.images)
    for number, step in reversed(list(enumerate(episode.steps, 1))):
        if step.observation is not None and step.observation.image is not None:
            start = step.observation.image
            found[number] = tuple(_crop(index, workspace) for index in range(start, end))
            end = start
    return found


def _crop(index: int, workspace: Workspace) -> Crop:
    view = workspace.views[index]
    x1, y1, x2, y2 = view.box.rounded()
    place = f"x {x1} to {x2}, y {y1} to {y2}"
    where = place if view.frame is None else f"frame {view.frame}, {place}"
    return Crop(index, shown(workspace.images[index], CROP_SIDE_PX), f"Image {index}: {where}")


def parts_of(episode: Episode, placed: Sequence[PlacedMark]) -> Iterator[Part]:
    """The answer cut where what it rests on changes."""
    answer = episode.answer
    if answer is None:
        return
    handles = handles_of(episode.observations)
    expansion = expand(answer.raw or answer.text, handles)
    if not expansion.spans or expansion.text != answer.text:
        behind = evidence_of(episode, placed)
        marks = tuple(mark for ids in behind.values() for mark in ids)
        yield Part(answer.text, ", ".join(behind), marks)
        return
    end = 0
    for span in expansion.spans:
        if span.start > end:
            yield Part(answer.text[end : span.start])
        yield from _quoted(answer.text[span.start : span.end], span, handles, placed)
        end = span.end
    if end < len(answer.text):
        yield Part(answer.text[end:])


def _quoted(
    text: str, span: Span, handles: Mapping[str, Mapping], placed: Sequence[PlacedMark]
) -> Iterator[Part]:
    """An expanded reference; a whole text falls into its lines, each with its own box."""
    lines = handles.get(span.handle, {}).get("lines")
    if span.field not in ("", "text") or not isinstance(lines, Sequence):
        source = f"{span.handle}.{span.field}" if span.field else span.handle
        yield Part(text, source, _ids(placed, span.handle, span.field))
        return
    end = 0
    for number, line in enumerate(lines, 1):
        words = str(line.get("text", "")) if isinstance(line, Mapping) else ""
        start = text.find(words, end) if words else -1
        if start < 0:
            continue
        if start > end:
            yield Part(text[end:start])
        part = f"line_{number}"
        yield Part(words, f"{span.handle}.{part}", _ids(placed, span.handle, part))
        end = start + len(words)
    if end < len(text):
        yield Part(text[end:], span.handle, _ids(placed, span.handle) if end == 0 else ())


def _ids(placed: Sequence[PlacedMark], handle: str, part: str = "") -> tuple[str, ...]:
    """The marks of a handle's part; all of the handle's when the part has no mark of its own."""
    whole = [mark for mark in placed if mark.mark.handle == handle]
    own = [mark for mark in whole if part and mark.mark.part == part]
    return tuple(mark.id for mark in own or whole)
