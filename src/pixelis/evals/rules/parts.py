"""MM-Vet without a judge: which parts of gold stand in the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pixelis.answers import normalize


def parts(text: str, golds: Sequence[str], _: Sequence[str], __: Mapping[str, Any]) -> float:
    """The share of gold's parts that stand in the answer as whole words, best over its ways.

    Gold is `a<AND>b<OR>c`: c alone is right, or a and b together. The authors let GPT-4 grade in
    tenths; this is stricter with other words for the same and laxer with denials, so it must not be
    put beside their figures.
    """
    said = f" {_words(text)} "
    ways = [way for gold in golds for way in re.split(r"\s*<OR>\s*", gold)]
    return max((_share(said, way) for way in ways), default=0.0)


def _share(said: str, way: str) -> float:
    wanted = [_words(part) for part in re.split(r"\s*<AND>\s*", way)]
    wanted = [part for part in wanted if part]
    if not wanted:
        return 0.0
    return sum(f" {part} " in said for part in wanted) / len(wanted)


def _words(text: str) -> str:
    """Words and numbers in lower case, parted by single spaces; signs and decimal points stay."""
    return " ".join(re.findall(r"-?\d+(?:[.,]\d+)*|[^\W\d_]+|[%$€£]", normalize.clean(text)))
