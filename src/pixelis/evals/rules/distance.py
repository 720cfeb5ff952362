"""ANLS: how near an answer is to gold in letters, as InfographicVQA is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pixelis.answers.score import edit_distance

THRESHOLD = 0.5


def anls(text: str, golds: Sequence[str], _: Sequence[str], __: Mapping[str, Any]) -> float:
    """The best over gold answers of 1 - NL, 0 where NL is 0.5 or more (Biten et al. 2019, eq. 1).

    NL is the edit distance over the longer length, both texts lower case with single spaces.
    """
    said = _plain(text)
    return max((_near(said, _plain(gold)) for gold in golds), default=0.0)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _near(said: str, gold: str) -> float:
    longer = max(len(said), len(gold))
    if longer == 0:
        return 0.0
    apart = edit_distance(said, gold) / longer
    return 1 - apart if apart < THRESHOLD else 0.0
