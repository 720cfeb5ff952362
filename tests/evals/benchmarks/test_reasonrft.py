"""Reason-RFT's files: what is asked and what counts as gold."""

import pytest

from pixelis.evals.benchmarks import read_published


@pytest.mark.parametrize(
    ("task", "golds", "families"),
    [
        ("counting", ["3", "3"], ["clevr_math", "super_clevr"]),
        ("geometry", ["B", "8\\sqrt{2}"], ["geomath", "geometry3k"]),
        ("transform", ["change_color(0, 'blue')"], ["trance"]),
    ],
)
def test_gold_and_family(published, tmp_path, task, golds, families):
    questions = list(read_published(f"reasonrft-{task}", published("reasonrft-counting"), tmp_path))
    assert [question.gold for question in questions] == golds
    assert [question.family for question in questions] == families
