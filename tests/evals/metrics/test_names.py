"""Precision and recall of named properties, by hand."""

from pixelis.evals.metrics.names import named


def test_counts_by_hand():
    pairs = [
        ({"color": "red", "shape": "circle"}, {"color": "red", "shape": "square"}),
        ({"color": "blue"}, {"color": "blue", "shape": "star"}),
        ({"color": "green", "texture": "striped"}, {"color": "red"}),
        ({}, {"color": "red"}),
    ]
    counts = named(pairs)
    assert counts == (4, 6, 2)
    assert counts.precision == 0.5
    assert counts.recall == 2 / 6


def test_nothing_told_and_nothing_true():
    assert named([]).precision is None
    assert named([({}, {})]).recall is None
