"""The curiosity term: a bonus within the group, and what the model did not expect.

The group bonus is equation 10 of Pixel-Reasoner (arXiv 2505.15966):

    alpha * max(H - RaPR, 0) * [used operations]  +  beta * min(N - n_calls, 0)

RaPR, the rate of pixel-space reasoning, is the share of a group's episodes that used operations.
Two things differ from its released code: RaPR counts an episode only when a call told something
(a failed or empty call, a repeat, or the whole picture once more is not use), and every call costs,
failed ones too. A group in which nobody looks gets no bonus at all: the term keeps looking alive,
it cannot bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from pixelis.episode import Episode
from pixelis.rewards.calls import looks, used

ALPHA, BETA, RATE, CALLS = 0.5, 0.05, 0.3, 1


def rapr(group: Sequence[Episode]) -> float:
    """Share of the episodes that used operations, in [0, 1]; 0 for no episodes."""
    return sum(map(used, group)) / len(group) if group else 0.0


def bonus(
    group: Sequence[Episode],
    alpha: float = ALPHA,
    beta: float = BETA,
    rate: float = RATE,
    calls: int = CALLS,
) -> list[float]:
    """The group bonus of each episode, at most `alpha * rate`; below 0 for calls beyond `calls`.

    Args:
        group: all episodes about one question; in any order.
        rate: H, the share of episodes that should look.
        calls: N, how many calls are free.
    """
    wanting = alpha * max(rate - rapr(group), 0.0)
    return [
        wanting * used(episode) + beta * min(calls - len(looks(episode)), 0) for episode in group
    ]


def surprise(errors: Sequence[float], usual: float) -> float:
    """How unexpected an episode's transitions were, in [0, 1]; 0 without any.

    The mean over calls, so that more calls alone earn nothing; each counts as much as the usual
    error at most.

    Args:
        errors: what a forward model mispredicted at each call that told something, 0 or more.
        usual: the error of transitions it has not learned yet, above 0.
    """
    if not errors:
        return 0.0
    return sum(min(max(error, 0.0) / usual, 1.0) for error in errors) / len(errors)
