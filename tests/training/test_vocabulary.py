from collections import Counter

import numpy as np

from pixelis.data import tasks
from pixelis.training.vocabulary import corpus, drawn


def test_every_family_is_asked_for_as_often():
    queries = list(drawn(np.random.default_rng(3), 700))
    assert Counter(query.family for query in queries) == dict.fromkeys(tasks.FAMILIES, 100)
    assert len({query.kind for query in queries}) > 40


def test_the_same_seed_gives_the_same_texts():
    texts = list(corpus(4, 20))
    assert texts == list(corpus(4, 20))
    assert texts != list(corpus(5, 20))


def test_words_of_all_families_are_whole(tokenizer):
    for text in ("same shape", "Which way does the star go"):
        assert len(tokenizer.tokenize(text)) == len(text.split())
