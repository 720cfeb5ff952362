from __future__ import annotations

import numpy as np

from pixelis.evals.wheeler import agent
from pixelis.evals.wheeler.agent import again, agent_figures, scene_of
from pixelis.memory.media import alike, fingerprint


def test_engines_are_asked_the_same(model):
    found = {f.name: f for f in agent_figures(model, scenes=3, calibration=2, pooled=False)}
    right = found["agent, right memory first: typos 10 %"]
    assert right.n == 9
    assert set(right.gains) == {"dynamics off", "neighbours, plain"}
    assert right.baselines["neighbours, plain"] > 0
    voted = found["agent, right vote: typos 10 %"]
    assert voted.value <= right.value
    for name in agent.STRANGE:
        assert 0 <= found[f"agent, vote where none is due: {name}"].value <= 1
    assert all(figure.ok for figure in found.values())


def test_a_scene_has_a_question_that_is_not_kept():
    told = scene_of(np.random.default_rng(1))
    assert len(told.kept) == agent.EACH
    assert told.new not in [text for text, _ in told.kept]
    again_ = again(told.image)
    assert again_.size == (told.image.width * 4 // 5, told.image.height * 4 // 5)
    assert alike(fingerprint(again_), fingerprint(told.image)) > 0.9
