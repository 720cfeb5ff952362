"""Solves a question about real media by executing its plan; the oracle for what is annotated.

The question becomes a task of `oracle.solve`, the same that solves the worlds. No answer is copied:
it is what the operations found, and the caller keeps the episode only when that is right.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import cast

import numpy as np

from pixelis.answers.types import AnswerType
from pixelis.data import oracle
from pixelis.data.asking import Asked, Way
from pixelis.data.tasks import Plan, Task
from pixelis.data.worlds.scene import Scene
from pixelis.episode import Episode
from pixelis.media import Picture, Video
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import PixelBudget, Workspace


def solve(
    name: str,
    asked: Asked,
    way: Way,
    media: Picture | Video,
    budget: PixelBudget,
    text_limit: int,
) -> Episode:
    """The episode of the plan, with what a replay needs in its `meta`; its answer may be wrong."""
    task = task_of(name, asked, way, media)
    with Workspace(media, budget, text_limit=text_limit) as workspace:
        # tens would be too coarse for the boxes of people
        episode = oracle.solve(task, workspace, REGISTRY, exact=way.kind == "follow")
    return replace(
        episode, meta={**episode.meta, "pixels": asdict(budget), "text_limit": text_limit}
    )


def task_of(name: str, asked: Asked, way: Way, media: Picture | Video) -> Task:
    """The question as a task of the oracle; its scene is the picture, without drawn items."""
    first = media.frame(0) if isinstance(media, Video) else media.image
    scene = Scene(np.asarray(first), (), "real", asked.kind)
    boxes = (way.box,) if way.kind == "follow" and way.box is not None else ()
    plan = Plan(
        way.kind,
        way.target,
        box=None if boxes else way.box,
        points=way.points,
        field=way.field,
        among=tuple((way.target.removeprefix("the "), point) for point in way.points),
        names=asked.choices,
        boxes=boxes,
        say="more",
        frames=way.frames or (),
    )
    kind = cast(AnswerType, asked.answer_type)
    answer = asked.answer[0]
    return Task(name, asked.family, scene, asked.question, answer, kind, asked.difficulty, plan)
