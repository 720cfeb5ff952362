"""Shift, end to end: how much of what labels would give does learning without labels give?

    python recipes/online/shift.py --questions 500 --held 300 --seeds 3 --out results

For each seed, on the held-out domains (`shift`): accuracy of nano on a disjoint labelled set before
learning, beside maj@N on the same set; then two learners from the same start on the same stream,
one with its own votes, one with the true answers (the ceiling); then the same sets again, the
original domain included. Answers come before learning, so the stream's own accuracy is prequential.
Everything runs in this process, learner steps between batches of questions.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pixelis.agent import Agent, Task
from pixelis.data import tasks
from pixelis.evals.question import Question
from pixelis.evals.statistics import compare, mean_interval
from pixelis.evals.worlds import question_of
from pixelis.online.answering import Asking, answer
from pixelis.online.exam import FAMILIES, Examiner, pool
from pixelis.online.learner import Learner
from pixelis.online.service import Service
from pixelis.online.settings import EvolveConfig
from pixelis.online.stream import Record
from pixelis.online.trainer import AdapterTrainer

STREAM, HELD, HOME = 4101, 4201, 4301  # seeds of the three sets, apart from every other set


def draw(seed: int, count: int, split: Any) -> list[Question]:
    drawn = (tasks.draw(seed, index, split, FAMILIES) for index in range(count))
    return [question_of(task, task.id) for task in drawn]


def greedy(agent: Agent, questions: Sequence[Question]) -> list[bool]:
    episodes = agent.ask_many([Task(one.media, one.asked) for one in questions])
    return [q.judge(e.answer).correct for q, e in zip(questions, episodes, strict=True)]


def majority(agent: Agent, questions: Sequence[Question], votes: int) -> list[bool]:
    found = []
    for one in questions:
        asking = Asking(one.text, one.media, one.answer_type)
        (done,) = answer(agent, [asking], votes, 1.0, "majority")
        said = done.episode.answer
        text = done.verdict.answer
        found.append(bool(said and text and one.judge(_replaced(said, text)).correct))
    return found


def _replaced(said: Any, text: str) -> Any:
    from dataclasses import replace

    return replace(said, text=text, known=True)


def learn(folder: Path, questions: Sequence[Question], config: EvolveConfig, labels: bool) -> Any:
    """Streams the questions through a service with a learner beside it; gives a model folder, or
    None when nothing was promoted, and figures."""
    agent, trained = Agent.load("nano"), Agent.load("nano")
    right: list[bool] = []
    with Service(agent, folder / "store", config) as service:
        trainer = AdapterTrainer(trained, config, None, config.seed)
        asker = Examiner(trained, pool(config.canary, 2 * config.canary_size, "nano"))
        learner = Learner(service.memory, trainer, asker, config, "study")
        for start in range(0, len(questions), config.ahead):
            part = questions[start : start + config.ahead]
            replies = service.answer([record(folder, one) for one in part])
            for one, reply in zip(part, replies, strict=True):
                kept = service.memory.get(reply.experience_id)
                right.append(kept.answer != "" and one.judge(answer_of(kept)).correct)
                if labels:
                    told = Asking(one.text, None, one.answer_type).normal(str(one.gold))
                    service.queue.put(kept.id, told, 1.0, config.lr, "corrected")
            while learner.step() != "idle":
                pass
        told = [dict(v._asdict(), sha256="") for v in service.versions.all()]
        best = service.versions.promoted
        learner.close()
        trained.close()
        if best:
            target = folder / "promoted"
            service.versions.path(best).rename(target)
    return (folder / "promoted" if best else None), {"prequential": right, "versions": told}


def answer_of(kept: Any) -> Any:
    from pixelis.episode import Answer

    return Answer(kept.answer)


def record(folder: Path, one: Question) -> Record:
    path = folder / f"{one.id}.png"
    one.media.save(path)
    return Record(one.id, one.text, path, one.answer_type, family=one.family)


def one_seed(seed: int, args: argparse.Namespace) -> dict[str, Any]:
    stream = draw(STREAM + seed, args.questions, "shift")
    held, home = draw(HELD + seed, args.held, "shift"), draw(HOME + seed, args.held, "train")
    config = EvolveConfig(seed=seed, ahead=8, cold=0, review=0.0, canary_size=args.canary)
    with Agent.load("nano") as agent:
        found: dict[str, Any] = {
            "before": greedy(agent, held),
            "home_before": greedy(agent, home),
            "majority": majority(agent, held, args.votes),
        }
    for arm, labels in (("votes", False), ("labels", True)):
        with tempfile.TemporaryDirectory() as folder:
            model, told = learn(Path(folder), stream, config, labels)
            with Agent.load(f"hf:{model}" if model else "nano") as agent:
                found |= {f"{arm}_after": greedy(agent, held), f"{arm}_home": greedy(agent, home)}
        found |= {f"{arm}_{name}": value for name, value in told.items()}
    return found


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means with intervals, and paired differences, over all seeds."""

    def pooled(name: str) -> list[float]:
        return [float(v) for run in runs for v in run[name]]

    arms = ("before", "majority", "votes_after", "labels_after", "home_before", "votes_home")
    told: dict[str, Any] = {
        name: {"value": float(np.mean(pooled(name))), "interval": list(mean_interval(pooled(name)))}
        for name in arms
    }
    for name, first, second in (
        ("gain without labels", "votes_after", "before"),
        ("gain with labels", "labels_after", "before"),
        ("above majority before", "votes_after", "majority"),
        ("original domain", "votes_home", "home_before"),
    ):
        done = compare(pooled(first), pooled(second))
        told[name] = {"value": done.difference, "interval": list(done.interval), "p": done.p}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name, default in (("questions", 500), ("held", 300), ("seeds", 3), ("votes", 8),
                          ("canary", 200)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    runs = []
    for seed in range(args.seeds):
        runs.append(one_seed(seed, args))
        (args.out / f"seed-{seed}.json").write_text(json.dumps(runs[-1]) + "\n")
    (args.out / "shift.json").write_text(json.dumps(summary(runs), indent=2) + "\n")
    print(json.dumps(summary(runs), indent=2))


if __name__ == "__main__":
    main()
