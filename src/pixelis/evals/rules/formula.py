"""Answers that are numbers or formulas: TallyQA's counts, ViRL39K, and Reason-RFT's first tasks.

Formulas are LaTeX or plain text. What can be computed is compared by value, the rest as text with
its LaTeX evened out. The authors use `math_verify`; where that understands more (sets, equations,
matrices), an answer here must be written like gold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pixelis.answers import normalize
from pixelis.evals.rules.latex import plain, value

CLOSE = 1e-8  # relative; math_verify takes 3.14159265 for pi and not 3.0000001 for 3


def count(text: str, golds: Sequence[str], _: Sequence[str], __: Mapping[str, Any]) -> float:
    """1 when the answer's one number is gold's, in digits or words (TallyQA's accuracy)."""
    said, wanted = normalize.number(text), normalize.number(golds[0])
    return float(said is not None and wanted is not None and said.value == wanted.value)


def formula(text: str, golds: Sequence[str], _: Sequence[str], __: Mapping[str, Any]) -> float:
    """1 when the answer says the same as gold, by value or by letters."""
    said = boxed(text)
    return float(any(same(said, boxed(gold)) for gold in golds))


def same(said: str, gold: str) -> bool:
    """Whether two formulas have one value, or read the same."""
    first, second = plain(said), plain(gold)
    if not first or not second:
        return False
    if first == second:
        return True
    if re.fullmatch(r"[A-Z]", gold.strip()):
        return _letter(said) == gold.strip()
    mine, theirs = value(first), value(second)
    if mine is None or theirs is None:
        return False
    return math.isclose(mine, theirs, rel_tol=CLOSE, abs_tol=CLOSE)


def boxed(text: str) -> str:
    """What stands in the last `<answer>` or `\\boxed{}` of a text; all of it without one."""
    tagged = re.findall(r"<answer>(.*?)</answer>", text, re.DOTALL)
    text = tagged[-1] if tagged else text
    start = text.rfind("\\boxed{")
    if start < 0:
        return text.strip()
    depth = 0
    for index in range(start + len("\\boxed"), len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return text[start + len("\\boxed{") : index].strip()
    return text.strip()


def _letter(text: str) -> str | None:
    """An option letter on its own, with or without brackets, full stop and the option's text."""
    match = re.match(r"\s*\(?([A-Z])\)?(?:[.:)]|\s*$)", text)
    return match[1] if match else None
