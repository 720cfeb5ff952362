from __future__ import annotations

import json

import pytest

from pixelis.evals.wheeler import contract
from pixelis.evals.wheeler.figures import Figure, save

ARMS = {"dynamics off": 0.5, "n-gram k-NN": 0.4, "BM25": 0.3, "classical Hopfield": None}


@pytest.fixture
def results(tmp_path):
    figures = [
        Figure("recall, x", 0.9, 0.8, True, (0.85, 0.95), ARMS, n=10),
        Figure("told only", 3.0, 0.0, True),
        Figure("reading, y", 0.5, 0.9, False, None, ARMS),
    ]
    save(tmp_path / "results", "part", figures, {"model": "m"})
    return tmp_path / "results"


def test_check_prints_contract_and_goals(wheeler, results, monkeypatch):
    """Only a failed line of the contract makes it fail; a goal that is short is told."""
    fine = lambda scene: contract.Line(True, len(scene.texts), "fine")  # noqa: E731
    monkeypatch.setattr(contract, "LINES", (fine,) * 9)
    done = wheeler("check", "--results", results, "--memories", 12, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert set(told) == {"contract", "goals"}
    assert list(told["contract"]) == [f"C{n}" for n in range(1, 11)]
    assert told["contract"]["C1"] == {"ok": True, "value": 12, "says": "fine"}
    goal = told["goals"]["recall, x"]
    assert (goal["ok"], goal["value"], goal["target"]) == (True, 0.9, 0.8)
    assert goal["baselines"] == ARMS
    assert not told["goals"]["reading, y"]["ok"]
    plain = wheeler("check", "--results", results, "--memories", 12).stdout
    assert "recall, x: 0.9 (0.850 to 0.950) target 0.8 reached" in plain
    assert "classical Hopfield cannot" in plain
    broken = lambda scene: contract.Line(False, 1, "broken")  # noqa: E731
    monkeypatch.setattr(contract, "LINES", (broken,) * 9)
    done = wheeler("check", "--results", results, "--memories", 12, "--json")
    assert done.returncode == 1
    assert "C1" in done.stderr
    assert json.loads(done.stdout)["contract"]["C1"]["ok"] is False


def test_measures_are_named(wheeler, tmp_path):
    done = wheeler("measure", "recal", "--out", tmp_path)
    assert done.returncode == 2
    assert "parts are recall" in done.stderr
    assert "--run" in wheeler("measure", "training", "--out", tmp_path).stderr
    assert wheeler("check", "--results", tmp_path / "none").returncode == 2
