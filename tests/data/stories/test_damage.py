from __future__ import annotations

import numpy as np

from pixelis.data.stories.damage import cut, drop_words, invented_word, mistype

TEXT = "the old sailor found a red boat near the quiet harbour at dawn"


def test_words_are_lost_at_the_rate_asked_for():
    rng = np.random.default_rng(0)
    kept = [len(drop_words(rng, TEXT, 0.4).split()) for _ in range(400)]
    assert abs(np.mean(kept) / len(TEXT.split()) - 0.6) < 0.03
    assert drop_words(rng, TEXT, 0.0) == TEXT
    assert len(drop_words(rng, TEXT, 1.0).split()) == 1


def test_letters_go_wrong_at_the_rate_asked_for():
    rng = np.random.default_rng(1)
    assert mistype(rng, TEXT, 0.0) == TEXT
    changed = [
        sum(a != b for a, b in zip(word, mistype(rng, word, 0.1), strict=False))
        for word in ["abcdefghij"] * 300
    ]
    assert 0.5 < np.mean([count > 0 for count in changed]) < 0.8  # 1 - 0.9 ** 10 = 0.65
    assert mistype(rng, TEXT, 1.0).count(" ") >= TEXT.count(" ")


def test_a_cut_is_a_run_of_the_words():
    rng = np.random.default_rng(2)
    for _ in range(50):
        part = cut(rng, TEXT, 0.5)
        assert part in TEXT
        assert len(part.split()) == round(0.5 * len(TEXT.split()))


def test_invented_words_are_words():
    rng = np.random.default_rng(3)
    words = {invented_word(rng) for _ in range(200)}
    assert len(words) > 150
    assert all(word.isalpha() and word.islower() for word in words)
