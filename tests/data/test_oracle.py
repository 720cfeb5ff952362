import re

import numpy as np
import pytest

from pixelis.answers.score import correct
from pixelis.data import tasks
from pixelis.data.oracle import astray, listed, slipped, solve, tally
from pixelis.geometry import Box, Size
from pixelis.media import open_media
from pixelis.models.dialects.qwen3 import Qwen3
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import PixelBudget, Workspace

BUDGET = PixelBudget(256 * 256, 256 * 256, 32)


def solved(task):
    with open_media(task.source, name="scene") as media:
        return solve(task, Workspace(media, BUDGET), REGISTRY)


@pytest.mark.slow
def test_operations_find_the_gold_answers():
    drawn = [tasks.draw(8, index, "test") for index in range(15)]
    right = [correct(solved(t).answer.text, t.answer, t.answer_type) for t in drawn]
    assert sum(right) >= 13


def test_a_measured_answer_points_at_its_evidence():
    task = tasks.draw(8, 1, "test", ("attribute_recognition",))
    episode = solved(task)
    assert episode.answer.evidence == ("mask_1",)
    assert episode.ended == "answered"
    assert [call.op for call in episode.calls][-2:] == ["segment_object_at", "get_properties"]
    # the turns are what the dialect reads back
    dialect = Qwen3()
    for step in episode.steps:
        reading = dialect.read(step.text)
        assert [call.op for call in reading.calls] == ([step.call.op] if step.call else [])


def test_a_wrong_pixel_gives_another_answer():
    drawn = (tasks.draw(8, k, "test", ("attribute_recognition",)) for k in range(40))
    task = next(t for t in drawn if t.plan.field == "color" and t.answer in ("red", "yellow"))
    before = solved(task).answer.text
    task.scene.pixels[:] = task.scene.pixels[..., ::-1] // 2
    assert solved(task).answer.text != before


def test_a_tally_names_everything_and_numbers_what_was_asked_for():
    things = [("red star", [500, 800], True), ("blue ring", [100, 200], False)]
    things.append(("red cross", [900, 300], True))
    said = (
        "red: [100, 200] blue ring, red: no; [900, 300] red cross, red: 1; "
        "[500, 800] red star, red: 2"
    )
    assert tally("red", things) == said
    assert tally("all", []) == "all: none"


def test_a_counting_episode_lists_what_there_is():
    task = next(
        t
        for t in (tasks.draw(8, k, "test", ("object_counting",)) for k in range(40))
        if 0 < len(t.plan.points) < len(t.plan.among)
    )
    thought = solved(task).steps[-1].thought
    assert thought.count("[") == len(task.plan.among)
    assert re.findall(r": (\d+)", thought)[-1] == task.answer
    assert len(listed(task.plan, lambda place: [0, 0])) == len(task.plan.among)


def test_the_last_line_is_the_last():
    task = next(
        t
        for t in (tasks.draw(8, k, "test", ("text_extraction",)) for k in range(200))
        if t.plan.field == "last"
    )
    episode = solved(task)
    lines = episode.observations[-1].data["lines"]
    assert episode.answer.raw == "{text_1.last}"
    assert episode.answer.text == lines[-1]["text"]


OLD = ("text_extraction", "attribute_recognition", "object_counting")


@pytest.mark.parametrize("family", OLD)
def test_a_slip_is_seen_and_mended(family):
    mended = 0
    for k in range(12):
        task = tasks.draw(8, k, "test", (family,))
        space = Workspace(open_media(task.image, name="scene"), BUDGET)
        episode = slipped(task, space, REGISTRY, np.random.default_rng(k))
        if episode is None:
            continue
        mended += 1
        assert episode.meta["slips"] == [0]
        first, second = episode.steps[0], episode.steps[1]
        assert first.call.op == second.call.op
        assert first.call.arguments != second.call.arguments
        if first.call.op == "zoom_in":
            meant = task.plan.box
            assert first.observation.box.intersect(meant).area < 0.4 * meant.area
            assert "[crop_1]" not in episode.answer.raw
        else:
            assert first.observation.handle is None
        if correct(episode.answer.text, task.answer, task.answer_type):
            break
    else:
        pytest.fail(f"{mended} slips, none mended")


def test_a_box_beside_the_mark_shows_little_of_it():
    box, size = Box(100, 100, 200, 180), Size(640, 480)
    for seed in range(20):
        moved = astray(np.random.default_rng(seed), box, size)
        assert moved is None or moved.intersect(box).area < 0.3 * box.area
        assert moved is None or moved == moved.clip(size)
    assert astray(np.random.default_rng(0), Box(0, 0, 640, 480), size) is None
