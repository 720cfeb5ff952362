"""What plans are said to ask for, against episodes that were executed."""

import re

import pytest

from pixelis.data import tasks
from pixelis.data.oracle import solve
from pixelis.data.plans import ASKED, Plan
from pixelis.data.synthesis import media_of
from pixelis.geometry import Point
from pixelis.models.nano import TEXT_LIMIT
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import PixelBudget, Workspace

BUDGET = PixelBudget(256 * 256, 256 * 256, 32)


def solved(task):
    with media_of(task) as media, Workspace(media, BUDGET, text_limit=TEXT_LIMIT) as workspace:
        return solve(task, workspace, REGISTRY)


def drawn(*families, wanted, seed=41):
    found = (tasks.draw(seed, k, "train", families) for k in range(200))
    return next(task for task in found if wanted(task.plan))


@pytest.mark.parametrize(
    ("plan", "asked"),
    [
        (Plan("compare", field="width", say="more", names=("red", "pink")), "wider: red or pink"),
        (Plan("compare", field="size", say="yes_less"), "smaller: yes or no"),
        (Plan("side", field="y", say="words", words=("above", "below")), "above or below"),
        (Plan("side", field="x", say="words", words=("A", "B")), "left A or right B"),
        (Plan("same", field="shape"), "same shape: yes or no"),
        (Plan("follow", field="speed", say="less"), "slowest"),
        (Plan("follow", field="when", words=("4", "9", "20")), "when: A 4, B 9, C 20"),
        (Plan("measure", "color of the star", field="color"), ""),
    ],
)  # fmt: skip
def test_what_is_asked_is_said_in_the_words_it_is_measured_in(plan, asked):
    assert plan.asked == asked
    assert plan.opening == (f"{asked}? {plan.target}" if asked else plan.target)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda plan: plan.kind == "compare" and plan.field != "area_px",
        lambda plan: plan.kind == "side",
        lambda plan: plan.kind == "same",
    ],
)
def test_the_first_thought_and_the_last_begin_with_what_is_asked(wanted):
    families = ("geometric_comparison", "spatial_reasoning", "relationship_detection")
    task = drawn(*families, wanted=wanted)
    steps = solved(task).steps
    assert steps[0].thought == f"{task.plan.asked}? {task.plan.target}"
    assert steps[-1].thought.startswith(f"{task.plan.asked}? ")
    told = steps[-1].thought.removeprefix(f"{task.plan.asked}? ")
    assert told in steps[-2].observation.text


def test_a_thing_on_the_way_is_named_with_its_place():
    task = drawn("relationship_detection", wanted=lambda plan: bool(plan.anchors))
    episode = solved(task)
    (name, place), *_ = task.plan.anchors
    x, y = map(
        int, re.search(re.escape(name) + r" \[(\d+), (\d+)\]", episode.steps[0].thought).groups()
    )
    width, height = task.scene.size
    assert abs(x - 1000 * place[0] / width) <= 6
    assert abs(y - 1000 * place[1] / height) <= 6
    spot = task.scene.pixels[round(place[1]), round(place[0])]
    near = task.scene.pixels[round(place[1]) - 1 : round(place[1]) + 2, round(place[0])]
    assert abs(near.astype(int) - spot.astype(int)).max() < 120  # on the thing, not on its border


def test_each_sign_that_does_not_say_it_is_told_so():
    task = drawn("relationship_detection", wanted=lambda plan: len(plan.boxes) > 1)
    episode = solved(task)
    said = task.plan.words[0]
    thoughts = [step.thought for step in episode.steps]
    assert thoughts[0] == f"{said}? {task.plan.names[0]} sign"
    assert all(thought.startswith(f"{said}? no, ") for thought in thoughts[1:-1])
    assert thoughts[-1] == f"{said}? yes"
    assert episode.answer.text == task.answer


def test_a_mark_is_sought_sign_by_sign_and_seen_in_the_last():
    task = drawn(
        "relationship_detection",
        wanted=lambda plan: (
            plan.kind == "seek" and not plan.boxes[0].contains(Point(*plan.points[0]))
        ),
    )
    episode = solved(task)
    *looks, last = [step.thought for step in episode.steps]
    sought = task.plan.words[0]
    assert len(looks) > 1
    assert looks[0] == f"{sought}? {task.plan.names[0]} sign"
    assert all(thought.startswith(f"{sought}? no, ") for thought in looks[1:])
    assert last == f"{sought}? yes"
    assert {call.op for call in episode.calls} == {"zoom_in"}
    mark = Point(*task.plan.points[0])
    shown = [seen.box.contains(mark) for seen in episode.observations]
    assert shown == [False] * (len(looks) - 1) + [True]
    assert episode.answer.text == task.answer


def test_a_count_in_a_zoom_is_about_the_things_alone():
    task = drawn("object_counting", wanted=lambda plan: plan.box is not None)
    steps = solved(task).steps
    assert steps[0].thought == task.plan.target
    assert " on the " in steps[0].thought
    assert steps[-1].thought.startswith(f"{task.plan.target.split(' on the ')[0]}: ")


def test_every_word_of_a_measure_has_its_opposite():
    assert all(len(set(pair)) == 2 for pair in ASKED.values())
