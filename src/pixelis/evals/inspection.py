"""Asks a benchmark under Inspect: its limits, its logs and viewer, its parallel samples.

The agent is the solver: every sample asks through the agent's one batcher, so samples share
generate calls. `pixelis.answers` and the official rules are the scorer. What is done is kept in
`results.jsonl` as it comes; a run that was killed and is started again asks only what is missing,
and its log holds the kept samples beside the new ones. The log (`inspect/*.eval`) opens with
`inspect view`.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pixelis.episode import Episode, Media
from pixelis.errors import JobError, MissingExtraError, StoreError
from pixelis.evals.controls import Asker
from pixelis.evals.question import Benchmark, Grader, Question
from pixelis.evals.results import RESULTS, Result, Store, judge
from pixelis.evals.run import CHUNK, OnResult, check_unchanged
from pixelis.geometry import Size

try:
    import inspect_ai
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageUser, ModelOutput
    from inspect_ai.scorer import Score, Target, accuracy, scorer, stderr
    from inspect_ai.solver import Generate, TaskState, solver
except ImportError as error:  # named in one line by the command
    raise MissingExtraError("inspect_ai", "eval") from error

LOGS = "inspect"


@dataclass(frozen=True)
class Limits:
    """What one question may take, as Inspect enforces it.

    Attributes:
        seconds: wall time, drawing the question included; None for no limit besides the agent's own
            budget. Questions under way share the machine, so this is no measure of speed.
        abreast: questions under way at once.
    """

    seconds: int | None = None
    abreast: int = CHUNK


def evaluate(
    benchmark: Benchmark,
    asker: Asker,
    settings: Mapping[str, Any] | None = None,
    out: Path | None = None,
    on_result: OnResult | None = None,
    clock: Callable[[], float] = time.monotonic,
    limits: Limits | None = None,
    grader: Grader | None = None,
) -> list[Result]:
    """Results of all questions, in the benchmark's order; as `run.evaluate`, under Inspect.

    Args:
        settings: what else the results depend on (model, control, ...); a folder holds the results
            of one combination and refuses another (ConfigError).
        out: folder for results and logs, made when missing; None keeps neither.
        grader: a language model for benchmarks whose authors use one.

    What an asker raises ends the run and is raised here; JobError when Inspect itself fails.
    """
    limits = limits or Limits()
    identity = {"benchmark": benchmark.name, **benchmark.settings, **(settings or {})}
    identity |= {"time_limit": limits.seconds} if limits.seconds else {}
    store = Store(out / RESULTS, identity) if out is not None else None
    try:
        done = dict(store.results) if store else {}
        check_unchanged(benchmark, done)
        if any(name not in done for name in benchmark.ids):
            sitting = Sitting(benchmark, asker, done, store, on_result, clock, grader)
            _examine(sitting, identity, out, limits)
    finally:
        if store:
            store.close()
    return [done[name] for name in benchmark.ids]


class Sitting:
    """One run: which questions are done, and what solver and scorer tell each other about them."""

    def __init__(
        self,
        benchmark: Benchmark,
        asker: Asker,
        done: dict[str, Result] | None = None,
        store: Store | None = None,
        on_result: OnResult | None = None,
        clock: Callable[[], float] = time.monotonic,
        grader: Grader | None = None,
    ) -> None:
        self.benchmark = benchmark
        self.asker = asker
        self.done = done if done is not None else {}
        self.store = store
        self.on_result = on_result
        self.clock = clock
        self.grader = grader
        self.failure: BaseException | None = None
        self._keeping = threading.Lock()
        self._under_way: dict[str, tuple[Question, Episode | None]] = {}
        self._places = {name: index for index, name in enumerate(benchmark.ids)}
        self._last = clock()

    async def ask(self, name: str) -> Episode:
        """The episode of a question; a kept one is not asked again."""
        if name in self.done:
            return Episode.from_dict(self.done[name].episode)
        try:
            question = self._load(name)
            self._under_way[name] = (question, None)
            episode = await self.asker(question)
        except Exception as error:
            self.failure = self.failure or error
            raise
        self._under_way[name] = (question, episode)
        return episode

    def finish(self, name: str) -> Result:
        """Judges and keeps a question; one whose time ran out, even before it was drawn, is one
        without an answer."""
        if name in self.done:
            return self.done[name]
        try:
            asked = self._under_way.pop(name, None)
            question, episode = asked or (self._load(name), None)
            result = judge(question, episode or _late(question), grader=self.grader)
            with self._keeping:
                return self._keep(result)
        except Exception as error:
            self.failure = self.failure or error
            raise

    def _load(self, name: str) -> Question:
        return self.benchmark.load(self._places[name])

    def _keep(self, result: Result) -> Result:
        now = self.clock()
        result = replace(result, wall_s=round(now - self._last, 4))
        self._last = now
        self.done[result.id] = result
        if self.store:
            self.store.add(result)
        if self.on_result:
            self.on_result(result, len(self.done), len(self.benchmark))
        return result


def task_of(sitting: Sitting, limits: Limits | None = None) -> inspect_ai.Task:
    """The Inspect task of a sitting; the questions are drawn when their turn comes."""
    benchmark = sitting.benchmark
    samples = [Sample(input=f"question {name}", id=name) for name in benchmark.ids]
    return inspect_ai.Task(
        dataset=MemoryDataset(samples, name=benchmark.name),
        solver=agent(sitting),
        scorer=answer(sitting),
        name=benchmark.name,
        time_limit=limits.seconds if limits else None,
        metadata={"settings": dict(benchmark.settings)},
    )


@solver(name="pixelis_agent")
def agent(sitting: Sitting) -> Any:
    """Asks the agent a sample's question; the steps become the sample's messages."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        episode = await sitting.ask(str(state.sample_id))
        state.messages = messages_of(episode)
        said = episode.answer.text if episode.answer else ""
        state.output = ModelOutput.from_content(episode.model or "oracle", said)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()], name="pixelis_answer")
def answer(sitting: Sitting) -> Any:
    """Judges by the question's own rule; 1 is right, 0 is wrong, the grade is in the metadata."""

    async def score(state: TaskState, target: Target) -> Score:
        name = str(state.sample_id)
        if sitting.grader is None:
            result = sitting.finish(name)
        else:  # a judge takes its time, and the others go on meanwhile
            result = await asyncio.to_thread(sitting.finish, name)
        gold = result.gold if isinstance(result.gold, str) else " / ".join(result.gold)
        facts = asdict(result)
        kept = ("family", "score", "judged", "ops", "failed_ops", "ended", "confidence", "tokens")
        return Score(
            value=int(result.correct),
            answer=result.answer,
            explanation=f"gold: {gold}",
            metadata={name: facts[name] for name in kept},
        )

    return score


def messages_of(episode: Episode) -> list[ChatMessage]:
    """The conversation as the log shows it; images are not kept in it."""
    found: list[ChatMessage] = [ChatMessageUser(content=episode.question)]
    for step in episode.steps:
        if step.text or step.thought:
            found.append(ChatMessageAssistant(content=step.text or step.thought))
        if step.observation is not None:
            seen = step.observation
            told = seen.error or seen.text
            found.append(ChatMessageUser(content=f"{step.call.op if step.call else ''}: {told}"))
    return found


def _late(question: Question) -> Episode:
    media = Media("picture", question.picture, Size(0, 0), "")
    return Episode(question.asked, media, id=question.id, ended="time")


def _examine(
    sitting: Sitting, identity: Mapping[str, Any], out: Path | None, limits: Limits
) -> None:
    """Runs Inspect over what is missing; the sitting's results are complete afterwards."""
    with tempfile.TemporaryDirectory(prefix="pixelis-eval-") as scratch:
        folder = out / LOGS if out else Path(scratch)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: cannot keep logs ({error.strerror})") from error
        [log] = inspect_ai.eval(
            task_of(sitting, limits),
            model="none/none",
            metadata=dict(identity),
            display="none",
            log_dir=str(folder),
            log_format="eval",
            log_realtime=False,
            log_images=False,
            log_level="error",
            max_samples=limits.abreast,
            fail_on_error=True,
            acp_server=False,
            ctl_server=False,
            score_display=False,
        )
    if sitting.failure is not None:
        raise sitting.failure
    if log.status == "cancelled":
        raise KeyboardInterrupt
    if log.status != "success":
        reason = log.error.message if log.error else log.status
        raise JobError(f"Inspect ended with {log.status}: {' '.join(reason.split())}")
