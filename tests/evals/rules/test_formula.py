"""Numbers and formulas: ViRL39K, Reason-RFT, TallyQA."""

import pytest

RULE = ("formula", "count")


def test_verdicts_are_the_authors(golden, graded):
    rule, text, golds, choices, details, wanted = golden
    assert graded(rule, text, golds, choices, details) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "gold", "right"),
    [
        ("x = 5", "5", 1),
        ("12 cm", "12", 1),
        ("12 cm^2", "12", 1),
        ("\\text{B}", "B", 1),
        ("(B)", "B", 1),
        ("B. 17", "B", 1),
        ("Because", "B", 0),
        ("<answer>3</answer>", "3", 1),
        ("so \\boxed{\\frac{1}{3}} and \\boxed{2}", "2", 1),
        ("\\boxed{1", "1", 0),
        ("50\\%", "0.5", 1),
        ("\\left( 3 + 4 \\right)", "7", 1),
        ("x^2+1", "x^2 + 1", 1),
        ("x^2+1", "1+x^2", 0),
        ("9" * 500, "1", 0),
        ("(" * 200 + "1" + ")" * 200, "1", 0),
        ("1/0", "1", 0),
        ("9^9^9^9", "1", 0),
        ("\\sqrt{-1}", "1", 0),
        ("{", "1", 0),
        ("__import__('os')", "1", 0),
    ],
)
def test_formulas_by_hand(graded, text, gold, right):
    assert graded("formula", text, [gold]) == right
