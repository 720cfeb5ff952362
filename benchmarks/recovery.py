"""How often a model finds its way when its first call is made for it, and wrong.

pixelis bench recovery --model nano --count 300

Questions are those of the worlds. Each is asked twice: as it is, and after a first turn that looks
beside the thing, at too much, or with the wrong operation (`pixelis.data.slips`), whose executed
observation shows that it was wrong. The rate is the share answered right after that turn; beside it
stand the same questions without it. Families that count at a glance or follow tracks have no such
first turn and are left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

import numpy as np

from pixelis.agent import Agent, Task
from pixelis.answers.score import correct
from pixelis.data import tasks
from pixelis.data.slips import FORMS
from pixelis.data.solver import Solver
from pixelis.episode import Episode
from pixelis.evals.provenance import origin
from pixelis.evals.statistics import mean_interval
from pixelis.media import open_media
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import Workspace

SPOILED = ("beside", "wide", "mistaken")


def spoiled(task: tasks.Task, agent: Agent, rng: np.random.Generator, form: str) -> str | None:
    """A wrong first turn, as the model would write it; None where this form has none."""
    profile = agent.profile
    with open_media(task.source, name=task.id) as media:
        workspace = Workspace(media, profile.budget, text_limit=profile.text_limit)
        solver = Solver(task, workspace, REGISTRY)
        if not FORMS[form](solver, rng):
            return None
    return solver.episode.steps[0].text


def drawn(agent: Agent, count: int, seed: int) -> Iterator[tuple[tasks.Task, str, str]]:
    """Test questions with a wrong first turn and its form, families and forms in turn."""
    found = 0
    for index in range(40 * count):
        task = tasks.draw(seed, index, "test")
        form = SPOILED[found % len(SPOILED)]
        turn = spoiled(task, agent, np.random.default_rng([seed, index]), form)
        if turn is not None:
            yield task, form, turn
            found += 1
        if found == count:
            return


def share(right: Sequence[bool]) -> dict[str, object]:
    """Mean with a 95 % interval."""
    values = [float(one) for one in right]
    if not values:
        return {"n": 0}
    interval = [round(end, 4) for end in mean_interval(values)]
    return {"n": len(values), "right": round(sum(values) / len(values), 4), "ci95": interval}


def is_right(task: tasks.Task, episode: Episode) -> bool:
    told = episode.answer.text if episode.answer else ""
    return correct(told, task.answer, task.answer_type)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="nano")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    args = parser.parse_args()
    with Agent.load(args.model) as agent:
        made = list(drawn(agent, args.count, args.seed))
        plain = agent.ask_many([Task(task.source, task.question) for task, *_ in made])
        forced = agent.ask_many(
            [Task(task.source, task.question, opening=(turn,)) for task, _, turn in made]
        )
    before = [is_right(task, one) for (task, *_), one in zip(made, plain, strict=True)]
    after = [is_right(task, one) for (task, *_), one in zip(made, forced, strict=True)]
    told = {
        **origin(args.model, f"pixelis bench recovery --model {args.model} --count {args.count}"),
        "seed": args.seed,
        "undisturbed": share(before),
        "after a wrong first call": share(after),
        "recovered of those right undisturbed": share(
            [a for a, b in zip(after, before, strict=True) if b]
        ),
        "by form": {
            form: share([a for a, (_, f, _) in zip(after, made, strict=True) if f == form])
            for form in SPOILED
        },
    }
    print(json.dumps(told, indent=1) if args.json else _table(told))


def _table(told: dict[str, object]) -> str:
    rows = {**told, **told["by form"]}  # type: ignore[dict-item]
    return "\n".join(
        f"{name:40} {row['right']:.3f} of {row['n']}"
        for name, row in rows.items()
        if isinstance(row, dict) and "right" in row
    )


if __name__ == "__main__":
    main()
