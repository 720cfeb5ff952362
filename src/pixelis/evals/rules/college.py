"""MMMU's scoring (Yue et al. 2024): an option letter, or words and numbers of a free answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

EDGES = (",", ".", "!", "?", ";", ":", "'")
LONG = 5  # words; only longer answers are searched for an option's text
KEYS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
TRIVIAL = frozenset({":", ",", ".", "!", "?", ";", "'"})
SPLIT = re.compile(r"\.\s(?=[A-Z])|\n")
NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])"),
)
LONGEST = 4000  # letters read of an answer; keeps a hostile one cheap


def mmmu(text: str, golds: Sequence[str], choices: Sequence[str], _: Mapping[str, Any]) -> float:
    """1 when the option is gold's, or a key phrase of a free answer holds gold.

    Of several options the last named one counts. The authors choose an option at random when none
    can be read; here an answer that is an option's text, or begins with its letter as "B." or "B)",
    is taken in that case, and the rest is wrong.
    """
    text = text[:LONGEST]
    if choices:
        return float(option(text, choices) == golds[0].strip().upper())
    return float(_open(text, golds))


def option(text: str, choices: Sequence[str]) -> str | None:
    """The letter of the option that an answer names last: as (B), alone, or by its text."""
    for mark in EDGES:
        text = text.strip(mark)
    text = f" {text} "
    letters = [chr(ord("A") + index) for index in range(len(choices))]
    for form in ("({})", " {} "):
        places = {one: text.rfind(form.format(one)) for one in letters}
        found = {one: place for one, place in places.items() if place >= 0}
        if found:
            return max(found, key=lambda one: found[one])
    if len(text.split()) > LONG:
        lowered = text.lower()
        places = {
            one: lowered.rfind(choice.lower()) for one, choice in zip(letters, choices, strict=True)
        }
        found = {one: place for one, place in places.items() if place >= 0}
        if found:
            return max(found, key=lambda one: found[one])
    return _plainly(text, letters, choices)


def _plainly(text: str, letters: Sequence[str], choices: Sequence[str]) -> str | None:
    """The option of an answer that is its text, or begins with its letter and a mark."""
    bare = [choice.strip(" .").lower() for choice in choices]
    said = text.strip(" .").lower()
    if said in bare:
        return letters[bare.index(said)]
    begun = re.match(r"\s*([A-Z])[.:)]", text)
    return begun[1] if begun and begun[1] in letters else None


def _open(text: str, golds: Sequence[str]) -> bool:
    wanted = [form for gold in golds for form in _forms(gold)]
    for said in _said(text):
        if isinstance(said, float):
            if said in wanted:
                return True
        elif any(isinstance(form, str) and form in said for form in wanted):
            return True
    return False


def _said(text: str) -> list[str | float]:
    """The key phrases of an answer and the numbers in them, in the form gold is compared in."""
    phrases = _phrases(text)
    numbers = [found for phrase in phrases for form in NUMBERS for found in form.findall(phrase)]
    return [form for one in [*phrases, *numbers] for form in _forms(one)]


def _phrases(text: str) -> list[str]:
    """What stands behind the last "is", "so", "answer" ... of each sentence; else all of it."""
    text = text.strip().strip(".").lower()
    # The text is lower case by now, as in the original, so only line breaks part it.
    pieces = SPLIT.split(text)
    found = []
    for index, piece in enumerate(pieces):
        keys = (*KEYS, "=") if index == len(pieces) - 1 else KEYS
        tails = [piece.split(key)[-1].strip() for key in keys if key in piece]
        shortest = min(tails, key=len, default="")
        if shortest and shortest not in TRIVIAL:
            found.append(shortest)
    return found or [text]


def _forms(text: str) -> list[str | float]:
    """A number with two decimals, or the text in lower case (one letter only beside a space)."""
    text = text.strip()
    try:
        return [round(float(text.replace(",", "")), 2)]
    except ValueError:
        lowered = text.lower()
        return [f" {lowered}", f"{lowered} "] if len(lowered) == 1 else [lowered]
