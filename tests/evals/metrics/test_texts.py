"""Reading errors against jiwer on random texts."""

import jiwer
import numpy as np
import pytest

from pixelis.evals.metrics.texts import character_errors, distance, rate, word_errors

WORDS = "the cat sat on a mat, then ran 12 m over 3.5 hills and didn't stop".split()


@pytest.mark.parametrize("seed", range(20))
def test_random_texts_agree_with_jiwer(seed):
    rng = np.random.default_rng(seed)
    truth = " ".join(rng.choice(WORDS, rng.integers(1, 12)))
    said = " ".join(rng.choice(WORDS, rng.integers(1, 12)))
    said = "".join(letter for letter in said if rng.random() > 0.1).strip() or "x"
    assert rate([character_errors(said, truth)]) == pytest.approx(jiwer.cer(truth, said))
    assert rate([word_errors(said, truth)]) == pytest.approx(jiwer.wer(truth, said))


def test_many_texts_are_weighed_by_their_length():
    truths, saids = ["a b c d", "x"], ["a b c", "y"]
    counts = [word_errors(said, truth) for said, truth in zip(saids, truths, strict=True)]
    assert rate(counts) == pytest.approx(jiwer.wer(truths, saids)) == 2 / 5


def test_edges():
    assert rate([]) is None
    assert rate([character_errors("abc", "")]) is None
    assert distance("", "abc") == distance("abc", "") == 3
    assert distance("", "") == 0
    assert character_errors("ä", "a") == (1, 1)
