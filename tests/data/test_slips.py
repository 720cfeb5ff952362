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
    "later": "geometric_comparison",
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
        assert slips == {"twice": [0, 1], "later": [1]}.get(form, [0])
        assert episode.slips == set(slips)
        assert episode.meta["form"] == form
        again = [k for k, step in enumerate(episode.steps) if step.thought.startswith(AGAIN)]
        assert again == [place + 1 for place in slips]
        calls = episode.calls
        assert len({call.key() for call in calls}) == len(calls)
        if form == "wide":
            first, second = (seen.box for seen in episode.observations[:2])
            assert calls[1].arguments["image"] == 1
            assert first.area > 2 * second.area
            assert first.intersect(second).area > 0.95 * second.area
        if form == "later":
            missed, mended = episode.steps[1], episode.steps[2]
            assert missed.call.op == mended.call.op == "segment_object_at"
            assert missed.observation.handle is None
            assert mended.observation.handle == "mask_2"
            assert episode.answer.evidence == ("mask_1", "mask_2")
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
