"""The trainer: published is an average, and settling starts from it or goes back."""

from __future__ import annotations

import io

import pytest

from pixelis.agent import Agent
from pixelis.data.tasks import draw
from pixelis.memory import Experience
from pixelis.memory.queue import Ticket
from pixelis.models.load import load_policy
from pixelis.online.learner import Lesson
from pixelis.online.settings import EvolveConfig
from pixelis.online.trainer import AdapterTrainer
from pixelis.online.wear import Wearer

pytestmark = pytest.mark.slow


def lesson(index):
    task = draw(5, index, "train", ("attribute_recognition",))
    stream = io.BytesIO()
    task.image.save(stream, "PNG")
    one = Experience(task.question, task.answer, task.answer, task.answer_type, id=str(index))
    return Lesson(
        Ticket(index, one.id, task.answer, 1.0, 1e-3, "corrected", 1), one, stream.getvalue()
    )


def norm(state, other):
    return sum(float((state[n] - other[n]).float().square().sum()) for n in state) ** 0.5


def test_a_candidate_is_an_average_and_can_be_worn_elsewhere(tmp_path):
    config = EvolveConfig(rollouts=6, replay=0.0, lr=5e-3, half_life=1.0, temperature=1.3)
    with Agent.load("nano", threads=1) as agent:
        trainer = AdapterTrainer(agent, config, None)
        start = trainer.wearer.state()
        for round_ in range(4):
            if trainer.learn([lesson(4 * round_ + n) for n in range(4)])["used"]:
                break
        trained = trainer.wearer.state()
        with trainer.using("candidate"):
            candidate = trainer.wearer.state()
        assert norm(trained, start) > 0
        assert norm(candidate, start) == pytest.approx(norm(trained, start) / 2, rel=1e-4)
        assert norm(trainer.wearer.state(), trained) == 0
        trainer.write(tmp_path)
        trainer.settle(promoted=True)
        assert norm(trainer.wearer.state(), trained) == 0, "the newest weights go on"
        with trainer.using("promoted"):
            assert norm(trainer.wearer.state(), candidate) == 0
        for left in (4, 8):  # half of what is missing arrives with every version
            with trainer.using("candidate"):
                missing = norm(trainer.wearer.state(), trained)
            assert missing == pytest.approx(norm(trained, start) / left, rel=1e-4)
            trainer.settle(promoted=True)
        far = trainer.update.change()
        trainer.update.retreat()
        assert trainer.update.change() == pytest.approx(far / 2, rel=1e-4)
        trainer.settle(promoted=False)
        assert trainer.update.change() == 0
    policy = load_policy("nano")
    wearer = Wearer(policy)
    wearer.wear(tmp_path, 1)
    assert norm(wearer.state(), candidate) == 0
    wearer.bare()
    wearer.wear(tmp_path, 1)
    assert norm(wearer.state(), candidate) == 0
