from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from pixelis.data.stories import tell
from pixelis.data.stories.grammar import KINDS
from pixelis.data.stories.lexicon import LEXICON, held_out, train_words


def draw(split, count=300, seed=0):
    rng = np.random.default_rng(seed)
    return [tell.draw_telling(rng, split, KINDS) for _ in range(count)]


def test_the_same_seed_tells_the_same():
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    assert str(tell.draw_text(rng, "train", 5)) == str(tell.draw_text(again, "train", 5))


def test_training_never_says_what_is_held_out():
    said = Counter(word for t in draw("train", 2000) for word in t.text().lower().split())
    kept = {
        word
        for kind, groups in LEXICON.items()
        for number, group in enumerate(groups)
        if held_out(kind, number)
        for wording in group
        for word in wording.lower().split()
    } - {word.lower() for word in train_words()}
    assert len(kept) > 30
    assert not kept & {word.strip(".,?!\"':") for word in said}


@pytest.mark.parametrize("split", ["combinations", "words"])
def test_held_out_splits_are_strange_in_every_sentence(split):
    for telling in draw(split):
        pairs, words = tell.strange_pairs(telling), tell.strange_words(telling)
        if split == "words":
            assert words > 0
        else:
            assert words == 0
            assert pairs > 0 or not tell._has_pairs(telling.kind)
    assert all(tell.strange_pairs(telling) == 0 for telling in draw("train"))


def test_synonyms_and_wordings_say_the_same_thing():
    rng = np.random.default_rng(1)
    for _ in range(100):
        text = tell.draw_memory(rng, "train")
        for other in (tell.with_synonyms(rng, text), tell.reworded(rng, text)):
            for before, after in zip(text.tellings, other.tellings, strict=True):
                assert before.groups == after.groups
        assert str(tell.reworded(rng, text)) != str(text)


def test_one_slot_changed_is_one_slot():
    rng = np.random.default_rng(2)
    for _ in range(100):
        text = tell.draw_memory(rng, "train")
        (before,), (after,) = text.tellings, tell.with_one_changed(rng, text).tellings
        differ = [slot for slot in before.groups if before.groups[slot] != after.groups[slot]]
        assert len(differ) == 1
        same = [slot for slot in before.groups if slot not in differ]
        assert all(before.variants[slot] == after.variants[slot] for slot in same)


def test_bits_are_those_of_the_choices():
    """A kind without slots to choose from but names: counted by hand."""
    found = tell._draw(np.random.default_rng(0), "then", 0.0)
    name, feeling = (LEXICON[kind] for kind in ("name", "feeling"))
    synonyms = len(feeling[found.groups["feeling"]])
    wanted = (
        math.log2(len(KINDS["then"])) + math.log2(len(name)) + math.log2(len(feeling) * synonyms)
    )
    assert found.bits == pytest.approx(wanted)


def test_sentences_are_well_written():
    texts = [str(tell.draw_text(np.random.default_rng(k), "train", 3)) for k in range(200)]
    for text in texts:
        assert text[0].isupper() or text[0] == '"'
        assert "{" not in text
        assert " a a" not in text
        assert " a o" not in text.lower().replace(" a one", "")


def test_distinct_texts_are_distinct():
    rng = np.random.default_rng(4)
    texts = tell.distinct(lambda: tell.draw_memory(rng, "train"), 50)
    assert len({str(text) for text in texts}) == 50
