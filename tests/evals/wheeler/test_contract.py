from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelis.evals.wheeler import contract
from pixelis.evals.wheeler.contract import Scene, c10, check


@pytest.fixture(scope="module")
def lines(model, folder):
    return dict(check(Scene(model, str(folder), 60)))


def test_what_holds_by_construction_holds_untrained(lines):
    assert list(lines) == [f"C{number}" for number in range(1, 10)]
    for name in ("C1", "C2", "C3", "C4", "C5", "C6", "C9"):
        assert lines[name].ok, lines[name]


def test_a_broken_model_fails_its_lines(model, folder, monkeypatch):
    """Each fault is seen by the line that watches for it."""
    scene = Scene(model, str(folder), 12)
    monkeypatch.setattr(model, "get_grid_as_image", lambda grid: grid[..., 0].float() * 0.999)
    assert not contract.c3(scene).ok
    monkeypatch.undo()
    whole = model.get_grid_as_image

    def leaks(grid):  # depends on batch mates, as a batch maximum would
        return whole(grid) * (1 - 1e-3 * (len(grid) > 1))

    monkeypatch.setattr(model, "get_grid_as_image", leaks)
    assert not contract.c1(scene).ok
    monkeypatch.undo()
    scene.frames = np.zeros_like(scene.frames)
    assert not contract.c2(scene).ok
    monkeypatch.setattr(contract, "peaks_by_cell", lambda frame: frame)
    assert not contract.c9(scene).ok


def test_settling_that_moves_on_is_seen(model, folder, monkeypatch):
    scene = Scene(model, str(folder), 12)
    tick, rng = scene.plain.rule.tick, np.random.default_rng(0)
    restless = lambda frame: tick(frame) * (1 - 1e-4 * rng.random())  # noqa: E731
    monkeypatch.setattr(scene.plain.rule, "tick", restless)
    assert not contract.c5(scene).ok


def test_goals_without_the_arm_that_is_off_are_refused():
    whole = {"dynamics off": 1, "n-gram k-NN": 1, "BM25": 1, "classical Hopfield": 0}
    goals = {"recall, x": {"target": 0.5, "baselines": whole}}
    assert c10(goals).ok
    assert not c10({}).ok
    assert c10({"recall, x": {"target": 0.5, "baselines": {"dynamics off": 1}}}).value == [
        "recall, x"
    ]
    without_neighbours = {"dynamics off": 1, "BM25": None, "classical Hopfield": 0}
    assert not c10({"y": {"target": 0.5, "baselines": without_neighbours}}).ok
    assert c10({"y": {"target": 0.5, "baselines": {**without_neighbours, "k-NN on frames": 1}}}).ok
    assert c10({**goals, "told only": {"target": 0.0, "baselines": {}}}).ok


def test_reading_back_compares_place_by_place(model):
    assert contract.accuracy([[1, 2, 3, 4]], [[1, 9, 3]]) == [0.5]
    frames = model.frames(["red boat"])
    assert contract.read_back(model, frames) == [model.tokenizer.encode("red boat").ids]
    assert torch.equal(frames, model.frames(["red boat"]))
