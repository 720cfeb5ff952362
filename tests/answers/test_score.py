"""Scorers against independent oracles, and the properties every scorer keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from pixelis.answers import correct, score
from pixelis.answers.score import edit_distance, similarity
from pixelis.answers.types import ANSWER_TYPES, COLORS

KINDS = st.sampled_from(ANSWER_TYPES)
SOLID = st.text(min_size=1).filter(lambda text: text.strip())


@given(SOLID, KINDS)
def test_gold_scores_one(gold, kind):
    assert score(gold, gold, kind) == 1.0
    assert correct(gold, gold, kind)


@given(st.text(alphabet=" \t\n"), st.text(), KINDS)
def test_empty_scores_zero(answer, gold, kind):
    assert score(answer, gold, kind) == 0.0
    assert not correct(answer, gold, kind)


@given(
    st.text(),
    st.text() | st.lists(st.text(), max_size=3),
    KINDS,
    st.none() | st.lists(st.text(), max_size=5),
)
def test_any_strings_give_a_share_and_correct_implies_a_good_score(answer, gold, kind, choices):
    value = score(answer, gold, kind, choices)
    assert 0.0 <= value <= 1.0
    if correct(answer, gold, kind, choices):
        assert value > 0.5


@given(st.text(alphabet="0123456789.,- kone/[]"), st.text(alphabet="0123456789.,- kone"), KINDS)
def test_strings_that_look_like_numbers_never_raise(answer, gold, kind):
    assert 0.0 <= score(answer, gold, kind) <= 1.0


@given(st.text(max_size=40), st.text(max_size=40))
def test_edit_distance_agrees_with_rapidfuzz(first, second):
    assert edit_distance(first, second) == Levenshtein.distance(first, second)


@given(st.text(max_size=30), st.text(max_size=30))
def test_similarity_agrees_with_rapidfuzz_where_it_matters(first, second):
    oracle = Levenshtein.normalized_similarity(first, second)
    value = similarity(first, second)
    assert value == pytest.approx(oracle) if oracle > 0.5 else value <= 0.5


@given(*[st.tuples(*[st.integers(0, 19)] * 4) for _ in range(2)])
def test_box_agrees_with_counted_pixels(first, second):
    masks = []
    for x1, y1, x2, y2 in (first, second):
        mask = np.zeros((20, 20), bool)
        mask[y1:y2, x1:x2] = True
        masks.append(mask)
    union = (masks[0] | masks[1]).sum()
    right = union > 0 and (masks[0] & masks[1]).sum() / union >= 0.5
    expected = float(right or list(first) == list(second))
    assert score(str(list(first)), str(list(second)), "box") == expected


@given(st.lists(st.sampled_from(COLORS), min_size=1, max_size=5), st.data())
def test_list_score_is_f1_whatever_the_order(gold, data):
    answer = data.draw(st.lists(st.sampled_from(COLORS), min_size=1, max_size=5))
    rest = list(gold)
    hits = 0
    for entry in answer:
        if entry in rest:
            rest.remove(entry)
            hits += 1
    precision, recall = hits / len(answer), hits / len(gold)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    assert score(", ".join(answer), gold, "list") == pytest.approx(f1)
    assert correct(" and ".join(reversed(gold)), gold, "list")


@pytest.mark.parametrize(
    ("answer", "gold", "kind", "right"),
    [
        ("three", "3", "number", True),
        ("There are 3.", "3", "number", True),
        ("4", "3", "number", False),
        ("3 or 4", "3", "number", False),
        ("1,200", "1200", "number", True),
        ("12.5", "12.50", "number", True),
        ("12.4", "12.50", "number", False),
        ("12.50 EUR", "€12.50", "number", True),
        ("$12.50", "€12.50", "number", False),
        ("3 cm", "3", "number", True),
        ("30 mm", "3 cm", "number", False),
        ("The stop", "STOP", "word", True),
        ("It says STOP", "stop", "word", True),
        ("STOPS", "stop", "word", False),
        ("gray", "grey", "color", True),
        ("navy blue", "blue", "color", True),
        ("red and blue", "red", "color", False),
        ("reddish", "red", "color", False),
        ("transparent", "Transparent", "color", True),
        ("Yes, it is.", "yes", "yes_no", True),
        ("yes and no", "yes", "yes_no", False),
        ("B", "b", "option", True),
        ("[0, 0, 100, 100]", "[0, 0, 100, 190]", "box", True),
        ("[0, 0, 100, 100]", "[0, 0, 100, 210]", "box", False),
        ("Opening  hours: 9-17", "opening hours: 9–17", "text", True),
        ("Opening hours: 9-18", "Opening hours: 9-17", "text", False),
        ("No parkimg here", "No parking here", "text", True),
        ("STAP", "STOP", "text", False),
        ("anything", "", "text", False),
    ],
)
def test_correct(answer, gold, kind, right):
    assert correct(answer, gold, kind) is right


def test_text_score_follows_anls():
    assert score("stap", "stop", "text") == 0.75
    assert score("stxx", "stop", "text") == 0.0  # exactly half is not enough


def test_any_gold_of_several_counts():
    assert correct("couch", ["sofa", "couch"], "word")
    assert not correct("chair", ["sofa", "couch"], "word")
    assert score("chair", [], "word") == 0.0


def test_option_by_letter_or_text():
    choices = ["a cat", "a dog"]
    assert correct("B", "a dog", "option", choices)
    assert correct("the dog", "B", "option", choices)
    assert not correct("A) a dog", "B", "option", choices)


def test_tolerance_is_relative_to_gold():
    assert correct("104", "100", "number", tolerance=0.05)
    assert not correct("106", "100", "number", tolerance=0.05)
    assert not correct("104", "100", "number")


def test_listing_everything_does_not_pay():
    everything = ", ".join(COLORS)
    assert score(everything, "red", "color") == 0.0
    assert score(everything, ["red", "blue"], "list") < 0.35
    assert not correct(everything, ["red", "blue"], "list")


def test_long_texts_are_scored_quickly():
    page = "lorem ipsum dolor " * 250
    assert score(page + "x", page, "text") > 0.99


def test_unknown_type_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="answer type 'essay'; types are number, word"):
        score("a", "a", "essay")
