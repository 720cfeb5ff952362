"""Episodes drawn at random, as full as the loop makes them, and what a conversation keeps."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pixelis.answers.reference import answered
from pixelis.episode import Call, Episode, Media, Observation, Step
from pixelis.geometry import Box, Size, View
from pixelis.models.dialects import DIALECTS, Dialect, Malformed
from pixelis.models.dialects.dialect import count_images

MEDIA = Media("video", "clip.mp4", Size(640, 480), "ab" * 32, 40, 2.0)
LETTERS = "abc déß漢🙂 019 \n\t{}[]()\"'\\/<>:;,.%$#&*_-+=~"
GOLDEN = Path(__file__).parent / "golden"


def words(rng: random.Random, least: int = 0, most: int = 30) -> str:
    """Text without control tokens and without the marks of any dialect, stripped."""
    return "".join(rng.choices(LETTERS, k=rng.randint(least, most))).strip()


def arguments(rng: random.Random) -> tuple[str, dict[str, Any]]:
    """An operation and arguments, mostly sensible."""
    box = [round(rng.uniform(0, 1000), rng.choice([0, 3])) for _ in range(4)]
    image = rng.choice([{}, {}, {"image": 0}, {"image": 1}, {"image": 3}, {"image": "2"}])
    label = rng.choice([{}, {"label": words(rng)}])
    numbers = [rng.randint(0, 39) for _ in range(rng.randint(1, 4))]
    strange = rng.choice([None, True, 2.0, 2.5, -1, "x", [1]])
    odd = {"image": strange, "bbox_2d": rng.choice([1, box])}
    return rng.choice(
        [
            ("zoom_in", {"bbox_2d": box, **image, **label}),
            ("zoom_in", {"bbox_2d": box, **image, **label}),
            ("read_text", {**image}),
            ("segment_object_at", {"point_2d": box[:2], **image}),
            ("select_frames", {"frames": numbers}),
            ("select_frames", {"from": numbers[0], "to": 39, "count": 4}),
            ("track_object", {"mask": "mask_1", "start_frame": 0, "end_frame": numbers[0]}),
            ("zoom_in", odd),
            (f"op_{rng.randint(0, 9)}", {words(rng): {"deep": [None, True, 1.5, words(rng)]}}),
        ]
    )


def observation(rng: random.Random, op: str, first: int) -> Observation:
    """What came back, with images from number `first` on."""
    text = words(rng, most=60).removeprefix("Notice: ")
    if rng.random() < 0.2:
        text = f"{op}: {text}"
        return Observation(text, error=text)
    count = rng.choice([0, 1, 1, 3])
    box = Box(1, 2, 30, 40)
    listed = {"images": list(range(first, first + count))} if count else {}
    return Observation(
        text,
        image=first if count else None,
        view=View(box, Size(64, 64)) if count else None,
        box=box,
        handle=f"crop_{first}",
        confidence=0.5,
        data={**listed, "box": [1, 2, 30, 40], "label": "x"},
    )


def notice(rng: random.Random) -> str | None:
    return rng.choice([None, None, "Notice: no calls are left; answer now."])


def act(rng: random.Random, dialect: Dialect, images: int) -> list[Step]:
    """The steps of one turn that calls: one, several, or one that cannot be read."""
    thought = words(rng)
    kind = rng.random()
    if kind < 0.15:
        text = dialect.turn(Step(thought, Call("zoom_in"))).replace("{}}", "{]}")
        (bad,) = dialect.read(text).calls
        assert isinstance(bad, Malformed)
        seen = Observation(bad.reason, error=bad.reason)
        return [Step(dialect.read(text).thought, observation=seen, text=text, notice=notice(rng))]
    steps: list[Step] = []
    for index in range(1 if kind < 0.7 else rng.randint(2, 3)):
        op, given = arguments(rng)
        seen = observation(rng, op, images)
        images += count_images(seen)
        told = Step(thought if index == 0 else "", Call(op, given), seen, notice=notice(rng))
        steps.append(told)
    if len(steps) > 1 or rng.random() < 0.7:  # as the model wrote it; else made without a model
        text = "\n".join(dialect.turn(step) for step in steps)
        steps[0] = replace(steps[0], text=text, tokens=9, confidence=0.75)
    return steps


def finish(rng: random.Random, dialect: Dialect) -> Step:
    raw = words(rng, 1) or "red"
    raw = rng.choice([raw, raw, f"I can't see that: {raw}", f"{raw} {{text_1.line_2}} [crop_1]"])
    answer = replace(answered(raw, {})[0], evidence=("crop_1",), confidence=0.9)
    step = Step(words(rng), answer=answer)
    return rng.choice([step, replace(step, text=dialect.turn(step), tokens=3)])


def generated(rng: random.Random, dialect: Dialect) -> Episode:
    """An episode of this dialect with everything that a loop would fill in."""
    steps: list[Step] = []
    for _ in range(rng.randint(0, 4)):
        images = 1 + sum(count_images(s.observation) for s in steps if s.observation)
        steps += act(rng, dialect, images)
    answered = rng.random() < 0.8
    if answered:
        steps.append(finish(rng, dialect))
    return Episode(
        words(rng),
        MEDIA,
        id="e",
        model="m",
        dialect=dialect.name,
        seed=7,
        steps=tuple(steps),
        answer=steps[-1].answer if answered else None,
        ended="answered" if answered else "steps",
        seconds=1.5,
        meta={"pixels": {}},
    )


def told(episode: Episode, dialect: Dialect) -> Episode:
    """What a conversation keeps: no pixels, handles, tokens or clocks, and why it ended only
    when it was answered."""
    steps: tuple[Step, ...] = ()
    left = 0  # calls of the turn before that still have their steps to come
    for step in episode.steps:
        left = len(dialect.read(step.text).calls) if step.text else max(left - 1, 0)
        steps += (_told(step, dialect, continued=not step.text and left > 0),)
    answer = steps[-1].answer if steps else None
    kept = Episode(episode.question, episode.media, dialect=dialect.name, steps=steps)
    return kept if answer is None else replace(kept, answer=answer, ended="answered")


def _told(step: Step, dialect: Dialect, continued: bool) -> Step:
    seen, answer = step.observation, step.answer
    if seen is not None:
        images = {"images": seen.data["images"]} if count_images(seen) > 1 else {}
        seen = Observation(seen.text, seen.error, seen.image, data=images)
    if answer is not None:
        answer, _ = answered(answer.raw, {})
    text = step.text or ("" if continued else dialect.turn(step))
    return Step(step.thought, step.call, seen, answer, text, step.notice)


@pytest.fixture(params=list(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return DIALECTS[request.param]


@pytest.fixture
def draw() -> Callable[[random.Random, Dialect], Episode]:
    return generated


@pytest.fixture
def keep() -> Callable[[Episode, Dialect], Episode]:
    return told


@pytest.fixture
def golden(dialect: Dialect) -> dict[str, Any]:
    """The golden file of the dialect."""
    return json.loads((GOLDEN / f"{dialect.name}.json").read_text(encoding="utf-8"))
