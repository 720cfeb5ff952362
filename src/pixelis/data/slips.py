"""Slips: steps that go wrong as a model's may, before the golden way is taken or on it.

Each is executed, and counts only when its observation shows that it was one: nothing was read,
nothing stood out, the crop shows little of what was meant or too much around it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pixelis.data.plans import Place
from pixelis.data.solver import Solver, tens
from pixelis.geometry import Box, Size

PAIRED = ("compare", "side", "same")
POINTED = ("measure", *PAIRED)


def astray(rng: np.random.Generator, box: Box, size: Size) -> Box | None:
    """A box of the same size that shows less than a third of it; None where there is no room."""
    for _ in range(8):
        dx, dy = rng.uniform(-1.6, 1.6, 2) * (box.width, box.height)
        moved = box.shift(float(dx), float(dy))
        inside = moved.clip(size)
        if inside.area > 0.8 * box.area and moved.intersect(box).area < 0.3 * box.area:
            return inside
    return None


def around(rng: np.random.Generator, box: Box, size: Size) -> Box | None:
    """A box of about four times the area that holds it somewhere; None when it is nearly all."""
    factor = float(rng.uniform(1.7, 2.3))
    width, height = box.width * factor, box.height * factor
    x1 = box.x1 - float(rng.uniform(0.1, 0.9)) * (width - box.width)
    y1 = box.y1 - float(rng.uniform(0.1, 0.9)) * (height - box.height)
    wide = Box(x1, y1, x1 + width, y1 + height).clip(size)
    return wide if 2.2 * box.area < wide.area < 0.7 * size.width * size.height else None


def beside(solver: Solver, rng: np.random.Generator) -> bool:
    """A zoom or a reading beside the box, or a point beside the thing."""
    plan = solver.task.plan
    if plan.box is None:
        return plan.kind in POINTED and _missed(
            solver, rng, plan.points[0], plan.led(solver.viewed(0))
        )
    box = astray(rng, plan.box, solver.workspace.media.size)
    if box is None:
        return False
    op = "read_text" if plan.kind == "read" else "zoom_in"
    before = len(solver.workspace.handles)
    solver.act(plan.led(solver.viewed(0)), op, bbox_2d=solver.box(box))
    solver.slip()
    return op == "zoom_in" or len(solver.workspace.handles) == before


def _missed(solver: Solver, rng: np.random.Generator, place: Place, thought: str) -> bool:
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(40, 130)
    x, y = solver.point(place, 0)
    spot = [tens(x + far * np.cos(angle)), tens(y + far * np.sin(angle))]
    if not all(0 <= value <= 1000 for value in spot):
        return False
    solver.act(thought, "segment_object_at", point_2d=spot)
    solver.slip()
    return solver.seen.handle is None


def twice(solver: Solver, rng: np.random.Generator) -> bool:
    """Two of them, one after the other, not at the same place."""
    if not (beside(solver, rng) and beside(solver, rng)):
        return False
    first, second = solver.episode.calls[-2:]
    return first.key() != second.key()


def wide(solver: Solver, rng: np.random.Generator) -> bool:
    """A zoom that shows too much; the next look goes on from it."""
    plan = solver.task.plan
    box = None if plan.box is None else around(rng, plan.box, solver.workspace.media.size)
    if box is None or plan.boxes:
        return False
    solver.act(plan.led(solver.viewed(0)), "zoom_in", bbox_2d=solver.box(box))
    solver.slip()
    solver.image = len(solver.workspace.images) - 1
    return True


def mistaken(solver: Solver, rng: np.random.Generator) -> bool:
    """The wrong operation: reads where nothing is written, outlines where something is."""
    plan, size = solver.task.plan, solver.workspace.media.size
    if plan.kind == "read":
        place = plan.box.center if plan.box else None
        if place is None:
            return False
        spot = solver.point((place.x, place.y), 0)
        solver.act(plan.led(solver.viewed(0)), "segment_object_at", point_2d=spot)
        solver.slip()
        return True
    if plan.boxes or plan.points:
        box = plan.boxes[0] if plan.boxes else _about(plan.points[0], size)
    else:
        return False
    solver.act(plan.led(solver.viewed(0)), "read_text", bbox_2d=solver.box(box))
    solver.slip()
    return solver.seen.handle is None and solver.seen.error is None


def later(solver: Solver, rng: np.random.Generator) -> bool:
    """A point beside the second of two things, after the first was found and measured."""
    plan = solver.task.plan
    if plan.kind not in PAIRED or plan.box is not None:
        return False
    solver.detour = lambda place: _missed(solver, rng, place, "")
    return True


def _about(point: tuple[float, float], size: Size) -> Box:
    side = 0.07 * min(size)
    return Box(*point, *point).pad(side).clip(size)


FORMS: dict[str, Callable[[Solver, np.random.Generator], bool]] = {
    "beside": beside,
    "twice": twice,
    "wide": wide,
    "mistaken": mistaken,
    "later": later,
}
FIRST = ("beside", "twice", "wide", "mistaken")  # those that stand at the beginning
