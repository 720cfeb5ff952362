"""Brings answers to a form in which equal means the same: one rule set for scoring and voting.

Every function takes any string and never raises; what cannot be read is None (or the plain
normalised text), so that a doubtful answer is counted wrong instead of guessed right.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from pixelis.answers.types import (
    COLOR_SYNONYMS,
    COLORS,
    DOUBT,
    NO,
    ONES,
    SCALES,
    TENS,
    UNITS,
    YES,
    AnswerType,
)

_ARTICLES = frozenset({"a", "an", "the"})
_LEAD_IN = re.compile(
    r"^(?:(?:the )?(?:final )?answer(?: is|:)|(?:it|the (?:text|word|sign|label|title)) "
    r"(?:is|says|reads)|it's|there are|there is|this is|that is|they are|i see|i count):?\s+(?=\S)"
)
_QUOTES = str.maketrans("‘’‚‛“”„‟«»‐‑‒–—−", '\'\'\'\'""""""------')
_EDGE = " \t\n\r\f\v.,;:!?\"'`*_()[]{}<>"
_NUMBER = re.compile(
    r"(?<![\w.,])([-+]?)("
    r"[0-9]{1,3}(?:[ '][0-9]{3})+(?![0-9])(?:[.,][0-9]+)?"  # 12 345,6
    r"|[0-9]+(?:[.,][0-9]+)*|\.[0-9]+)(k\b)?"
)
_GROUPED = re.compile(r"[1-9][0-9]{0,2}([,.' ])[0-9]{3}(?:\1[0-9]{3})*")
_LONGEST_NUMERAL = 20  # words; keeps a hostile run of number words cheap
_WORD = re.compile(r"[^\W\d_]+")


class Quantity(NamedTuple):
    """A number as it was written.

    Attributes:
        value: the number, finite.
        decimals: digits written after the decimal point; 0 for whole numbers and number words.
        unit: one symbol per unit (`cm`, `%`, `$`), "" when none of the known ones was written.
    """

    value: float
    decimals: int = 0
    unit: str = ""


def clean(text: str) -> str:
    """Compatibility forms, case, quotes, dashes and runs of whitespace evened out; no more."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold()
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    return " ".join(text.split())


def phrase(text: str) -> str:
    """`clean` without the punctuation around it (kept when nothing else is there: a sign "?")."""
    start = clean(text)
    return start.strip(_EDGE) or start


def without_lead_in(text: str) -> str:
    """`phrase` without an opening such as "it is" or "the sign says"; for answers, never gold."""
    bare = phrase(text)
    return _LEAD_IN.sub("", bare).strip(_EDGE) or bare


def word(text: str) -> str:
    """`phrase` without leading articles; hyphens are spaces, number words digits, grey is grey."""
    tokens = phrase(text).replace("-", " ").split()
    while len(tokens) > 1 and tokens[0] in _ARTICLES:
        tokens = tokens[1:]
    tokens = ["grey" if token == "gray" else token.replace("colour", "color") for token in tokens]
    joined = " ".join(tokens)
    spelled = spelled_number(joined)
    return f"{spelled}" if spelled is not None else joined or phrase(text)


def number(text: str) -> Quantity | None:
    """The one number in an answer; None when there is none or there are different ones.

    Reads digits with thousands separators (`1,234`, `1 234`, `1.234,5`), decimals with point or
    comma, a sign, `12k`, number words up to billions, "dozen", and "none"/"no" as 0 when the
    answer starts with it. Several numbers are a hedge and count as no answer.
    """
    plain = clean(text).strip(_EDGE.replace(".", ""))
    found = [_digits(match, plain) for match in _NUMBER.finditer(plain)] or _spelled(plain)
    values = {quantity.value for quantity in found if quantity is not None}
    if None in found or len(values) != 1:
        return None
    return max((quantity for quantity in found if quantity), key=lambda one: len(one.unit))


def spelled_number(text: str) -> int | None:
    """The value of a text that is nothing but an English number ("twenty-one" -> 21)."""
    tokens = text.replace("-", " ").split()
    if not tokens or any(token not in _NUMBER_WORDS for token in tokens) or tokens[0] == "and":
        return None
    total, current, last = 0, 0, math.inf
    for token in tokens:
        if token == "and":
            continue
        if token in SCALES and SCALES[token] > 100:
            total, current, last = total + max(current, 1) * SCALES[token], 0, math.inf
        elif token == "hundred":
            current, last = max(current, 1) * 100, 100
        else:
            value = ONES.get(token, TENS.get(token, 0))
            if value >= last or last < 20:
                return None
            current, last = current + value, value
    return total + current


_NUMBER_WORDS = frozenset({*ONES, *TENS, *SCALES, "and"})


def color(text: str) -> frozenset[str]:
    """The basic colour terms an answer names (synonyms mapped); empty when it names none."""
    found = set()
    for token in _WORD.findall(clean(text)):
        token = COLOR_SYNONYMS.get(token, token)
        if token in COLORS:
            found.add(token)
    return frozenset(found)


UNSEEN = re.compile(r"\b(ca|can|could|do) ?not (tell|say|know|see (that|this|it))\b")


def yes_no(text: str) -> bool | None:
    """True for yes, False for no, None for neither, both, or doubt ("not sure").

    "I can't see that" is doubt as well; "I can't see any" is a no.
    """
    tokens = re.findall(r"\w+", clean(text).replace("n't", " not"))
    if UNSEEN.search(" ".join(tokens)):
        return None
    yes = any(token in YES for token in tokens)
    no = False
    for token, after in zip(tokens, [*tokens[1:], ""], strict=False):
        if token == "not" and after in DOUBT:
            return None
        no = no or token in NO
    if yes and no and tokens[0] in YES | NO:
        return None if {"or", "and"} & set(tokens[:3]) else tokens[0] in YES
    return None if yes == no else yes


def option(text: str, choices: Sequence[str] | None = None) -> int | None:
    """Index of the chosen option: its text, its letter, or both when they agree.

    A text that equals a choice wins over a letter (choices may be letters themselves). Without
    `choices` only letters are read: A is 0.
    """
    bare = word(text)
    texts = [word(choice) for choice in choices or ()]
    if bare in texts:
        return texts.index(bare)
    match = re.match(r"^(?:option|choice|letter)?\s*\(?([a-z])(?:([).:,\s]+)(.*))?$", phrase(text))
    if not match:
        return None
    index = ord(match[1]) - ord("a")
    rest = word(match[3] or "")
    if not texts:
        return index if not rest or match[2].strip() else None
    if index >= len(texts) or (rest and rest != texts[index]):
        return None
    return index


def box(text: str) -> tuple[float, float, float, float] | None:
    """The four numbers of an answer as x1, y1, x2, y2; None unless there are exactly four."""
    numbers = re.findall(r"(?<![\w.])[-+]?[0-9]+(?:\.[0-9]+)?(?![\w])", clean(text))
    if len(numbers) != 4:
        return None
    values = [float(number) for number in numbers]
    if not all(math.isfinite(value) for value in values):
        return None
    return values[0], values[1], values[2], values[3]


def items(text: str) -> list[str]:
    """The entries of a list answer, normalised as words, in the order written, repeats kept."""
    parts = re.split(r"[,;/\n\r•|&+]|\band\b|\bor\b", clean_lines(text))
    entries = [word(re.sub(r"^\s*(?:[-*]|[0-9]+[.)])\s+", "", part)) for part in parts]
    return [entry for entry in entries if entry.strip(_EDGE)]


def clean_lines(text: str) -> str:
    """`clean` line by line: a list written in lines keeps its breaks."""
    return "\n".join(clean(line) for line in text.splitlines())


def canonical(answer: str, answer_type: AnswerType, choices: Sequence[str] | None = None) -> str:
    """One string per meaning: answers with equal strings are counted as the same vote.

    Empty when the answer is empty; answers that cannot be read keep their normalised words.
    """
    if answer_type == "number" and (quantity := number(answer)):
        return f"{quantity.value:.10g}{quantity.unit}"
    if answer_type == "color" and (colors := color(answer)):
        return " ".join(sorted(colors))
    if answer_type == "yes_no" and (verdict := yes_no(answer)) is not None:
        return "yes" if verdict else "no"
    if answer_type == "option" and (index := option(answer, choices)) is not None:
        return word(choices[index]) if choices else chr(ord("a") + index)
    if answer_type == "box" and (corners := box(answer)):
        return " ".join(f"{value:.0f}" for value in corners)
    if answer_type == "list":
        return ", ".join(sorted(items(answer)))
    return phrase(answer) if answer_type == "text" else word(answer)


def _digits(match: re.Match[str], text: str) -> Quantity | None:
    """The quantity at a match; None when it is no finite numeral."""
    sign, digits, thousands = match.groups()
    parts = _split(digits)
    if parts is None:
        return None
    whole, fraction = parts
    value = float(f"{whole or '0'}.{fraction or '0'}")
    if not math.isfinite(value):
        return None
    value = (-value if sign == "-" else value) * (1000 if thousands else 1)
    return Quantity(value, len(fraction), _unit(text[: match.start()], text[match.end() :]))


def _split(digits: str) -> tuple[str, str] | None:
    """Whole and fractional digits; None for what is no numeral (a date, a version, `1,2,3`).

    A comma before exactly three digits groups thousands; a point there is a decimal point unless
    it stands more than once.
    """
    if _GROUPED.fullmatch(digits) and not re.fullmatch(r"[0-9]+\.[0-9]{3}", digits):
        return re.sub(r"\D", "", digits), ""
    mark = max(digits.rfind("."), digits.rfind(","))
    whole, fraction = (digits[:mark], digits[mark + 1 :]) if mark >= 0 else (digits, "")
    if not whole.isdigit() and whole and not _GROUPED.fullmatch(whole):
        return None
    return re.sub(r"\D", "", whole), fraction


def _unit(before: str, after: str) -> str:
    if before and before.rstrip()[-1:] in {"$", "€", "£"}:
        return before.rstrip()[-1]
    match = re.match(r"\s*([%$€£]|[a-z]+\b)", after)
    return UNITS.get(match[1], "") if match else ""


def _spelled(text: str) -> list[Quantity | None]:
    tokens = re.findall(r"[^\W\d_]+|\S", text.replace("-", " "))
    if tokens and tokens[0] in {"none", "no", "nothing", "nil"}:
        return [Quantity(0.0)]
    found: list[Quantity | None] = []
    start = 0
    while start < len(tokens):
        end = _longest(tokens, start)
        if end == start:
            start += 1
            continue
        value = spelled_number(" ".join(tokens[start:end]))
        dozen = end < len(tokens) and tokens[end] in {"dozen", "dozens"}
        found.append(Quantity(float(value or 0) * (12 if dozen else 1)))
        start = end + dozen
    if not found and "dozen" in tokens:
        return [Quantity(12.0)]
    return found


def _longest(tokens: Sequence[str], start: int) -> int:
    """End of the longest number that begins at `start`; `start` itself when there is none."""
    end = start
    limit = min(len(tokens), start + _LONGEST_NUMERAL)
    while end < limit and tokens[end] in _NUMBER_WORDS:
        end += 1
    while end > start and (
        tokens[end - 1] == "and" or spelled_number(" ".join(tokens[start:end])) is None
    ):
        end -= 1
    return end
