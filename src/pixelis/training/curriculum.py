"""Which share of easy, medium and hard episodes is learned now: a state machine over accuracies.

    easy --> mixed --> full

It goes on when held-out accuracy reaches the goal, or has not risen for some evaluations; it steps
back when accuracy falls five points below the best since the stage began. After a step back it
rests for some evaluations: nothing is decided then. Pure: the same accuracies give the same stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from pixelis.errors import CheckpointError


class Stage(NamedTuple):
    """A mixture; `shares` by band, None for the data as they are."""

    name: str
    shares: Mapping[str, float] | None


STAGES = (
    Stage("easy", {"easy": 0.8, "medium": 0.2, "hard": 0.0}),
    Stage("mixed", {"easy": 0.4, "medium": 0.4, "hard": 0.2}),
    Stage("full", None),
)


@dataclass(frozen=True)
class Rules:
    """When the stage changes; accuracies are in [0, 1].

    Attributes:
        goal: accuracy from which the next stage begins.
        fall: so far below the best it steps back.
        rest: evaluations after a step back in which nothing changes.
        patience: evaluations without a new best after which it goes on all the same, 0 for never.
    """

    goal: float = 0.7
    fall: float = 0.05
    rest: int = 2
    patience: int = 4


@dataclass(frozen=True)
class State:
    """Where the curriculum stands.

    Attributes:
        stage: index into `STAGES`.
        best: highest accuracy since the stage began, None before the first.
        since: evaluations since that best.
        resting: evaluations that are left of the rest.
        history: (step, stage) of every change.
    """

    stage: int = 0
    best: float | None = None
    since: int = 0
    resting: int = 0
    history: tuple[tuple[int, int], ...] = ((0, 0),)

    @property
    def name(self) -> str:
        return STAGES[self.stage].name

    @property
    def shares(self) -> Mapping[str, float] | None:
        return STAGES[self.stage].shares

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> State:
        """What `to_dict` wrote; CheckpointError when it is something else."""
        try:
            history = tuple((int(step), int(stage)) for step, stage in record["history"])
            state = cls(**{**record, "history": history})
            if not 0 <= state.stage < len(STAGES):
                raise ValueError(f"stage {state.stage}")
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"curriculum state {record!r} cannot be used: {error}") from error
        return state


def observe(state: State, accuracy: float, step: int, rules: Rules | None = None) -> State:
    """The state after an evaluation at `step`."""
    rules = rules or Rules()
    if state.resting:
        best = max(accuracy, state.best or 0.0)
        return replace(state, resting=state.resting - 1, best=best, since=0)
    if state.best is not None and accuracy < state.best - rules.fall and state.stage > 0:
        return _moved(state, -1, accuracy, step, rules.rest)
    last = state.stage == len(STAGES) - 1
    if accuracy >= rules.goal and not last:
        return _moved(state, 1, accuracy, step, 0)
    if state.best is None or accuracy > state.best:
        return replace(state, best=accuracy, since=0)
    waited = state.since + 1
    if rules.patience and waited >= rules.patience and not last:
        return _moved(state, 1, accuracy, step, 0)
    return replace(state, since=waited)


def _moved(state: State, by: int, accuracy: float, step: int, rest: int) -> State:
    stage = state.stage + by
    return State(stage, accuracy, 0, rest, (*state.history, (step, stage)))
