"""The seeded generator: tellings, which know what they say, and texts made of them.

Splits: `train`; `combinations`, whose every text holds pairs of words that training never joins;
`words`, whose every text holds words that training never uses. All are endless and reproducible.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from pixelis.data.stories.grammar import EVENTS, KINDS, LINKS, PAIRS, QUESTIONS
from pixelis.data.stories.lexicon import LEXICON, held_out

Split = Literal["train", "combinations", "words"]
SPLITS: tuple[Split, ...] = ("train", "combinations", "words")
HELD_OUT_PAIRS = 5  # one pair in five never occurs in training
SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Telling:
    """One sentence that knows what it says.

    Attributes:
        kind: key of `KINDS`; `wording` numbers the way it is said.
        groups: slot -> number of the group of its class; `variants` -> which synonym is used.
        bits: -log2 of the probability of what was drawn.
    """

    kind: str
    wording: int
    groups: dict[str, int]
    variants: dict[str, int]
    bits: float = 0.0

    def text(self) -> str:
        """The sentence as written."""
        words = {
            slot: LEXICON[class_of(slot)][group][self.variants[slot]]
            for slot, group in self.groups.items()
        }
        return _polish(KINDS[self.kind][self.wording].format(**words))


@dataclass(frozen=True)
class Text:
    """Some sentences in a row, with what they say still known."""

    tellings: tuple[Telling, ...]

    def __str__(self) -> str:
        return " ".join(telling.text() for telling in self.tellings)

    @property
    def bits(self) -> float:
        return sum(telling.bits for telling in self.tellings)


def pick(rng: np.random.Generator, count: int) -> int:
    """A number below `count`; several times faster than `rng.integers`."""
    return int(rng.random() * count)


def class_of(slot: str) -> str:
    return slot.rstrip("0123456789")


@cache
def slots_of(kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(SLOT.findall(KINDS[kind][0])))


@cache
def pair_is_held_out(first: tuple[str, int], second: tuple[str, int]) -> bool:
    """Whether training never joins these two groups, by a hash of both."""
    return zlib.crc32(f"{first}{second}".encode()) % HELD_OUT_PAIRS == 0


def strange_pairs(telling: Telling) -> int:
    """How many of the sentence's pairs of words training never joins."""
    groups = telling.groups
    return sum(
        pair_is_held_out((class_of(a), groups[a]), (class_of(b), groups[b]))
        for a, b in PAIRS
        if a in groups and b in groups
    )


def strange_words(telling: Telling) -> int:
    return sum(held_out(class_of(slot), group) for slot, group in telling.groups.items())


def draw_telling(rng: np.random.Generator, split: Split, kinds: Iterable[str]) -> Telling:
    """A sentence of one of the kinds; redrawn until it belongs to the split."""
    names = tuple(kinds)
    while True:
        kind = names[pick(rng, len(names))]
        found = _draw(rng, kind, math.log2(len(names)))
        if _belongs(found, split):
            return found


def draw_text(rng: np.random.Generator, split: Split, sentences: int) -> Text:
    """A story: that many sentences, joined by a name that stays the same."""
    tellings = [draw_telling(rng, split, KINDS)]
    while len(tellings) < sentences:
        telling = draw_telling(rng, split, LINKS if rng.random() < 0.5 else KINDS)
        name = tellings[0].groups.get("name")
        if name is not None and "name" in telling.groups and rng.random() < 0.7:
            telling = replace(telling, groups={**telling.groups, "name": name})
        tellings.append(telling)
    return Text(tuple(tellings))


def draw_memory(rng: np.random.Generator, split: Split) -> Text:
    """What one remembers: a sentence about an event, or a question."""
    kinds = EVENTS if rng.random() < 0.7 else QUESTIONS
    return Text((draw_telling(rng, split, kinds),))


def with_synonyms(rng: np.random.Generator, text: Text, share: float = 1.0) -> Text:
    """Says the same with other words: each slot takes another synonym with this probability."""

    def swap(telling: Telling) -> Telling:
        variants = dict(telling.variants)
        for slot, group in telling.groups.items():
            count = len(LEXICON[class_of(slot)][group])
            if count > 1 and rng.random() < share:
                variants[slot] = (variants[slot] + 1 + pick(rng, count - 1)) % count
        return replace(telling, variants=variants)

    return Text(tuple(map(swap, text.tellings)))


def reworded(rng: np.random.Generator, text: Text) -> Text:
    """Says the same in another order: every sentence in another wording of its kind."""

    def turn(telling: Telling) -> Telling:
        count = len(KINDS[telling.kind])
        return replace(telling, wording=(telling.wording + 1 + pick(rng, count - 1)) % count)

    return Text(tuple(map(turn, text.tellings)))


def with_one_changed(rng: np.random.Generator, text: Text, split: Split = "train") -> Text:
    """Says something else: one slot of one sentence holds another thing.

    The other thing is one that the split allows; the rest stays word for word.
    """
    place = pick(rng, len(text.tellings))
    telling = text.tellings[place]
    slots = [slot for slot in telling.groups if class_of(slot) != "near"]
    slot = slots[pick(rng, len(slots))]
    groups = LEXICON[class_of(slot)]
    while True:
        group = pick(rng, len(groups))
        allowed = split == "words" or not held_out(class_of(slot), group)
        if group != telling.groups[slot] and allowed:
            break
    variant = pick(rng, len(groups[group]))
    changed = replace(
        telling,
        groups={**telling.groups, slot: group},
        variants={**telling.variants, slot: variant},
    )
    return Text((*text.tellings[:place], changed, *text.tellings[place + 1 :]))


def distinct(draw: Callable[[], Text], count: int) -> list[Text]:
    """`count` texts of which no two are written alike."""
    found: dict[str, Text] = {}
    while len(found) < count:
        text = draw()
        found.setdefault(str(text), text)
    return list(found.values())


def _draw(rng: np.random.Generator, kind: str, bits: float) -> Telling:
    wordings = KINDS[kind]
    groups, variants = {}, {}
    bits += math.log2(len(wordings))
    for slot in slots_of(kind):
        choices = LEXICON[class_of(slot)]
        groups[slot] = pick(rng, len(choices))
        synonyms = choices[groups[slot]]
        variants[slot] = pick(rng, len(synonyms))
        bits += math.log2(len(choices) * len(synonyms))
    return Telling(kind, pick(rng, len(wordings)), groups, variants, bits)


def _belongs(telling: Telling, split: Split) -> bool:
    if split == "words":
        return strange_words(telling) > 0 or not _can_be_strange(telling.kind)
    if strange_words(telling):
        return False
    if split == "combinations":
        return strange_pairs(telling) > 0 or not _has_pairs(telling.kind)
    return strange_pairs(telling) == 0


@cache
def _has_pairs(kind: str) -> bool:
    return any(a in slots_of(kind) and b in slots_of(kind) for a, b in PAIRS)


def _can_be_strange(kind: str) -> bool:
    return any(class_of(slot) != "near" for slot in slots_of(kind))


def _polish(sentence: str) -> str:
    """Capital at the beginning, `an` before a vowel."""
    sentence = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", sentence)
    return sentence[0].upper() + sentence[1:]
