"""What happens to a text before it is asked for again: lost words, typing errors, cuts.

Every function takes the text as a string and a generator, and gives another string.
"""

from __future__ import annotations

import numpy as np

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def drop_words(rng: np.random.Generator, text: str, share: float) -> str:
    """Every word is lost with this probability; at least one stays."""
    words = text.split()
    kept = [word for word in words if rng.random() >= share]
    return " ".join(kept or [words[int(rng.integers(len(words)))]])


def cut(rng: np.random.Generator, text: str, share: float) -> str:
    """A run of words that is this share of the text, from a random place."""
    words = text.split()
    count = max(1, round(len(words) * share))
    start = int(rng.integers(len(words) - count + 1))
    return " ".join(words[start : start + count])


def mistype(rng: np.random.Generator, text: str, share: float) -> str:
    """Every letter goes wrong with this probability: replaced, left out, doubled or swapped."""
    wrong = rng.random(len(text)) < share
    kinds = rng.integers(4, size=len(text))
    other = rng.integers(len(LETTERS), size=len(text))
    out, skip = [], False
    for place, letter in enumerate(text):
        if skip:
            skip = False
        elif not wrong[place] or letter == " ":
            out.append(letter)
        elif kinds[place] == 0:
            out.append(LETTERS[other[place]])
        elif kinds[place] == 1:
            continue
        elif kinds[place] == 2 or place + 1 == len(text) or text[place + 1] == " ":
            out.append(letter + LETTERS[other[place]])
        else:
            out.append(text[place + 1] + letter)
            skip = True
    return "".join(out)


def invented_word(rng: np.random.Generator) -> str:
    """A word that no language has, for texts about which nothing can be known beforehand."""
    count = int(rng.integers(1, 4))
    return "".join(
        "bcdfghjklmnprstvwz"[int(rng.integers(18))]
        + "aeiou"[int(rng.integers(5))]
        + ("", "n", "r", "l", "s", "t")[int(rng.integers(6))]
        for _ in range(count)
    )
