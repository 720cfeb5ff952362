"""Judging answers, the words that are asked, and hashes that notice every change."""

from dataclasses import replace

import pytest
from PIL import Image

from pixelis.episode import Answer
from pixelis.evals.question import Question, data_hash, media_bytes_hash


def question(**changes) -> Question:
    whole = {"id": "a", "media": Image.new("RGB", (4, 4), "red"), "text": "Which colour?"}
    whole |= {"gold": "red", "answer_type": "color", "family": "f", "picture": "p"}
    return Question(**(whole | changes))


def test_right_and_wrong_answers():
    assert question().judge(Answer("crimson")) == (True, 1.0)
    assert question().judge(Answer("blue")) == (False, 0.0)
    assert question().judge(None) == (False, 0.0)


def test_graded_score_beside_the_verdict():
    text = question(answer_type="text", gold="stop")
    assert text.judge(Answer("stap")) == (False, 0.75)


@pytest.mark.parametrize(
    ("known", "kind", "right"),
    [(False, "unknown", True), (True, "unknown", False), (False, "color", False)],
)
def test_saying_that_it_cannot_know_is_right_only_where_nobody_can(known, kind, right):
    answer = Answer("red", known=known)
    assert question(answer_type=kind).judge(answer).correct is right


def test_unanswered_is_not_the_same_as_saying_that_it_cannot_know():
    assert not question(answer_type="unknown").judge(None).correct


def test_choices_are_asked_with_letters():
    options = question(answer_type="option", gold="a dog", choices=("a cat", "a dog"))
    assert options.asked == "Which colour?\nA. a cat\nB. a dog"
    assert options.judge(Answer("B")).correct
    assert not options.judge(Answer("A")).correct


def test_fingerprint_changes_with_question_gold_and_a_single_pixel():
    one = question()
    other = Image.new("RGB", (4, 4), "red")
    other.putpixel((3, 3), (254, 0, 0))
    variants = [one, replace(one, text="What colour?"), replace(one, gold="pink")]
    variants.append(replace(one, media=other))
    variants.append(replace(one, answer_type="word"))
    variants.append(replace(one, choices=("red", "blue")))
    ruled = replace(one, rule="mathvista")
    variants += [ruled, replace(ruled, details={"precision": 1})]
    variants.append(replace(ruled, details={"precision": 2}))
    prints = [variant.fingerprint() for variant in variants]
    assert len(set(prints)) == len(variants)
    assert question().fingerprint() == prints[0]
    assert data_hash(prints) != data_hash(prints[::-1])


def test_shape_of_a_picture_is_part_of_its_hash():
    wide, tall = Image.new("RGB", (4, 2)), Image.new("RGB", (2, 4))
    assert media_bytes_hash(wide) != media_bytes_hash(tall)
