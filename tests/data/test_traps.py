import numpy as np
import pytest

from pixelis.answers.score import correct
from pixelis.data import tasks
from pixelis.data.engine import Recipe, base_of, execute
from pixelis.data.traps import TRAPS, trapped

FAMILIES = ("object_counting", "attribute_recognition", "geometric_comparison", "spatial_reasoning")


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_trap_is_real_but_for_its_end(family):
    kinds = set()
    for index in range(3):
        task = tasks.draw(5, index, "train", (family,))
        golden = execute(base_of(task), Recipe(1, 5)).episode
        for seed in range(4):
            trap = trapped(task, golden, np.random.default_rng(seed))
            if trap is None:
                continue
            kinds.add(trap.meta["trap"])
            assert trap.steps[:-1] == golden.steps[:-1]
            assert trap.answer.text
            assert not correct(trap.answer.text, task.answer, task.answer_type)
            assert trap.answer.raw in trap.steps[-1].text
    assert kinds
    assert kinds <= set(TRAPS)


def test_nothing_is_made_of_an_episode_without_evidence():
    task = tasks.draw(5, 0, "train", ("attribute_recognition",))
    task.scene.pixels[:] = 128
    golden = execute(base_of(task), Recipe(1, 5)).episode
    assert trapped(task, golden, np.random.default_rng(0)) is None
