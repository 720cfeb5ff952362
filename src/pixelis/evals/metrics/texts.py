"""Errors of reading: how many letters, or words, must change to get the truth."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def character_errors(said: str, truth: str) -> tuple[int, int]:
    """Letters to insert, delete or replace, and letters of the truth; their ratio is the CER.

    Texts are taken as they are; sum both numbers over many texts before dividing.
    """
    return distance(said, truth), len(truth)


def word_errors(said: str, truth: str) -> tuple[int, int]:
    """The same over words parted by white space; their ratio is the WER."""
    words = truth.split()
    return distance(said.split(), words), len(words)


def rate(counts: Sequence[tuple[int, int]]) -> float | None:
    """Errors over length of the truth, over all texts; None when there is nothing to read."""
    length = sum(size for _, size in counts)
    return sum(wrong for wrong, _ in counts) / length if length else None


def distance(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Levenshtein distance of two sequences."""
    row = list(range(len(second) + 1))
    for index, one in enumerate(first, start=1):
        before, row[0] = row[0], index
        for place, other in enumerate(second, start=1):
            least = min(row[place] + 1, row[place - 1] + 1, before + (one != other))
            before, row[place] = row[place], least
    return row[-1]
