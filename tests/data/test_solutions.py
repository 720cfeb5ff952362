"""Every kind of plan carried out with the real operations."""

import pytest

from pixelis.answers.score import correct
from pixelis.data import tasks
from pixelis.data.engine import Recipe, base_of, execute, fault_of
from pixelis.ops.track import stretches

NEW = ("geometric_comparison", "spatial_reasoning", "relationship_detection", "temporal_tracking")


@pytest.mark.slow
@pytest.mark.parametrize("family", NEW)
def test_operations_find_the_answers(family):
    right = 0
    for index in range(5):
        task = tasks.draw(12, index, "test", (family,))
        episode = execute(base_of(task), Recipe(1, 12)).episode
        right += correct(episode.answer.text, task.answer, task.answer_type)
        assert episode.answer.evidence or not episode.answer.known
    assert right >= 4


@pytest.mark.slow
def test_a_cell_is_answered_by_reference():
    task = next(
        t
        for t in (tasks.draw(12, k, "test", ("text_extraction",)) for k in range(60))
        if t.kind == "doc_cell"
    )
    made = execute(base_of(task), Recipe(1, 12))
    assert fault_of(task, made.episode) == ""
    assert made.episode.answer.raw == "{text_1.value}"
    assert made.episode.calls[0].arguments["find"] == task.plan.words[0]


def test_other_pixels_give_another_answer():
    task = tasks.draw(12, 0, "test", ("geometric_comparison",))
    task.scene.pixels[:] = 200
    assert not execute(base_of(task), Recipe(1, 12)).episode.answer.known


def test_short_losses_are_no_gaps():
    assert stretches([3, 4, 5, 9, 12, 13]) == [(3, 5), (12, 13)]
    assert stretches([]) == []
