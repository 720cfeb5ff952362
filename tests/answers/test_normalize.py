"""Normalisation: what counts as the same answer, and what must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelis.answers import normalize
from pixelis.answers.types import ANSWER_TYPES

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
]
ONES += ["fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def say(value: int, hundreds_and: bool = False) -> str:
    """English words of a number: the opposite direction of the code under test."""
    if value < 20:
        return ONES[value]
    if value < 100:
        rest = value % 10
        return TENS[value // 10 - 2] + (f"-{ONES[rest]}" if rest else "")
    for scale, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if value >= scale:
            rest = value % scale
            joint = " and " if scale == 100 and hundreds_and else " "
            tail = joint + say(rest, hundreds_and) if rest else ""
            return f"{say(value // scale, hundreds_and)} {name}{tail}"
    raise AssertionError(value)


@given(st.integers(0, 10**9 - 1), st.booleans())
def test_number_words_agree_with_a_writer_of_numbers(value, hundreds_and):
    assert normalize.spelled_number(say(value, hundreds_and)) == value


@given(st.integers(-(10**12), 10**12))
def test_thousands_separators_do_not_change_a_number(value):
    for text in (f"{value}", f"{value:,}", f"{value:,}".replace(",", " ")):
        assert normalize.number(text).value == value


@pytest.mark.parametrize(
    ("text", "value", "decimals", "unit"),
    [
        ("3", 3, 0, ""),
        ("Three.", 3, 0, ""),
        ("There are twenty-one circles", 21, 0, ""),
        ("a dozen", 12, 0, ""),
        ("two dozen eggs", 24, 0, ""),
        ("none", 0, 0, ""),
        ("No circles", 0, 0, ""),
        ("12.50 €", 12.5, 2, "€"),
        ("$ 1,234.5", 1234.5, 1, "$"),
        ("1.234.567,8", 1234567.8, 1, ""),
        ("3,5 kg", 3.5, 1, "kg"),
        ("0,500", 0.5, 3, ""),
        ("1.234", 1.234, 3, ""),
        (".5", 0.5, 1, ""),
        ("-4", -4, 0, ""),
        ("−4", -4, 0, ""),
        ("50 percent", 50, 0, "%"),
        ("12k", 12000, 0, ""),
        ("3 (three)", 3, 0, ""),
        ("5 and 5 again", 5, 0, ""),
        ("12px", 12, 0, "px"),
        ("the 3rd", 3, 0, ""),
    ],
)
def test_number_reads(text, value, decimals, unit):
    assert normalize.number(text) == (value, decimals, unit)


@pytest.mark.parametrize(
    "text",
    ["", "many", "3 or 4", "between two and five", "1-3", "3/4", "12.05.2024", "1,2,3", "9" * 400],
)
def test_number_refuses_hedges_and_what_is_no_numeral(text):
    assert normalize.number(text) is None


def test_a_long_run_of_number_words_is_cheap():
    assert normalize.number("one " * 50_000).value == 1


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Gray", {"grey"}),
        ("dark blue", {"blue"}),
        ("It's crimson!", {"red"}),
        ("red and white", {"red", "white"}),
        ("bluish", set()),
        ("teal", set()),
        ("", set()),
    ],
)
def test_color(text, terms):
    assert normalize.color(text) == terms


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Yes", True),
        ("yes, there is no doubt", True),
        ("No, yes would be wrong", False),
        ("There isn't one", False),
        ("It is not", False),
        ("yes and no", None),
        ("not sure", None),
        ("I can't see that", None),
        ("I cannot tell", None),
        ("I don't know", None),
        ("I can't see any", False),
        ("maybe", None),
        ("", None),
        ("TRUE", True),
    ],
)
def test_yes_no(text, verdict):
    assert normalize.yes_no(text) is verdict


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("B", 1),
        ("(b)", 1),
        ("b.", 1),
        ("Option B", 1),
        ("B) a red car", 1),
        ("the red car", 1),
        ("B) dog", None),
        ("F", None),
        ("a dog", 0),
        ("a horse", None),
        ("", None),
    ],
)
def test_option_with_choices(text, index):
    assert normalize.option(text, ["dog", "red car", "cup"]) == index


def test_option_without_choices_reads_letters_only():
    assert normalize.option("C") == 2
    assert normalize.option("C. the cup") == 2
    assert normalize.option("a cup") is None


def test_choices_that_are_letters_win_over_positions():
    assert normalize.option("B", ["B", "A"]) == 0


@pytest.mark.parametrize(
    ("text", "corners"),
    [
        ("[1, 2, 3.5, 4]", (1, 2, 3.5, 4)),
        ("x1=10 y1=20", None),
        ("10 20 30 40 50", None),
        ("(10,20),(30,40)", (10, 20, 30, 40)),
    ],
)
def test_box(text, corners):
    assert normalize.box(text) == corners


def test_items_keep_order_and_repeats():
    assert normalize.items("- Red\n- the Blue\n- red") == ["red", "blue", "red"]
    assert normalize.items("apples, pears and three plums") == ["apples", "pears", "three plums"]
    assert normalize.items("1. one; 2. two") == ["1", "2"]


def test_words_survive_when_everything_looks_like_decoration():
    assert normalize.word("A") == "a"
    assert normalize.word("The") == "the"
    assert normalize.phrase("?!") == "?!"


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("three", "3 circles", "number"),
        ("gray", "GREY.", "color"),
        ("Yes!", "yes, it is", "yes_no"),
        ("b", "(B)", "option"),
        ("red, blue", "blue and red", "list"),
        ("The T-shirt", "t shirt", "word"),
        ("[1,2,3,4]", "1 2 3 4", "box"),
        ("“Open”", "open", "text"),
    ],
)
def test_canonical_unites_what_means_the_same(first, second, kind):
    assert normalize.canonical(first, kind) == normalize.canonical(second, kind) != ""


@given(st.text(), st.sampled_from(ANSWER_TYPES), st.none() | st.lists(st.text(), max_size=4))
def test_canonical_never_raises(text, kind, choices):
    assert isinstance(normalize.canonical(text, kind, choices), str)
