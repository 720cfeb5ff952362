from __future__ import annotations

import math

import numpy as np
import pytest

from pixelis.evals.wheeler.baselines import Bm25, Hopfield, Ngrams, ceiling

TEXTS = ["the red boat", "the blue boat", "a cat sat on the mat", "the the the"]


def test_ngrams_find_the_nearest_text():
    arm = Ngrams(TEXTS)
    assert [arm.best(text) for text in TEXTS] == [0, 1, 2, 3]
    assert arm.best("teh blue baot") == 1
    assert arm.likeness(TEXTS[2]) == pytest.approx(1, abs=1e-6)


def test_bm25_by_hand():
    arm = Bm25(TEXTS)
    mean = (3 + 3 + 6 + 3) / 4
    rare = math.log(1 + (4 - 1 + 0.5) / (1 + 0.5))
    gain = rare * 2.2 / (1 + 1.2 * (1 - 0.75 + 0.75 * 6 / mean))
    assert float(arm._totals("cat")[2]) == pytest.approx(gain, rel=1e-5)
    assert arm._totals("cat")[[0, 1, 3]].sum() == 0
    assert arm._totals("unknown").sum() == 0
    assert arm.best("blue") == 1


def test_a_classical_network_mends_few_patterns_and_not_many():
    rng = np.random.default_rng(0)
    rows = np.sign(rng.normal(size=(300, 256)))
    for count, low, high in ((5, 0.99, 1.0), (300, 0.0, 0.1)):
        hurt = np.where(rng.random((count, 256)) < 0.1, -rows[:count], rows[:count])
        mended = Hopfield(rows[:count]).settles(hurt, np.arange(count)).mean()
        assert low <= mended <= high
    assert Hopfield(rows[:5]).best(rows[:5]).tolist() == [0, 1, 2, 3, 4]


def test_the_ceiling_counts_all_texts_that_fit():
    chances = ceiling(TEXTS, ["boat", "red boat", "the the", "blue mat"], [0, 0, 3, 1])
    assert chances.tolist() == [0.5, 1.0, 1.0, 0.0]
