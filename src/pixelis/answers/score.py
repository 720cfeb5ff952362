"""How good an answer is: the one scorer of tasks, rewards, votes and evaluation.

number  1 when the one number in the answer equals gold within half a unit of gold's last written
        digit (a whole gold must be met exactly) or within `tolerance`; units must not contradict
word    1 for the same words after normalisation (case, articles, punctuation, number words)
color   1 when exactly gold's basic colours are named, synonyms mapped
yes_no  1 for the same verdict; "yes and no" and "not sure" are neither
option  1 for the same choice: by letter, by text, or by both when they agree
box     1 when IoU >= 0.5 (both in one unit)
list    F1 of the two multisets of entries, order free; correct when it is 1
text    1 - normalised edit distance, 0 at or below 0.5 (ANLS: Biten et al. 2019,
        doi:10.1109/ICCV.2019.00439); correct with at most one slip per ten characters and no
        wrong digit

A gold list means "any of these" (for `list`: the entries). An empty answer scores 0. No string
makes a scorer raise; an unknown type does (ValueError), because that is a bug of the caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from pixelis.answers import normalize
from pixelis.answers.types import ANSWER_TYPES, AnswerType
from pixelis.geometry import Box

ANLS_THRESHOLD = 0.5
BOX_IOU = 0.5
SLIPS_PER_CHARACTER = 0.1

Gold = str | Sequence[str]


def score(
    answer: str,
    gold: Gold,
    answer_type: AnswerType,
    choices: Sequence[str] | None = None,
    tolerance: float = 0.0,
) -> float:
    """How good `answer` is, in [0, 1], by the rule of its type (top of this file).

    Args:
        choices: texts of an `option` question, in the order A, B, C, ...
        tolerance: relative tolerance of a `number` (0.05 is 5 % of gold), added to the default.
    """
    judge = _judge(answer_type, choices, tolerance, graded=True)
    return _best(answer, gold, answer_type, judge)


def correct(
    answer: str,
    gold: Gold,
    answer_type: AnswerType,
    choices: Sequence[str] | None = None,
    tolerance: float = 0.0,
) -> bool:
    """Whether `answer` counts as right; accuracy is the mean of this."""
    judge = _judge(answer_type, choices, tolerance, graded=False)
    return _best(answer, gold, answer_type, judge) >= 1.0


def edit_distance(first: str, second: str) -> int:
    """Levenshtein distance: insertions, deletions and substitutions of one character each."""
    if not first or not second:
        return len(first) + len(second)
    letters = np.frombuffer(second.encode("utf-32-le", "surrogatepass"), np.uint32)
    steps = np.arange(len(letters) + 1)
    row = steps.copy()
    for index, letter in enumerate(first):
        change = np.empty_like(row)
        change[0] = index + 1
        change[1:] = np.minimum(row[1:] + 1, row[:-1] + (letters != ord(letter)))
        row = np.minimum.accumulate(change - steps) + steps  # insertions run along the row
    return int(row[-1])


def similarity(first: str, second: str) -> float:
    """1 - edit distance / longer length, in [0, 1]; 0 early when the lengths alone forbid 0.5."""
    longer, shorter = max(len(first), len(second)), min(len(first), len(second))
    if longer == 0:
        return 1.0
    if shorter < ANLS_THRESHOLD * longer:
        return 0.0
    return 1.0 - edit_distance(first, second) / longer


Judge = Callable[[str, str], float]


def _best(answer: str, gold: Gold, answer_type: AnswerType, judge: Judge) -> float:
    if not answer.strip():
        return 0.0
    golds = [gold] if isinstance(gold, str) else list(gold)
    if answer_type == "list" and len(golds) > 1:
        golds = [", ".join(golds)]
    spoken = {answer, normalize.without_lead_in(answer)}
    return max((_against(one, wanted, judge) for one in spoken for wanted in golds), default=0.0)


def _against(answer: str, gold: str, judge: Judge) -> float:
    if not gold.strip():
        return 0.0
    same = normalize.phrase(answer) == normalize.phrase(gold)
    return 1.0 if same else judge(answer, gold)


def _judge(
    answer_type: AnswerType, choices: Sequence[str] | None, tolerance: float, graded: bool
) -> Judge:
    judges: dict[str, Judge] = {
        "number": lambda answer, gold: _number(answer, gold, tolerance),
        "word": lambda answer, gold: float(normalize.word(answer) == normalize.word(gold)),
        "color": _color,
        "yes_no": lambda answer, gold: _agree(normalize.yes_no, answer, gold),
        "option": lambda answer, gold: _option(answer, gold, choices),
        "box": _box,
        "list": _list,
        "text": _text if graded else _text_right,
    }
    if answer_type not in judges:
        raise ValueError(f"answer type {answer_type!r}; types are {', '.join(ANSWER_TYPES)}")
    return judges[answer_type]


def _agree(read: Callable[[str], object], answer: str, gold: str) -> float:
    wanted = read(gold)
    return float(wanted is not None and read(answer) == wanted)


def _number(answer: str, gold: str, tolerance: float) -> float:
    came, wanted = normalize.number(answer), normalize.number(gold)
    if came is None or wanted is None:
        return 0.0
    if came.unit and wanted.unit and came.unit != wanted.unit:
        return 0.0
    half = 0.5 * 10.0**-wanted.decimals if wanted.decimals else 0.0
    slack = max(half, abs(wanted.value) * tolerance) * (1 + 1e-9)
    return float(abs(came.value - wanted.value) <= slack)


def _color(answer: str, gold: str) -> float:
    wanted = normalize.color(gold)
    if not wanted:
        return float(normalize.word(answer) == normalize.word(gold))
    return float(normalize.color(answer) == wanted)


def _option(answer: str, gold: str, choices: Sequence[str] | None) -> float:
    return _agree(lambda text: normalize.option(text, choices), answer, gold)


def _box(answer: str, gold: str) -> float:
    came, wanted = normalize.box(answer), normalize.box(gold)
    if came is None or wanted is None:
        return 0.0
    return float(Box(*came).iou(Box(*wanted)) >= BOX_IOU)


def _list(answer: str, gold: str) -> float:
    came, wanted = Counter(normalize.items(answer)), Counter(normalize.items(gold))
    total = came.total() + wanted.total()
    return 2.0 * (came & wanted).total() / total if total else 0.0


def _text(answer: str, gold: str) -> float:
    value = similarity(normalize.phrase(answer), normalize.phrase(gold))
    return value if value > ANLS_THRESHOLD else 0.0


def _text_right(answer: str, gold: str) -> float:
    came, wanted = normalize.phrase(answer), normalize.phrase(gold)
    allowed = int(SLIPS_PER_CHARACTER * len(wanted))
    if abs(len(came) - len(wanted)) > allowed or _numerals(came) != _numerals(wanted):
        return 0.0
    return float(edit_distance(came, wanted) <= allowed)


def _numerals(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())
