"""TRANCE in Reason-RFT: a sequence of changes, graded step by step."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

STEP = re.compile(r"(\w+)\((\w+),\s*'?(\w+)'?\)")
MOST = 200  # steps read; keeps a hostile answer cheap

Step = tuple[str, str, str]


def transform(text: str, golds: Sequence[str], _: Sequence[str], __: Mapping[str, Any]) -> float:
    """The mean credit of steps `func(object, value)`, over the longer of both lists.

    A step with function, object and value right counts 1, with the function and one of the others
    right 0.5, with the function alone 0.25 (Tan et al. 2025, arXiv:2503.20752). Repeated steps
    count once. The authors pair steps in the order of a hash table; here it is the order written.
    """
    wanted, said = _steps(golds[0]), _steps(text)
    longer = max(len(wanted), len(said))
    if not wanted or not said:
        return 0.0
    credit = 0.0
    for worth, key in LEVELS:
        matched = _pair(said, wanted, key)
        credit += worth * matched
    return credit / longer


LEVELS: tuple[tuple[float, Callable[[Step], object]], ...] = (
    (1.0, lambda step: step),
    (0.5, lambda step: step[:2]),
    (0.5, lambda step: (step[0], step[2])),
    (0.25, lambda step: step[0]),
)


def _steps(text: str) -> list[Step]:
    found = dict.fromkeys(STEP.findall(text)[:MOST])
    return list(found)


def _pair(said: list[Step], wanted: list[Step], key: Callable[[Step], object]) -> int:
    """Takes pairs with the same key out of both lists and gives how many there were."""
    matched = 0
    for step in list(said):
        other = next((one for one in wanted if key(one) == key(step)), None)
        if other is not None:
            said.remove(step)
            wanted.remove(other)
            matched += 1
    return matched
