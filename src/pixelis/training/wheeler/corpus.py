"""Where training texts come from, and how they are damaged to make pairs that mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from pixelis.data.stories import damage, tell
from pixelis.data.stories.lexicon import LEXICON
from pixelis.data.stories.tell import Split, Text, pick

WHOLE = 0.3  # of the pairs: nothing is lost, only said otherwise


class Pair(NamedTuple):
    """What is remembered, how it is asked for later, and something else that looks alike.

    `same` is True when what is asked says all of what is kept, in whatever words.
    """

    kept: str
    asked: str
    other: str
    same: bool


class Source(Protocol):
    """Texts of a corpus; the same generator state gives the same texts.

    Attributes:
        name: as told in the log and kept in the checkpoint.
        size: texts in an epoch.
    """

    name: str
    size: int

    def story(self, rng: np.random.Generator) -> str:
        """A long text, for reading and writing."""
        ...

    def pair(self, rng: np.random.Generator) -> Pair:
        """A text with its damaged twin."""
        ...


class Generator:
    """The seeded generator of `pixelis.data.stories`."""

    def __init__(self, size: int, split: Split = "train") -> None:
        self.name = "generator"
        self.size = size
        self.split = split

    def story(self, rng: np.random.Generator) -> str:
        if rng.random() < 0.3:
            return str(tell.draw_memory(rng, self.split))
        return str(tell.draw_text(rng, self.split, 5))

    def pair(self, rng: np.random.Generator) -> Pair:
        if rng.random() < 0.15:
            return _invented_pair(rng)
        count = 1 if rng.random() < 0.8 else 2
        draws = (tell.draw_memory(rng, self.split) for _ in range(count))
        text = Text(tuple(telling for draw in draws for telling in draw.tellings))
        share = 1.0 if rng.random() < 0.5 else float(rng.random())
        asked = tell.with_synonyms(rng, text, share) if rng.random() < 0.7 else text
        asked = tell.reworded(rng, asked) if rng.random() < 0.3 else asked
        other = tell.with_one_changed(rng, text, self.split)
        if rng.random() < WHOLE:
            slips = 0.06 * float(rng.random()) if rng.random() < 0.3 else 0.0
            return Pair(str(text), damage.mistype(rng, str(asked), slips), str(other), True)
        return Pair(str(text), damaged(rng, str(asked)), str(other), False)


class Lines:
    """Texts of the reader's corpus; synonyms come from the lexicon where it knows a word."""

    def __init__(self, texts: Sequence[str], name: str) -> None:
        self.texts = texts
        self.name = name
        self.size = len(texts)

    def story(self, rng: np.random.Generator) -> str:
        words = self.texts[pick(rng, self.size)].split()
        start = pick(rng, max(1, len(words) - 40)) if rng.random() < 0.7 else 0
        return " ".join(words[start : start + 400])

    def pair(self, rng: np.random.Generator) -> Pair:
        if rng.random() < 0.15:
            return _invented_pair(rng)
        words = self.texts[pick(rng, self.size)].split()
        count = min(len(words), 8 + pick(rng, 33))
        start = pick(rng, len(words) - count + 1)
        kept = words[start : start + count]
        asked = [_synonym(rng, word) if rng.random() < 0.4 else word for word in kept]
        other = list(kept)
        other[pick(rng, count)] = words[pick(rng, len(words))]
        if rng.random() < WHOLE:
            return Pair(" ".join(kept), " ".join(asked), " ".join(other), other != kept)
        return Pair(" ".join(kept), damaged(rng, " ".join(asked)), " ".join(other), False)


def damaged(rng: np.random.Generator, text: str) -> str:
    """Loses words, is cut or mistyped; about a fifth stays whole."""
    kind = rng.random()
    if kind < 0.45:
        text = damage.drop_words(rng, text, 0.75 * float(rng.random()))
    elif kind < 0.55:
        text = damage.cut(rng, text, 0.4 + 0.6 * float(rng.random()))
    if 0.35 < kind < 0.8:
        text = damage.mistype(rng, text, 0.28 * float(rng.random()))
    return text


def noise_tokens(rng: np.random.Generator, vocabulary: int, most: int) -> list[int]:
    """Tokens without any sense, so that reading does not come to rely on the corpus alone."""
    count = 1 + pick(rng, most)
    return rng.integers(3, vocabulary, count).tolist()


def _invented_pair(rng: np.random.Generator) -> Pair:
    words = [damage.invented_word(rng) for _ in range(5 + pick(rng, 16))]
    other = list(words)
    other[pick(rng, len(other))] = damage.invented_word(rng)
    return Pair(" ".join(words), damaged(rng, " ".join(words)), " ".join(other), False)


def _synonym(rng: np.random.Generator, word: str) -> str:
    group = _SYNONYMS.get(word.strip(".,!?\"'").lower())
    if group is None:
        return word
    return word.lower().replace(word.strip(".,!?\"'").lower(), group[pick(rng, len(group))])


_SYNONYMS = {
    word: group
    for groups in LEXICON.values()
    for group in groups
    if len(group) > 1
    for word in group
}
