"""The oracle: solves a task by really running operations where the truth says to look.

Its episodes are the golden chain-of-thought-action data nano is fine-tuned on, and the `oracle`
control of evaluation: what the operations themselves make possible.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pixelis.data.slips import FORMS, astray
from pixelis.data.solutions import SOLUTIONS, listed, tally
from pixelis.data.solver import Solver, tens
from pixelis.data.tasks import Task
from pixelis.episode import Episode
from pixelis.ops.registry import Registry
from pixelis.ops.workspace import Workspace

__all__ = ["Solver", "astray", "listed", "slipped", "solve", "tally", "tens"]


def solve(task: Task, workspace: Workspace, registry: Registry, exact: bool = False) -> Episode:
    """The task's golden episode; its answer is what the operations really found.

    `exact` gives boxes to the thousandth of a side; else they are in tens.
    """
    solver = Solver(task, workspace, registry)
    solver.exact = exact
    return SOLUTIONS[task.plan.kind](solver, task.plan)


def slipped(
    task: Task,
    workspace: Workspace,
    registry: Registry,
    rng: np.random.Generator,
    form: str = "beside",
) -> Episode | None:
    """The golden episode with calls that go wrong as a model's may (`slips.FORMS`).

    Their observations say so, and the next call mends it; `meta["slips"]` lists the places of such
    steps and `meta["form"]` is their form. None when the calls drawn were no visible slips.
    """
    solver = Solver(task, workspace, registry)
    if not FORMS[form](solver, rng):
        return None
    episode = SOLUTIONS[task.plan.kind](solver, task.plan)
    if not (solver.slips and solver.visible):
        return None
    return replace(episode, meta={**episode.meta, "form": form})
