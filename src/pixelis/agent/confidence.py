"""How sure an answer is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pixelis.episode import Observation


def combine(answer_probability: float | None, supports: Sequence[float]) -> float | None:
    """Confidence of an answer, in [0, 1].

    The mean probability of the tokens of the answering turn times the geometric mean of the
    confidences of the operations the answer rests on: `p * (c_1 * ... * c_n) ** (1 / n)`, and `p`
    alone when it rests on none that tells. None when the policy reports no probabilities.
    """
    if answer_probability is None or not supports:
        return answer_probability
    return answer_probability * math.prod(supports) ** (1 / len(supports))


def supports(observations: Iterable[Observation], evidence: Sequence[str]) -> list[float]:
    """Confidences of the observations whose handles are evidence."""
    return [
        seen.confidence
        for seen in observations
        if seen.handle in evidence and seen.confidence is not None
    ]
