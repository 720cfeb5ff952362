"""Fitting a calibration: labelled questions, answered by votes as the service answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pixelis.agent import Agent
from pixelis.episode import Answer
from pixelis.errors import ConfigError
from pixelis.evals.question import UNKNOWN, Benchmark, Question
from pixelis.evolve.calibration import KINDS, Calibration, Kind, Measured, fit, measure
from pixelis.online.answering import Asking, answer
from pixelis.online.settings import EvolveConfig


class Said(NamedTuple):
    """One verdict: its raw confidence in [0, 1], and whether the answer was right."""

    confidence: float
    right: bool


class Fitted(NamedTuple):
    """The best map, and the error that each kind leaves on answers it was not fitted on."""

    calibration: Calibration
    measured: dict[Kind, Measured]


def ask(
    agent: Agent,
    questions: Benchmark,
    config: EvolveConfig,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> list[Said]:
    """Verdicts on the questions; those without an answer are left out, as nothing learns from them.

    Args:
        config: how many votes, how hot, how they are weighed, and how many questions at once.
        told: called with how many questions are answered, and how many there are.
    """
    found: list[Said] = []
    for start in range(0, len(questions), config.ahead):
        places = range(start, min(start + config.ahead, len(questions)))
        asked = [questions.load(place) for place in places]
        askings = [
            _asking(one, config.seed + place) for one, place in zip(asked, places, strict=True)
        ]
        verdicts = answer(agent, askings, config.votes, config.temperature, config.strategy)
        for one, reply in zip(asked, verdicts, strict=True):
            verdict = reply.verdict
            if not verdict.abstained:
                found.append(Said(verdict.confidence, one.judge(Answer(verdict.answer)).correct))
        told(places[-1] + 1, len(questions))
    return found


def best(said: list[Said]) -> Fitted:
    """The map whose kind has the least log loss on answers that it has not seen.

    Not the least calibration error: on few answers most of that is chance.
    """
    raw, right = [one.confidence for one in said], [one.right for one in said]
    measured = {kind: measure(raw, right, kind) for kind in KINDS}
    kind = min(KINDS, key=lambda name: measured[name].loss)
    return Fitted(fit(raw, right, kind), measured)


def setting(agent: Agent, config: EvolveConfig) -> dict[str, Any]:
    """What a raw confidence depends on; a calibration holds for this and nothing else."""
    return {
        "policy": agent.policy.name, "votes": config.votes, "temperature": config.temperature,
        "strategy": config.strategy,
    }  # fmt: skip


def read(path: Path | None, here: Mapping[str, Any]) -> Calibration:
    """The calibration in a file of `pixelis gauge`, the identity without one.

    Args:
        here: `setting` of who will use it; files that do not say theirs are taken as they are.

    Raises ConfigError for a file that cannot be read, or was fitted in another setting.
    """
    if path is None:
        return Calibration()
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        found = Calibration.from_dict(record)
    except OSError as error:
        raise ConfigError(f"calibration = {path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"calibration = {path}: {error}; fit one again") from error
    there = record.get("of")
    for name, value in here.items() if isinstance(there, Mapping) else ():
        if name in there and there[name] != value:
            raise ConfigError(
                f"calibration = {path}: fitted with {name} {there[name]}, here it is {value}; "
                "fit one for this: pixelis gauge"
            )
    return found


def _asking(one: Question, seed: int) -> Asking:
    kind = "" if one.answer_type == UNKNOWN else one.answer_type
    return Asking(one.text, one.media, kind, one.choices or (), seed)
