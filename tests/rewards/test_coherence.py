from dataclasses import replace

import numpy as np
import pytest

from pixelis.rewards import coherence
from pixelis.rewards.coherence import judge

A, B = (10, 10, 60, 60), (200, 100, 260, 180)


def kinds(episode):
    return [one.kind for one in judge(episode)]


def test_a_direct_answer_and_one_call_are_neutral(build):
    assert coherence(build().answer()) == 0.0
    assert coherence(build().zoom(*A).answer("red", "crop_1")) == 0.0


def test_comparing_two_objects_scores_well(build):
    one = build().segment(30, 30, *A).properties("mask_1", *A)
    one.segment(230, 140, *B).properties("mask_2", *B)
    episode = one.answer("the first", "mask_1", "mask_2")
    assert kinds(episode) == ["new", "follows", "new", "follows"]
    assert coherence(episode) == pytest.approx(2 / 3)
    both = build().segment(30, 30, *A).segment(230, 140, *B)
    both.properties("mask_1", *A).properties("mask_2", *B)
    assert coherence(both.answer("x", "mask_1", "mask_2")) == pytest.approx(2 / 3)


def test_zooming_inside_the_last_box(build):
    one = build().zoom(0, 0, 200, 200).read(20, 20, 100, 60)
    assert coherence(one.answer("HELLO", "text_1")) == 1.0
    elsewhere = build().zoom(0, 0, 200, 200).read(300, 20, 380, 60)
    assert coherence(elsewhere.answer("HELLO", "text_1")) == 0.0


def test_a_chain_the_answer_does_not_rest_on_earns_nothing(build):
    one = build().segment(30, 30, *A).properties("mask_1", *A)
    assert coherence(one.answer("red", "mask_1")) == 1.0
    assert coherence(one.answer("red")) == 0.0
    assert coherence(one.end()) == 0.0


def test_repeats_and_zigzag_cost(build):
    assert coherence(build().zoom(*A).zoom(*A).answer("red", "crop_1")) == -1.0
    back = build().zoom(*A).zoom(*B).zoom(*A).answer("red", "crop_1")
    assert kinds(back) == ["new", "new", "zigzag"]
    assert coherence(back) == -0.5
    failed = build().fail(bbox_2d=[9, 9, 1, 1]).fail(bbox_2d=[9, 9, 1, 1]).answer()
    assert coherence(failed) == -1.0


def test_contradictions_cost(build):
    asked = build().segment(30, 30, *A).fail("get_properties", mask="mask_7")
    assert kinds(asked.answer()) == ["new", "contradicts"]
    given = build().zoom(*A).answer("{mask_9.color}", "crop_1")
    assert coherence(replace(given, meta={"unknown_references": ["{mask_9.color}"]})) == -1.0
    assert coherence(build().zoom(*A).answer("no", "crop_1", known=False)) == -1.0


def test_every_sequence_stays_in_range(build):
    rng = np.random.default_rng(0)
    for _ in range(200):
        one = build()
        for _ in range(int(rng.integers(0, 9))):
            x, y = (int(v) for v in rng.integers(0, 4, 2) * 40)
            move = int(rng.integers(5))
            if move == 0:
                one.zoom(x, y, x + 80, y + 80)
            elif move == 1:
                one.segment(x, y, x, y, x + 20, y + 20)
            elif move == 2:
                one.properties("mask_1", x, y, x + 20, y + 20)
            else:
                one.fail() if move == 3 else one.malformed()
        assert -1.0 <= coherence(one.answer("x", "mask_1", "crop_1")) <= 1.0


def test_a_look_that_is_hardly_smaller_is_no_closer_look(build):
    outer = (0, 0, 200, 200)
    for side, closer in ((178, True), (180, False), (190, False)):
        one = build().zoom(*outer).read(0, 0, side, side).answer("HELLO", "text_1")
        assert (coherence(one) > 0) == closer, side  # 0.8 of the area is a side of 178.9
    around = build().zoom(50, 50, 100, 100).read(0, 0, 200, 200).answer("HELLO", "text_1")
    assert coherence(around) == 0.0
