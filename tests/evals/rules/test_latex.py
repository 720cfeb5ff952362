"""Formulas evened out and computed, against values worked out by Python's own arithmetic."""

import math

import pytest

from pixelis.evals.rules.latex import plain, value


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("2^3^2", 512),
        ("-2^2", -4),
        ("\\frac{1}{2}+\\frac{1}{3}", 5 / 6),
        ("2\\sqrt{3}", 2 * 3**0.5),
        ("\\sqrt[3]{8}", 2),
        ("2\\pi", 2 * math.pi),
        ("\\frac{3\\pi}{4}", 3 * math.pi / 4),
        ("12%", 0.12),
        ("1.5e3", 1500),
        ("10/4/5", 0.5),
        ("3(4)", 12),
        ("[2+3]2", 10),
        ("2^{-1}", 0.5),
        ("x+1", None),
        ("", None),
        ("1+", None),
        (")", None),
        ("(-8)^{0.5}", None),
    ],
)
def test_values(formula, wanted):
    found = value(formula)
    assert found == (None if wanted is None else pytest.approx(wanted))


def test_plain_forms():
    assert plain("$ \\dfrac12 $") == "\\frac{1}{2}"
    assert plain("\\left( 1,234 \\right)") == "(1234)"
    assert plain("17^{\\circ}") == plain("17°") == "17"
    assert plain("\\text{12 cm}") == "12"
    assert plain("\\(x=5\\)") == "5"
