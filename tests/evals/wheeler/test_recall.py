from __future__ import annotations

import numpy as np

from pixelis.evals.wheeler.recall import auroc, auroc_interval, novelty_figures, recall_figures


def test_auroc_is_the_share_of_pairs_in_order():
    known, novel = np.array([0.9, 0.5, 0.5]), np.array([0.5, 0.1])
    pairs = [(a > b) + 0.5 * (a == b) for a in known for b in novel]
    assert auroc(known, novel) == np.mean(pairs)
    low, high = auroc_interval(known, novel)
    assert 0 <= low <= auroc(known, novel) <= high <= 1


def test_every_damage_is_asked_of_every_arm(model):
    figures = {f.name: f for f in recall_figures(model, "combinations", 60, 20, (1, 2))}
    assert len(figures) == 6
    drop = figures["recall, drop 40 % (combinations)"]
    assert drop.n == 40
    assert drop.target == 0.93
    arms = {"dynamics off", "n-gram k-NN", "BM25", "classical Hopfield", "ceiling"}
    assert set(drop.baselines) == arms
    assert drop.baselines["ceiling"] > 0.9
    assert drop.baselines["n-gram k-NN"] > 0.8
    assert drop.value > 0.25  # untrained votes hash words, and hashes find texts again
    assert figures["recall, reworded (combinations)"].baselines["n-gram k-NN"] > 0.9


def test_novelty_is_told_for_every_arm(model):
    (figure,) = novelty_figures(model, "combinations", 60, 20, (1,))
    assert set(figure.baselines) >= {"dynamics off", "n-gram k-NN", "BM25", "likeness alone"}
    assert 0 <= figure.value <= 1
    assert set(figure.more["called NOVEL"]) == {"known", "novel", "unrelated"}
