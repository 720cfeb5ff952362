"""Solves a question about real media by executing its plan; the oracle for what is annotated.

Counting, measuring and reading go through `oracle.solve`, the same that solves the worlds;
comparing two areas and following an object are added here. No answer is copied: it is what the
operations found, and the caller keeps the episode only when that is right.
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
from pixelis.episode import Episode, Media
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
        if way.kind == "compare":
            episode = _compare(task, asked, way, workspace)
        elif way.kind == "track":
            episode = _follow(task, way, workspace)
        else:
            episode = oracle.solve(task, workspace, REGISTRY)
    meta = {**episode.meta, "pixels": asdict(budget), "text_limit": text_limit}
    return replace(episode, media=describe(media), meta=meta)


def task_of(name: str, asked: Asked, way: Way, media: Picture | Video) -> Task:
    """The question as a task of the oracle; its scene is the picture, without drawn items."""
    first = media.frame(0) if isinstance(media, Video) else media.image
    scene = Scene(np.asarray(first), (), "real", asked.kind)
    among = tuple((way.target.removeprefix("the "), point) for point in way.points)
    plan = Plan(way.kind, way.target, way.box, way.points, way.field, among)
    kind = cast(AnswerType, asked.answer_type)
    answer = asked.answer[0]
    return Task(name, asked.family, scene, asked.question, answer, kind, asked.difficulty, plan)


def describe(media: Picture | Video) -> Media:
    """What an episode keeps of its media."""
    if isinstance(media, Video):
        seconds = round(media.seconds, 3)
        return Media("video", media.name, media.size, media.sha256, media.frames, seconds)
    return Media("picture", media.name, media.size, media.sha256)


def _compare(task: Task, asked: Asked, way: Way, workspace: Workspace) -> Episode:
    """Segments both, measures both, names the larger."""
    solver = oracle.Solver(task, workspace, REGISTRY)
    areas = []
    for number, (name, point) in enumerate(zip(asked.choices, way.points, strict=True), 1):
        spot = solver.point(point, 0)
        if not solver.act(f"the {name}", "segment_object_at", point_2d=spot):
            return solver.answer(oracle.CANNOT)
        mask = f"mask_{number}"
        if not solver.act("", "get_properties", mask=mask, properties=["size"]):
            return solver.answer(oracle.CANNOT)
        areas.append(int(workspace.handle(mask).data["size"][way.field]))
    larger = asked.choices[areas[1] > areas[0]]
    thought = " against ".join(f"{a} px" for a in areas)
    return solver.answer(f"{larger} [mask_1, mask_2]", thought)


def _follow(task: Task, way: Way, workspace: Workspace) -> Episode:
    """Follows the object from the first frame to the last and says which way it went."""
    solver = oracle.Solver(task, workspace, REGISTRY)
    assert way.box is not None
    assert way.frames is not None
    first, last = way.frames
    box = list(workspace.view(0).to_relative(way.box))  # tens would be too coarse for people
    found = solver.act(way.target, "track_object", bbox_2d=box, start_frame=first, end_frame=last)
    return solver.answer(f"{{track_1.{way.field}}}" if found else oracle.CANNOT)
