"""Fitting a calibration: labelled questions, answered by votes as the service answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pixelis.agent import Agent
from pixelis.episode import Answer
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


def _asking(one: Question, seed: int) -> Asking:
    kind = "" if one.answer_type == UNKNOWN else one.answer_type
    return Asking(one.text, one.media, kind, one.choices or (), seed)
