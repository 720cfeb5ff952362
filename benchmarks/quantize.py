"""What 8-bit and 4-bit weights of a model cost and save: bytes, speed and agreement, in one run.

python benchmarks/quantize.py --model nano --questions 60 --rounds 3

Every kind answers the same frozen questions about worlds, greedily; the rounds that measure speed
take turns, so a busy machine slows all of them. Agreement is with the whole weights: the same
answer, and the same first turn letter by letter; accuracy is against the truth, with its 95 %
interval.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

from pixelis.agent import Agent, Task
from pixelis.episode import Episode
from pixelis.evals.question import Question
from pixelis.evals.statistics import mean_interval
from pixelis.evals.worlds import read_worlds
from pixelis.models.quantize import weight_bytes

KINDS = (None, "int8", "int4")


def text_of(episode: Episode) -> str | None:
    return episode.answer.text if episode.answer else None


def first_turn(episode: Episode) -> str:
    return episode.steps[0].text if episode.steps else ""


def speeds(agents: dict[Any, Agent], tasks: list[Task], rounds: int) -> dict[Any, float]:
    """Tokens a second of each kind, the median of the rounds."""
    told: dict[Any, list[float]] = {kind: [] for kind in agents}
    for _ in range(rounds):
        for kind, agent in agents.items():
            start = time.perf_counter()
            episodes = agent.ask_many(tasks)
            tokens = sum(step.tokens for episode in episodes for step in episode.steps)
            told[kind].append(tokens / (time.perf_counter() - start))
    return {kind: statistics.median(rates) for kind, rates in told.items()}


def row_of(
    kind: str | None, agent: Agent, questions: list[Question], episodes: dict[Any, list[Episode]]
) -> dict[str, Any]:
    """Bytes, agreement with the whole weights, and accuracy of one kind."""
    pairs = list(zip(episodes[None], episodes[kind], strict=True))
    judged = zip(questions, episodes[kind], strict=True)
    right = [float(question.judge(episode.answer).correct) for question, episode in judged]
    interval = mean_interval(right, [question.picture for question in questions])
    return {
        "weights": kind or "whole",
        "weight_mb": round(weight_bytes(agent.policy.model) / 1e6, 2),  # type: ignore[attr-defined]
        "same_answer": statistics.mean(text_of(a) == text_of(b) for a, b in pairs),
        "same_first_turn": statistics.mean(first_turn(a) == first_turn(b) for a, b in pairs),
        "accuracy": statistics.mean(right),
        "ci95": [round(float(each), 3) for each in interval],
        "n": len(right),
    }


def measure(given: argparse.Namespace) -> list[dict[str, Any]]:
    benchmark = read_worlds("test", None, given.questions, None)
    questions = [benchmark.load(index) for index in range(len(benchmark))]
    tasks = [Task(question.media, question.text) for question in questions]
    options = {"device": given.device, "threads": given.threads}
    agents = {kind: Agent.load(given.model, quantize=kind, **options) for kind in KINDS}
    try:
        episodes = {kind: agent.ask_many(tasks) for kind, agent in agents.items()}
        rates = speeds(agents, tasks[: max(1, len(tasks) // 4)], given.rounds)
        return [
            row_of(kind, agent, questions, episodes) | {"tokens_per_s": round(rates[kind], 1)}
            for kind, agent in agents.items()
        ]
    finally:
        for agent in agents.values():
            agent.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    for row in measure(given):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
