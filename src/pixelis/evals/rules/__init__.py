"""Scoring as the authors of each benchmark do it: an answer's text in, a grade in [0, 1] out.

Written anew from the published scoring code and papers, one file a family of rules. Where the
original guesses at random, or asks a language model to read the answer, nothing is guessed here and
an answer that cannot be read counts as wrong; the docstring of each rule says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pixelis.evals.rules import choice, college, distance, formula, math, parts, transform

Rule = Callable[[str, Sequence[str], Sequence[str], Mapping[str, Any]], float]

RULES: Mapping[str, Rule] = {
    "letter": choice.letter,
    "first_letter": choice.first_letter,
    "count": formula.count,
    "anls": distance.anls,
    "mmmu": college.mmmu,
    "mathvista": math.mathvista,
    "formula": formula.formula,
    "parts": parts.parts,
    "transform": transform.transform,
}


def apply(
    name: str, text: str, golds: Sequence[str], choices: Sequence[str], details: Mapping[str, Any]
) -> float:
    """The grade of an answer by the rule `name`; 1 is right. ValueError for an unknown rule.

    No text makes a rule raise.
    """
    if name not in RULES:
        raise ValueError(f"rule {name!r}; rules are {', '.join(RULES)}")
    if not text.strip():
        return 0.0
    return RULES[name](text, golds, choices, details)
