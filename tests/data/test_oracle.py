import pytest

from pixelis.answers.score import correct
from pixelis.data import tasks
from pixelis.data.oracle import enumerated, solve
from pixelis.media import Picture
from pixelis.models.dialects.qwen3 import Qwen3
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import PixelBudget, Workspace

BUDGET = PixelBudget(256 * 256, 256 * 256, 32)


def solved(task):
    return solve(task, Workspace(Picture(task.image, "scene", ""), BUDGET), REGISTRY)


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
    task = tasks.draw(8, 1, "test", ("attribute_recognition",))
    before = solved(task).answer.text
    task.scene.pixels[:] = task.scene.pixels[..., ::-1] // 2
    assert solved(task).answer.text != before or before in ("black", "grey")


def test_enumeration_counts_in_reading_order():
    assert enumerated([[500, 800], [100, 200]]) == "1: [100, 200], 2: [500, 800]"
    assert enumerated([]) == "none"
