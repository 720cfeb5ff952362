"""Which option an answer names: VLMEvalKit's rule (V*, HR-Bench) and MVBench's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MARKS = ".()[],:;!*#{}"
FROM_THE_END = 5


def letter(text: str, golds: Sequence[str], choices: Sequence[str], _: Mapping[str, Any]) -> float:
    """1 when the one option that the answer names is gold's letter.

    As VLMEvalKit reads answers without a judge (`can_infer`): exactly one option letter stands
    alone among the words, not before the last five of them, else exactly one option's text is
    contained. With a judge it asks that for the rest; here the rest is wrong.
    """
    return float(infer(text, choices) == golds[0].strip().upper())


def infer(text: str, choices: Sequence[str]) -> str | None:
    """The letter of the option an answer names, None when it names none or several."""
    letters = [chr(ord("A") + index) for index in range(len(choices))]
    words = text.translate(str.maketrans(MARKS, " " * len(MARKS))).split()
    named = [one for one in letters if one in words]
    if len(named) == 1 and words.index(named[0]) > len(words) - FROM_THE_END:
        return named[0]
    return _by_text(text, letters, choices)


def _by_text(text: str, letters: Sequence[str], choices: Sequence[str]) -> str | None:
    lowered = text.lower()
    if len(lowered) > 2 * sum(map(len, choices)):
        return None
    held = [one for one, choice in zip(letters, choices, strict=True) if choice.lower() in lowered]
    return held[0] if len(held) == 1 else None


def first_letter(
    text: str, golds: Sequence[str], choices: Sequence[str], _: Mapping[str, Any]
) -> float:
    """1 when the answer's first word is gold's option, as MVBench's authors compare.

    They ask for "Best option: (" and compare the first word, lower case, with "(b)" of gold: either
    may contain the other. Theirs takes any word with a letter of it ("a" is in "(a)"); here the
    first word must be a letter with or without brackets, or the whole answer an option's text.
    """
    gold = golds[0].strip()
    wanted = gold.upper() if len(gold) == 1 else _place(gold, choices)
    words = text.split()
    match = re.fullmatch(r"\(?([A-Za-z])[.:,)]*", words[0])
    said = match[1].upper() if match else _place(text, choices)
    return float(said is not None and said == wanted)


def _place(text: str, choices: Sequence[str]) -> str | None:
    """The letter of the option with this text, in whatever case and with or without a full stop."""
    bare = [choice.strip().lower().rstrip(".") for choice in choices]
    asked = text.strip().lower().rstrip(".")
    return chr(ord("A") + bare.index(asked)) if asked in bare else None
