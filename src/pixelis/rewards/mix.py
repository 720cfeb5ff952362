"""The reward of an episode: its terms, weighted, normalised and staged.

    R = answer + pay * (w_cur * cur+ + w_coh * coh+) + w_cur * cur- + w_coh * coh- - w_mis * misuse

where + and - are the positive and negative parts of the normalised terms, and `pay` is 1 when the
answer is right, else `consolation`: bonuses are paid fully only then (DeepEyes, arXiv 2505.14362,
measured 55.4 without a bonus, 71.8 with one for every answer, 72.6 with one for right answers).

Curiosity and coherence are divided by their running root mean square and cut at `limit`; nothing is
subtracted from them, so a bonus stays a bonus and nothing stays nothing. So a wrong answer can earn
at most `consolation * limit * (w_cur + w_coh)`, a ninth of what a right one does by default.

Everything is a value: scoring gives the new state beside the rewards, and leaves the old one alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from pixelis.episode import Episode
from pixelis.errors import CheckpointError
from pixelis.rewards.answer import Gold, answer
from pixelis.rewards.coherence import coherence
from pixelis.rewards.curiosity import bonus, surprise
from pixelis.rewards.group import mean
from pixelis.rewards.misuse import misuse

NORMALISED = ("curiosity", "coherence")


class Terms(NamedTuple):
    """Raw terms of an episode: answer 0 or 1, coherence in [-1, 1], misuse in [0, 1]; curiosity is
    the group bonus plus `surprise` times the surprise."""

    answer: float
    curiosity: float
    coherence: float
    misuse: float


class Stage(NamedTuple):
    """Which shaping terms count."""

    name: str
    curiosity: float
    coherence: float


STAGES = (Stage("task", 0, 0), Stage("coherence", 0, 1), Stage("full", 1, 1))


@dataclass(frozen=True)
class Mix:
    """Weights and rules.

    Attributes:
        curiosity, coherence, misuse: weights of the terms.
        surprise: how much the forward model's surprise counts beside the group bonus.
        usual: forward-model error that counts as full surprise.
        consolation: share of the bonuses that a wrong answer is paid, in [0, 1].
        limit: normalised terms lie in [-limit, limit].
        decay: of the running root mean square, for each observation of a batch.
        least: root mean squares below this count as this much, so that noise is not blown up.
        goal: mean of the answer term from which the next stage begins.
        patience: batches before a stage may end, and over which the answer term is averaged.
        start: name of the first stage.
    """

    curiosity: float = 0.05
    coherence: float = 0.1
    misuse: float = 0.1
    surprise: float = 0.1
    usual: float = 1.0
    consolation: float = 0.25
    limit: float = 3.0
    decay: float = 0.99
    least: float = 0.05
    goal: float = 0.5
    patience: int = 10
    start: str = "task"


@dataclass(frozen=True)
class State:
    """What scoring remembers from batch to batch.

    Attributes:
        stage: index into `STAGES`, None before the first batch.
        since: batches in this stage.
        success: running mean of the answer term in this stage, None before its first batch.
        weight, squares: of the running root mean squares, by term.
    """

    stage: int | None = None
    since: int = 0
    success: float | None = None
    weight: float = 0.0
    squares: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> State:
        """What `to_dict` gave; CheckpointError when it is something else."""
        try:
            state = cls(**record)
            if state.stage is not None and not 0 <= state.stage < len(STAGES):
                raise ValueError(f"stage {state.stage}")
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"state of rewards {record!r} cannot be used: {error}") from error
        return state


class Scored(NamedTuple):
    """An episode's reward and what it is made of; `normalised` has curiosity and coherence."""

    terms: Terms
    normalised: Mapping[str, float]
    reward: float


class Scores(NamedTuple):
    """Rewards of a batch, in its groups and their order, and the state for the next batch."""

    groups: list[list[Scored]]
    state: State


def terms(
    group: Sequence[Episode],
    gold: Gold,
    mix: Mix | None = None,
    errors: Sequence[Sequence[float]] | None = None,
) -> list[Terms]:
    """Raw terms of each episode of a group about one question; the group's order does not matter.

    Args:
        errors: forward-model errors of each episode's calls; None without a forward model.
    """
    mix = mix or Mix()
    surprises = [surprise(one, mix.usual) for one in errors or [()] * len(group)]
    return [
        Terms(
            answer(episode, gold),
            paid + mix.surprise * unexpected,
            coherence(episode),
            misuse(episode),
        )
        for episode, paid, unexpected in zip(group, bonus(group), surprises, strict=True)
    ]


def score(
    groups: Sequence[Sequence[Episode]],
    golds: Sequence[Gold],
    mix: Mix | None = None,
    state: State | None = None,
    errors: Sequence[Sequence[Sequence[float]]] | None = None,
) -> Scores:
    """Rewards of a batch of groups, and the state for the next batch.

    Args:
        golds: one for each group.
        errors: by group, episode and call; None without a forward model.
    """
    mix = mix or Mix()
    listed: Sequence[Sequence[Sequence[float]] | None] = errors or [None] * len(groups)
    raw = [
        terms(group, gold, mix, one) for group, gold, one in zip(groups, golds, listed, strict=True)
    ]
    before = state or State()
    after = observe(before, [one for group in raw for one in group], mix)
    stage = stage_of(before, mix)
    return Scores([[weigh(one, mix, after, stage) for one in group] for group in raw], after)


def observe(state: State, batch: Sequence[Terms], mix: Mix) -> State:
    """The state after a batch, whatever the order of its episodes.

    The stage moves at the end of a batch, so it holds from the next one on.
    """
    if state.stage is None:
        state = replace(state, stage=stage_called(mix.start))
    if not batch:
        return state
    new = {name: mean([getattr(one, name) ** 2 for one in batch]) for name in NORMALISED}
    weight = mix.decay * state.weight + (1 - mix.decay)
    squares = {
        name: mix.decay * state.squares.get(name, 0.0) + (1 - mix.decay) * value
        for name, value in new.items()
    }
    state = replace(state, weight=weight, squares=squares)
    return _advanced(state, mean([one.answer for one in batch]), mix)


def stage_of(state: State, mix: Mix) -> Stage:
    """The stage that holds."""
    return STAGES[stage_called(mix.start) if state.stage is None else state.stage]


def weigh(one: Terms, mix: Mix, state: State, stage: Stage) -> Scored:
    """The reward of an episode with these terms; see the module.

    Args:
        state: after `observe` of its batch, for the running root mean squares.
        stage: the one that held before that.
    """
    scales = {name: scale(state, name, mix) for name in NORMALISED}
    normalised = {
        name: max(-mix.limit, min(mix.limit, getattr(one, name) / scales[name]))
        for name in NORMALISED
    }
    pay = 1.0 if one.answer >= 1 else mix.consolation
    shaped = 0.0
    for name, value in normalised.items():
        weight = getattr(mix, name) * getattr(stage, name)
        shaped += weight * value * (pay if value > 0 else 1.0)
    return Scored(one, normalised, one.answer + shaped - mix.misuse * one.misuse)


def scale(state: State, name: str, mix: Mix) -> float:
    """What a term is divided by: its running root mean square, or `least` where that is more."""
    if not state.weight:
        return mix.least
    return max(math.sqrt(state.squares.get(name, 0.0) / state.weight), mix.least)


def stage_called(name: str) -> int:
    """Index of a stage; ValueError for a name that there is not."""
    names = [stage.name for stage in STAGES]
    if name not in names:
        raise ValueError(f"stage {name!r} is not known; stages are {', '.join(names)}")
    return names.index(name)


def _advanced(state: State, success: float, mix: Mix) -> State:
    """The state with one more batch of its stage, or in the next stage."""
    assert state.stage is not None
    share = 1 / min(state.since + 1, max(mix.patience, 1))
    running = success if state.success is None else state.success
    running += share * (success - running)
    since = state.since + 1
    last = state.stage == len(STAGES) - 1
    if not last and since >= mix.patience and running >= mix.goal:
        return replace(state, stage=state.stage + 1, since=0, success=None)
    return replace(state, since=since, success=running)


def means(scored: Iterable[Scored]) -> dict[str, float]:
    """Mean of every raw and normalised term and of the reward, for logs."""
    listed = list(scored)
    raw = {name: mean([getattr(one.terms, name) for one in listed]) for name in Terms._fields}
    own = {f"{n}_normalised": mean([one.normalised[n] for one in listed]) for n in NORMALISED}
    return {**raw, **own, "reward": mean([one.reward for one in listed])}
