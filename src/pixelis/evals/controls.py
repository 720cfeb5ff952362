"""Controls: the same questions under conditions that show where the accuracy comes from.

- `none`: the agent as it is.
- `no_ops`: the same model with a budget of no calls, told so with the loop's own words.
- `random_crop`: every box and point a call names is replaced by a random one of the same size, so
  the model works as hard but does not look where it wanted to.
- `oracle`: the truth chooses the operations, which really run; the ceiling of the operations.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pixelis.agent import Agent, Task
from pixelis.agent.budget import ANSWER_NOW, notice
from pixelis.episode import Call, Episode, Observation
from pixelis.errors import ConfigError, MediaError
from pixelis.evals.question import Question
from pixelis.media import open_media
from pixelis.models.policy import Sampling
from pixelis.ops.registry import Operation, Registry
from pixelis.ops.workspace import Workspace

CONTROLS = ("none", "no_ops", "random_crop", "oracle")

OnDone = Callable[[int, Episode], None]
Solver = Callable[[Sequence[Question], OnDone], None]
Asker = Callable[[Question], Awaitable[Episode]]


def agent_asker(
    agent: Agent, control: str = "none", seed: int = 0, sampling: Sampling | None = None
) -> Asker:
    """Asks the agent one question; many under way share its one batcher.

    Args:
        sampling: None takes the agent's.

    For `random_crop` the agent must have been made with a `RandomCrops` registry.
    """
    _check_registry(agent, control)

    async def ask(question: Question) -> Episode:
        task = replace(_task(agent, question, control, seed), sampling=sampling)
        try:
            rollout = await asyncio.wrap_future(agent.submit(task))
        except MediaError as error:
            return agent.unusable(task, error)
        return rollout.episode

    return ask


def oracle_asker(
    solve_task: Callable[[Any, Workspace, Registry], Episode],
    registry: Registry,
    make_workspace: Callable[[Any], Workspace] = Workspace,
) -> Asker:
    """Like `oracle_solver`, one question at a time in a thread."""

    def solve(question: Question) -> Episode:
        return _by_oracle(question, solve_task, registry, make_workspace)

    async def ask(question: Question) -> Episode:
        return await asyncio.to_thread(solve, question)

    return ask


def agent_solver(agent: Agent, control: str = "none", seed: int = 0) -> Solver:
    """Asks the agent all questions at once, under a control other than `oracle`.

    For `random_crop` the agent must have been made with a `RandomCrops` registry.
    """
    _check_registry(agent, control)

    def solve(questions: Sequence[Question], on_done: OnDone) -> None:
        agent.ask_many([_task(agent, question, control, seed) for question in questions], on_done)

    return solve


def oracle_solver(
    solve_task: Callable[[Any, Workspace, Registry], Episode],
    registry: Registry,
    make_workspace: Callable[[Any], Workspace] = Workspace,
) -> Solver:
    """Solves each question's procedural task with real operations chosen by its truth.

    Args:
        solve_task: `solve(task, workspace, registry) -> Episode`.
        make_workspace: from opened media; give it the pixel budget of the model it is shown beside.
    """

    def solve(questions: Sequence[Question], on_done: OnDone) -> None:
        for index, question in enumerate(questions):
            on_done(index, _by_oracle(question, solve_task, registry, make_workspace))

    return solve


def _by_oracle(
    question: Question,
    solve_task: Callable[[Any, Workspace, Registry], Episode],
    registry: Registry,
    make_workspace: Callable[[Any], Workspace],
) -> Episode:
    if question.task is None:
        raise ConfigError(
            "control oracle needs procedural questions with their truth; "
            "use it with 'pixelis eval worlds'"
        )
    with open_media(question.media) as media, make_workspace(media) as workspace:
        return solve_task(question.task, workspace, registry)


def _check_registry(agent: Agent, control: str) -> None:
    if control == "random_crop" and not isinstance(agent.registry, RandomCrops):
        raise ConfigError("control random_crop needs an agent with a RandomCrops registry")


class RandomCrops(Registry):
    """The operations of `inner`, with every box and point argument moved to a random place.

    Sizes are kept, places are drawn from the seed, the picture and the call, so a run repeats
    whatever the order of its episodes. What is no valid box or point is passed on as it came and
    fails as it would have failed.
    """

    def __init__(self, inner: Registry, seed: int = 0) -> None:
        super().__init__()
        self.inner = inner
        self.seed = seed

    def get(self, name: str) -> Operation:
        return self.inner.get(name)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.inner)

    def run(self, call: Call, workspace: Workspace) -> Observation:
        return self.inner.run(self._moved(call, workspace), workspace)

    def _moved(self, call: Call, workspace: Workspace) -> Call:
        operation = next((one for one in self.inner if one.name == call.op), None)
        if operation is None:
            return call
        rng = self._random(call, workspace)
        arguments = dict(call.arguments)
        image = arguments.get("image", 0)
        known = isinstance(image, int) and 0 <= image < len(workspace.images)
        for name, schema in operation.schema["function"]["parameters"]["properties"].items():
            move = {4: move_box, 2: move_point}.get(_numbers_wanted(schema))
            value: Any = arguments.get(name)
            if move is not None and (_numbers(value, 4) or _numbers(value, 2)):
                limits = workspace.extent(value, image if known else 0)
                arguments[name] = move(value, limits, rng)
        return replace(call, arguments=arguments)

    def _random(self, call: Call, workspace: Workspace) -> np.random.Generator:
        steps = [len(workspace.images), len(workspace.handles)]
        key = json.dumps([self.seed, workspace.media.sha256, call.key(), *steps])
        return np.random.default_rng(list(hashlib.sha256(key.encode()).digest()))


def move_box(value: Any, limits: Sequence[float], rng: np.random.Generator) -> Any:
    """A box of the same width and height anywhere within `limits`; other values unchanged."""
    if not _numbers(value, 4):
        return value
    x1, y1, x2, y2 = value
    width, height = x2 - x1, y2 - y1
    if not (0 < width <= limits[0] and 0 < height <= limits[1]):
        return value
    left = _place(limits[0] - width, value, rng)
    top = _place(limits[1] - height, value, rng)
    return [left, top, left + width, top + height]


def move_point(value: Any, limits: Sequence[float], rng: np.random.Generator) -> Any:
    """A point anywhere within `limits`; values that are no point inside them are unchanged."""
    if not _numbers(value, 2) or not (0 <= value[0] <= limits[0] and 0 <= value[1] <= limits[1]):
        return value
    return [_place(limit, value, rng) for limit in limits]


def _place(room: float, like: Sequence[float], rng: np.random.Generator) -> float:
    """Uniform in 0..room; a whole number when the call gave whole numbers."""
    if all(isinstance(number, int) for number in like):
        return int(rng.integers(0, int(room) + 1))
    return float(rng.uniform(0, room))


def _numbers(value: Any, count: int) -> bool:
    if not isinstance(value, list | tuple) or len(value) != count:
        return False
    return all(isinstance(x, int | float) and not isinstance(x, bool) for x in value)


def _numbers_wanted(schema: Mapping[str, Any]) -> int:
    """4 for an argument that is a box, 2 for a point, by its JSON schema; 0 for all others."""
    for option in schema.get("anyOf", [schema]):
        count = option.get("minItems")
        if count in (2, 4) and option.get("maxItems") == count:
            return count if option.get("items", {}).get("type") == "number" else 0
    return 0


def _task(agent: Agent, question: Question, control: str, seed: int) -> Task:
    if control != "no_ops":
        return Task(question.media, question.asked, seed, id=question.id)
    budget = replace(agent.budget, calls=0)
    asked = f"{question.asked}\n{notice(ANSWER_NOW)}"
    return Task(question.media, asked, seed, budget=budget, id=question.id)
