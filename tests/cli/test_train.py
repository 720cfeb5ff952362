"""`pixelis train`: what the gate prints and how it exits, and bad settings."""

from __future__ import annotations

import json

import pytest

from pixelis.evals.provenance import weights_hash
from pixelis.training.gate import BARS


@pytest.mark.slow
def test_the_gate_of_an_untrained_model_is_not_passed(inside, untrained):
    words = ("train", "gate", "--model", f"hf:{untrained}", "--count", "3", "--seed", "5")
    done = inside(*words, "--json")
    told = json.loads(done.stdout)
    assert (told["n"], told["seed"], told["model"]) == (3, 5, f"hf:{untrained}")
    assert told["bars"] == BARS
    assert told["passed"] is False
    assert done.returncode == 1
    said = inside(*words)
    assert said.returncode == 1
    assert said.stdout.count("missed") == sum(told[name] < bar for name, bar in BARS.items())


@pytest.mark.slow
def test_the_gate_of_nano_exits_by_what_it_measures(inside):
    done = inside("train", "gate", "--count", "4", "--json")
    told = json.loads(done.stdout)
    reached = all(told[name] >= bar for name, bar in BARS.items())
    assert told["passed"] is reached
    assert done.returncode == (0 if reached else 1)
    assert told["color"] > 0  # it was trained to see
    assert told["weights"] == weights_hash("nano")
    assert told["command"] == "pixelis train gate --model nano --count 4 --seed 1"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["gate", "--count", "0"], "too small"),
        (["gate", "--model", "nanno"], "did you mean 'nano'"),
        (["sft", "--steps", "many"], "setting steps"),
        (["sft", "--config", "none.toml"], "none.toml"),
        ([], "STAGE"),
    ],
)
def test_bad_input_is_one_line(inside, tmp_path, monkeypatch, words, reason):
    monkeypatch.chdir(tmp_path)
    done = inside("train", *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert reason in done.stderr
