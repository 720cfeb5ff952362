from __future__ import annotations

import numpy as np

from pixelis.data.stories.lexicon import LEXICON
from pixelis.training.wheeler.corpus import Generator, Lines, damaged, noise_tokens


def test_pairs_belong_together():
    rng = np.random.default_rng(0)
    source = Generator(100)
    pairs = [source.pair(rng) for _ in range(300)]
    changed = [pair for pair in pairs if pair.other != pair.kept]
    assert len(changed) > 0.97 * len(pairs)
    whole = [pair for pair in pairs if pair.same]
    assert 0.15 < len(whole) / len(pairs) < 0.4
    for pair in whole:
        assert abs(len(pair.asked.split()) - len(pair.kept.split())) <= 12


def test_lines_know_synonyms_and_stay_what_they_are():
    texts = ["The boat was near the forest and the dog saw it today."] * 3
    source, rng = Lines(texts, "x"), np.random.default_rng(1)
    group = next(g for g in LEXICON["object"] if "boat" in g)
    said = " ".join(source.pair(rng).asked for _ in range(80))
    assert any(word in said for word in group if word != "boat")
    assert source.story(rng) == texts[0]
    assert source.size == 3


def test_damage_leaves_something():
    rng = np.random.default_rng(2)
    kinds = {damaged(rng, "one two three four five six") for _ in range(200)}
    assert len(kinds) > 50
    assert all(kind.strip() for kind in kinds)


def test_tokens_without_sense_are_no_special_ones():
    rows = [noise_tokens(np.random.default_rng(k), 300, 16) for k in range(50)]
    assert all(3 <= token < 300 for row in rows for token in row)
    assert {len(row) for row in rows} == set(range(1, 17))
