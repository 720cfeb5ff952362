"""The oracle: solves a task by really running operations where the truth says to look.

Its episodes are the golden chain-of-thought-action data nano is fine-tuned on, and the `oracle`
control of evaluation: what the operations themselves make possible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pixelis.answers.reference import expand, handles_of
from pixelis.data.tasks import Plan, Task
from pixelis.episode import Answer, Call, Episode, Media, Step
from pixelis.geometry import Box, Point, Size
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
        self.task = task
        self.slips = 0

    def act(self, thought: str, op: str, **arguments: Any) -> bool:
        """One executed call; False when the operation refused."""
        call = Call(op, arguments)
        observation = self.registry.run(call, self.workspace)
        step = Step(thought, call, observation)
        self.episode = self.episode.with_step(replace(step, text=_DIALECT.turn(step)))
        return observation.error is None

    def slip(self, rng: np.random.Generator) -> bool:
        """A first call beside the mark; False when it did not come out as a miss that can be seen.

        A zoom or a reading goes to a box that shows little of the right one, a point falls beside
        the object. It counts as seen when nothing was read, nothing stood out, or the crop shows
        less than a third of what was meant.
        """
        plan = self.task.plan
        if plan.box is None:
            return plan.kind == "measure" and self._miss(rng, plan.points[0])
        box = astray(rng, plan.box, self.workspace.media.size)
        if box is None:
            return False
        op = "read_text" if plan.kind == "read" else "zoom_in"
        self.act(plan.target, op, bbox_2d=self.box(box))
        self.slips = 1
        return op == "zoom_in" or not self.workspace.handles

    def _miss(self, rng: np.random.Generator, place: tuple[float, float]) -> bool:
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(40, 130)
        x, y = self.point(place, 0)
        beside = [tens(x + far * np.cos(angle)), tens(y + far * np.sin(angle))]
        if not all(0 <= value <= 1000 for value in beside):
            return False
        self.act(self.task.plan.target, "segment_object_at", point_2d=beside)
        self.slips = 1
        return not self.workspace.handles

    def hinted(self) -> list[int] | None:
        """The point that the last observation named, when it lies in the middle of what is meant.

        In tens where that is still on it.
        """
        seen = self.episode.observations[-1:]
        if not self.slips or not seen or "near" not in seen[0].data:
            return None
        near = seen[0].data["near"]
        meant = self.task.plan.points[0]
        side = 0.05 * min(self.workspace.media.size)
        if abs(near[0] - meant[0]) > side or abs(near[1] - meant[1]) > side:
            return None
        return list(self.workspace.view(0).point_to_relative(Point(*near)))

    def answer(self, raw: str, thought: str = "") -> Episode:
        """The finished episode."""
        expansion = expand(raw, handles_of(self.episode.observations))
        answer = Answer(expansion.text, raw, expansion.evidence, known=not raw.startswith(CANNOT))
        step = Step(thought, answer=answer)
        step = replace(step, text=_DIALECT.turn(step))
        meta = {"slips": self.slips} if self.slips else {}
        return replace(self.episode.with_step(step), answer=answer, ended="answered", meta=meta)

    def line(self, field: str) -> str:
        """The reference to the latest text, or to its `first` or `last` line."""
        found = [seen.data for seen in self.episode.observations if seen.handle]
        if not field or not found:
            return "{text_1}"
        number = 1 if field == "first" else len(found[-1]["lines"])
        return f"{{text_1.line_{number}}}"

    def box(self, box: Any) -> list[int]:
        """A source box in 0..1000 of image 0, in tens."""
        return [tens(value) for value in self.workspace.view(0).to_relative(box)]

    def viewed(self, image: int) -> Callable[[tuple[float, float]], list[int]]:
        """`point` on that image."""
        return lambda place: self.point(place, image)

    def point(self, place: tuple[float, float], image: int) -> list[int]:
        """A source point in 0..1000 of that image, in tens."""
        view = self.workspace.view(image)
        return [tens(value) for value in view.point_to_relative(Point(*place))]


def astray(rng: np.random.Generator, box: Box, size: Size) -> Box | None:
    """A box of the same size that shows less than a third of it; None where there is no room."""
    for _ in range(8):
        dx, dy = rng.uniform(-1.6, 1.6, 2) * (box.width, box.height)
        moved = box.shift(float(dx), float(dy))
        inside = moved.clip(size)
        if inside.area > 0.8 * box.area and moved.intersect(box).area < 0.3 * box.area:
            return inside
    return None


def tens(value: float) -> int:
    """Rounded to a multiple of ten: a hundred values are learned sooner than a thousand."""
    return int(round(value / 10) * 10)


Thing = tuple[str, list[int], bool]


def listed(plan: Plan, point: Callable[[tuple[float, float]], list[int]]) -> list[Thing]:
    """What a `count` plan is about, for `tally`; `point` turns source pixels into 0..1000."""
    return [(name, point(place), place in plan.points) for name, place in plan.among]


def tally(target: str, things: Sequence[Thing]) -> str:
    """The thought before a count: what is asked for, then everything there is, in reading order,
    the asked ones numbered.

    Args:
        target: what is counted, as `Plan.target`.
        things: name, point in 0..1000 and whether it is asked for, of each.

    To name what comes next and then to decide whether it counts are two small steps; to find the
    next that counts is a large one.
    """
    said, count = [], 0
    for name, (x, y), asked in sorted(things, key=lambda thing: (thing[1][1], thing[1][0])):
        count += asked
        said.append(f"{name} [{x}, {y}]" + (f" = {count}" if asked else ""))
    return f"{target}: {'; '.join(said) or 'none'}"


def solve(task: Task, workspace: Workspace, registry: Registry) -> Episode:
    """The task's golden episode; its answer is what the operations really found."""
    return _solved(Solver(task, workspace, registry))


def slipped(
    task: Task, workspace: Workspace, registry: Registry, rng: np.random.Generator
) -> Episode | None:
    """The golden episode behind a first call that goes wrong as a model's may.

    Its observation says so, and the next call mends it; `meta["slips"]` is the number of such
    steps. None when the call drawn was no visible miss.
    """
    solver = Solver(task, workspace, registry)
    return _solved(solver) if solver.slip(rng) else None


def _solved(solver: Solver) -> Episode:
    """The rest of the episode, from where the solver stands."""
    plan = solver.task.plan
    if plan.kind == "unknown":
        return solver.answer(CANNOT)
    if plan.kind == "read":
        box = {} if plan.box is None else {"bbox_2d": solver.box(plan.box)}
        solver.act(plan.target, "read_text", **box)
        return solver.answer(solver.line(plan.field))
    image = 0
    if plan.box is not None:
        solver.act(plan.target, "zoom_in", bbox_2d=solver.box(plan.box))
        image = len(solver.workspace.images) - 1
    if plan.kind == "count":
        cite = f" [crop_{image}]" if image else ""
        thought = tally(plan.target, listed(plan, solver.viewed(image)))
        return solver.answer(f"{len(plan.points)}{cite}", thought)
    named = {"image": image} if image else {}
    point = solver.hinted() or solver.point(plan.points[0], image)
    if solver.act(plan.target, "segment_object_at", point_2d=point, **named):
        solver.act("", "get_properties", mask="mask_1")
        return solver.answer(f"{{mask_1.{plan.field}}}")
    return solver.answer(CANNOT)
