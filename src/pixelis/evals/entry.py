"""The tasks that `inspect eval` finds: the same agent, questions and scoring as `pixelis eval`.

    inspect eval pixelis/worlds --model none/none --max-samples 64 -T agent=nano -T limit=100
    inspect eval pixelis/published --model none/none -T name=vstar -T data=VSTAR -T agent=hf:PATH

`none/none` because the agent brings its own model; `agent` is what `pixelis ask --model` takes.
Retries, limits and logs are Inspect's own (`--time-limit`, `inspect eval-retry`, `inspect view`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from inspect_ai import Task, task

from pixelis.episode import Episode
from pixelis.errors import ConfigError
from pixelis.evals.benchmarks import read_published
from pixelis.evals.controls import CONTROLS, Asker, RandomCrops, agent_asker, oracle_asker
from pixelis.evals.inspection import Sitting, task_of
from pixelis.evals.jsonl import read_jsonl
from pixelis.evals.question import Benchmark, Question
from pixelis.evals.worlds import read_worlds
from pixelis.ops.registry import REGISTRY


@task
def worlds(
    agent: str = "nano",
    split: str = "test",
    limit: int | None = None,
    seed: int | None = None,
    control: str = "none",
) -> Task:
    """Procedural questions: the frozen exam, or fresh ones with a seed."""
    return _task(read_worlds(split, seed, limit), agent, control, seed or 0)


@task
def jsonl(data: str, agent: str = "nano", limit: int | None = None, control: str = "none") -> Task:
    """Anybody's own questions."""
    return _task(read_jsonl(Path(data), limit), agent, control)


@task
def published(
    name: str, data: str, agent: str = "nano", limit: int | None = None, control: str = "none"
) -> Task:
    """A published benchmark from its folder."""
    work = Path(tempfile.mkdtemp(prefix="pixelis-media-"))  # lives as long as the log is read
    return _task(read_published(name, Path(data), work, limit), agent, control)


def _task(benchmark: Benchmark, agent: str, control: str, seed: int = 0) -> Task:
    if control not in CONTROLS:
        raise ConfigError(f"control {control!r} is not known; give {', '.join(CONTROLS)}")
    return task_of(Sitting(benchmark, _Late(agent, control, seed)))


class _Late:
    """An asker whose model is loaded at the first question, not when tasks are listed."""

    def __init__(self, agent: str, control: str, seed: int) -> None:
        self.spec, self.control, self.seed = agent, control, seed
        self._ask: Asker | None = None

    async def __call__(self, question: Question) -> Episode:
        if self._ask is None:
            self._ask = self._load()
        return await self._ask(question)

    def _load(self) -> Asker:
        if self.control == "oracle":
            from pixelis.data.oracle import solve

            return oracle_asker(solve, REGISTRY)
        from pixelis.agent import Agent

        crops = self.control == "random_crop"
        registry = RandomCrops(REGISTRY, self.seed) if crops else REGISTRY
        return agent_asker(Agent.load(self.spec, registry=registry), self.control, self.seed)
