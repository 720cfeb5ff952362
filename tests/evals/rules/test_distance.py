"""ANLS as the challenge computes it."""

import pytest

RULE = ("anls",)


def test_verdicts_are_the_authors(golden, graded):
    rule, text, golds, choices, details, wanted = golden
    assert graded(rule, text, golds, choices, details) == pytest.approx(wanted, abs=1e-6)


def test_no_gold_and_long_texts_do_not_raise(graded):
    assert graded("anls", "x", []) == 0
    assert graded("anls", "x" * 3000, ["y"]) == 0
