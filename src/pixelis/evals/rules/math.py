"""MathVista's scoring (Lu et al. 2024): the answer brought to its type, then compared exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pixelis.answers import normalize
from pixelis.answers.score import edit_distance

QUOTED = re.compile(r'The answer is "(.*)"\.')
LETTER = re.compile(r"\(([a-zA-Z])\)")
LONGEST = 1000  # letters compared with the choices


def mathvista(
    text: str, golds: Sequence[str], choices: Sequence[str], details: Mapping[str, Any]
) -> float:
    """1 when the answer, brought to the question's type, equals gold.

    A choice is taken by its letter, else the one nearest in edit distance; an integer is cut to a
    whole number; a float is rounded to the question's precision. The authors have GPT-4 extract the
    value from a long answer first; here its one number is taken, and none or several are wrong.

    Args:
        details: `kind` (`integer`, `float`, `list` or `text`) and `precision`.
    """
    gold = golds[0].strip()
    said = _extracted(text)
    if choices:
        wanted = _choice(gold, choices) if gold not in choices else gold
        return float(_choice(said, choices) == wanted)
    kind = details.get("kind", "text")
    if kind in ("integer", "float"):
        return float(_number(said, details) is not None and _number(said, details) == gold)
    return float(said == gold)


def _extracted(text: str) -> str:
    found = QUOTED.search(text)
    return (found[1] if found else text).strip()


def _choice(said: str, choices: Sequence[str]) -> str:
    letters = LETTER.findall(said)
    letter = letters[0].upper() if letters else said
    names = [chr(ord("A") + index) for index in range(len(choices))]
    if letter in names:
        return choices[names.index(letter)]
    short = letter[:LONGEST]
    return min(choices, key=lambda choice: edit_distance(short, choice))


def _number(said: str, details: Mapping[str, Any]) -> str | None:
    value = _read(said)
    if value is None:
        return None
    if details.get("kind") == "integer":
        return str(int(value))
    return str(round(value, int(details.get("precision") or 0)))


def _read(said: str) -> float | None:
    try:
        value = float(said)
    except ValueError:
        quantity = normalize.number(said)
        return quantity.value if quantity else None
    return value if abs(value) < 1e18 else None
