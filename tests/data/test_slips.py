import numpy as np
import pytest

from pixelis.answers.score import correct
from pixelis.data import tasks
from pixelis.data.engine import Recipe, base_of, execute
from pixelis.data.slips import FORMS, around
from pixelis.data.solver import AGAIN
from pixelis.geometry import Box, Size

WHERE = {  # a family whose questions can slip that way
    "beside": "object_counting",
    "twice": "attribute_recognition",
    "wide": "object_counting",
    "mistaken": "geometric_comparison",
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_a_slip_that_is_mended(form):
    for index in range(14):
        base = base_of(tasks.draw(9, index, "train", (WHERE[form],)))
        made = execute(base, Recipe(1, 9), form, np.random.default_rng(index))
        if made is None or not correct(
            made.episode.answer.text, base.task.answer, base.task.answer_type
        ):
            continue
        episode, slips = made.episode, made.episode.meta["slips"]
        assert slips == (2 if form == "twice" else 1)
        assert episode.meta["form"] == form
        assert episode.steps[slips].thought.startswith(AGAIN)
        calls = episode.calls
        assert len({call.key() for call in calls}) == len(calls)
        if form == "wide":
            first, second = (seen.box for seen in episode.observations[:2])
            assert calls[1].arguments["image"] == 1
            assert first.area > 2 * second.area
            assert first.intersect(second).area > 0.95 * second.area
        if form == "mistaken":
            assert calls[0].op == "read_text"
            assert calls[1].op != "read_text"
        return
    pytest.fail("no such slip in 14 tasks")


def test_a_wide_box_holds_the_meant_one():
    box, size = Box(300, 200, 380, 260), Size(900, 700)
    for seed in range(20):
        wide = around(np.random.default_rng(seed), box, size)
        assert wide is None or wide.intersect(box) == box
    assert around(np.random.default_rng(0), Box(0, 0, 900, 700), size) is None
