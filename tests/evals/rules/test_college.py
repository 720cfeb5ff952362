"""MMMU: options and free answers."""

import pytest

RULE = ("mmmu",)


def test_verdicts_are_the_authors(golden, graded):
    rule, text, golds, choices, details, wanted = golden
    assert graded(rule, text, golds, choices, details) == pytest.approx(wanted, abs=1e-6)


# The authors guess an option at random for each of these.
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Gothic", 1.0),
        ("gothic.", 1.0),
        ("C. Gothic", 1.0),
        ("C) the third", 1.0),
        ("B. Gothic", 0.0),
        ("Rococo", 0.0),
        ("E. Gothic", 0.0),
        ("c. gothic", 0.0),
        ("Goth", 0.0),
    ],
)
def test_what_the_authors_guess_is_read_where_it_is_plain(text, wanted, graded):
    choices = ["Baroque", "Rococo", "Gothic", "Romanesque"]
    assert graded("mmmu", text, ["C"], choices) == wanted


def test_an_option_that_looks_like_a_letter_is_its_own_text(graded):
    choices = ["E. coli", "B. subtilis", "C. elegans", "none"]
    assert graded("mmmu", "C. elegans", ["C"], choices) == 1.0
    assert graded("mmmu", "B. subtilis", ["C"], choices) == 0.0
