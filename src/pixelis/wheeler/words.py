"""Words of a text as hashed pieces: what the key is made of.

A typing error changes some pieces of a word and leaves the others, so a misspelt word stays close
to what was meant. The hash is CRC-32, which is the same in every process and on every machine.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

WORD = re.compile(r"\w+(?:'\w+)*")
PIECES = (2, 3, 4)
MOST_WORDS = 512  # of one text; what follows adds nothing to its key


class Pieces(NamedTuple):
    """The pieces of several texts, one after the other.

    Attributes:
        ids: hashed pieces of all words, int64.
        words: where each word begins in `ids`, int64.
        texts: the number of the text that each word belongs to, int64.
        size: how many texts there are.
    """

    ids: np.ndarray
    words: np.ndarray
    texts: np.ndarray
    size: int


def words_of(text: str) -> list[str]:
    """Lower-case words; a text without letters or digits is one word of its own."""
    return _all_words(text)[:MOST_WORDS]


def said(text: str) -> int:
    """A number for all words of a text in their order: texts that differ in case, spaces and
    punctuation alone have the same one, and hardly any others do (63 bits)."""
    digest = hashlib.blake2b(" ".join(_all_words(text)).encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") >> 1


def _all_words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return WORD.findall(folded) or [" ".join(folded.split())]


@lru_cache(maxsize=1 << 16)
def pieces_of(word: str, buckets: int) -> tuple[int, ...]:
    """The word as a whole and its runs of two, three and four letters, hashed."""
    marked = f"<{word[:32]}>"
    runs = [marked[k : k + n] for n in PIECES for k in range(len(marked) - n + 1)]
    return tuple(
        zlib.crc32(run.encode("utf-8", "replace")) % buckets for run in (f"={word}", *runs)
    )


def gather(texts: Sequence[str], buckets: int) -> Pieces:
    """The pieces of all words of the texts."""
    ids: list[int] = []
    starts: list[int] = []
    owners: list[int] = []
    for number, text in enumerate(texts):
        for word in words_of(text):
            starts.append(len(ids))
            owners.append(number)
            ids.extend(pieces_of(word, buckets))
    return Pieces(
        np.array(ids, np.int64), np.array(starts, np.int64), np.array(owners, np.int64), len(texts)
    )
