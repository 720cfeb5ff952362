"""The oracle: solves a task by really running operations where the truth says to look.

Its episodes are the golden chain-of-thought-action data nano is fine-tuned on, and the `oracle`
control of evaluation: what the operations themselves make possible.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pixelis.answers.reference import expand, handles_of
from pixelis.data.tasks import Task
from pixelis.episode import Answer, Call, Episode, Media, Step
from pixelis.geometry import Point
from pixelis.models.dialects.qwen3 import Qwen3
from pixelis.ops.registry import Registry
from pixelis.ops.workspace import Workspace

CANNOT = "I can't see that"
_DIALECT = Qwen3()


class Solver:
    """Writes an episode step by step."""

    def __init__(self, task: Task, workspace: Workspace, registry: Registry) -> None:
        media = workspace.media
        self.workspace = workspace
        self.registry = registry
        described = Media("picture", media.name, media.size, media.sha256)
        self.episode = Episode(task.question, described, id=task.id, model="oracle")

    def act(self, thought: str, op: str, **arguments: Any) -> bool:
        """One executed call; False when the operation refused."""
        call = Call(op, arguments)
        observation = self.registry.run(call, self.workspace)
        step = Step(thought, call, observation)
        self.episode = self.episode.with_step(replace(step, text=_DIALECT.turn(step)))
        return observation.error is None

    def answer(self, raw: str, thought: str = "") -> Episode:
        """The finished episode."""
        expansion = expand(raw, handles_of(self.episode.observations))
        answer = Answer(expansion.text, raw, expansion.evidence, known=not raw.startswith(CANNOT))
        step = Step(thought, answer=answer)
        step = replace(step, text=_DIALECT.turn(step))
        return replace(self.episode.with_step(step), answer=answer, ended="answered")

    def box(self, box: Any) -> list[int]:
        """A source box in 0..1000 of image 0, in tens."""
        return [tens(value) for value in self.workspace.view(0).to_relative(box)]

    def point(self, place: tuple[float, float], image: int) -> list[int]:
        """A source point in 0..1000 of that image, in tens."""
        view = self.workspace.view(image)
        return [tens(value) for value in view.point_to_relative(Point(*place))]


def tens(value: float) -> int:
    """Rounded to a multiple of ten: a hundred values are learned sooner than a thousand."""
    return int(round(value / 10) * 10)


def enumerated(points: list[list[int]]) -> str:
    """The thought before a count: numbered points in reading order, so the last number counts."""
    ordered = sorted(points, key=lambda p: (p[1], p[0]))
    return ", ".join(f"{n}: [{x}, {y}]" for n, (x, y) in enumerate(ordered, 1)) or "none"


def solve(task: Task, workspace: Workspace, registry: Registry) -> Episode:
    """The task's golden episode; its answer is what the operations really found."""
    solver = Solver(task, workspace, registry)
    plan = task.plan
    if plan.kind == "unknown":
        return solver.answer(CANNOT)
    if plan.kind == "read":
        box = {} if plan.box is None else {"bbox_2d": solver.box(plan.box)}
        solver.act(plan.target, "read_text", **box)
        return solver.answer("{text_1}")
    image = 0
    if plan.box is not None:
        solver.act(plan.target, "zoom_in", bbox_2d=solver.box(plan.box))
        image = 1
    points = [solver.point(point, image) for point in plan.points]
    if plan.kind == "count":
        cite = " [crop_1]" if image else ""
        return solver.answer(f"{len(points)}{cite}", enumerated(points))
    named = {"image": image} if image else {}
    if solver.act(plan.target, "segment_object_at", point_2d=points[0], **named):
        solver.act("", "get_properties", mask="mask_1")
        return solver.answer(f"{{mask_1.{plan.field}}}")
    return solver.answer(CANNOT)
