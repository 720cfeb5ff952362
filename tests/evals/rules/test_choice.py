"""Options named by letter or text: V*, HR-Bench, MVBench."""

import pytest

RULE = ("letter", "first_letter")


def test_verdicts_are_the_authors(golden, graded):
    rule, text, golds, choices, details, wanted = golden
    assert graded(rule, text, golds, choices, details) == pytest.approx(wanted, abs=1e-6)


def test_an_options_text_alone_is_an_answer(graded):
    choices = ["Ate.", "Tidied up.", "Slept."]
    assert graded("first_letter", "tidied up", ["Tidied up."], choices) == 1
    assert graded("first_letter", "Tidied", ["Tidied up."], choices) == 0


def test_a_letter_counts_among_the_last_words_only(graded):
    choices = ["red", "green"]
    assert graded("letter", "B as one sees", ["B"], choices) == 1.0
    assert graded("letter", "B as one sees here", ["B"], choices) == 0.0
    assert graded("letter", "It is what one sees here, B", ["B"], choices) == 1.0
