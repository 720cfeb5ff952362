"""MathVista: choices, integers, floats, lists and texts."""

import pytest

RULE = ("mathvista",)


def test_verdicts_are_the_authors(golden, graded):
    rule, text, golds, choices, details, wanted = golden
    assert graded(rule, text, golds, choices, details) == pytest.approx(wanted, abs=1e-6)
