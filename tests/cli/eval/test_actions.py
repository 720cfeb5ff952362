"""Comparing, freezing and publishing from the command line."""

from __future__ import annotations

import argparse
import json

import pytest

from pixelis.cli import eval as command
from pixelis.errors import ConfigError, DataError
from pixelis.evals.results import RESULTS, Result, Store


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = parser.parse_args(words)
    return args.run(args)


def result(number: int, correct: bool) -> Result:
    return Result(
        id=f"q{number}",
        fingerprint=f"f{number}",
        family="even" if number % 2 == 0 else "odd",
        difficulty="",
        domain="",
        picture=f"p{number}",
        question="?",
        gold="a",
        answer_type="word",
        answer="a" if correct else "b",
        known=True,
        confidence=0.9,
        correct=correct,
        score=float(correct),
        ops=0,
        failed_ops=0,
        ended="answered",
        seconds=0.1,
        wall_s=0.1,
        episode={},
    )


@pytest.fixture
def runs(tmp_path):
    """Two folders of forty results; the second run is wrong on the first ten."""
    for name, wrong in (("a", 0), ("b", 10)):
        store = Store(tmp_path / name / RESULTS, {"model": name})
        for number in range(40):
            store.add(result(number, number >= wrong))
        store.close()
    return str(tmp_path / "a"), str(tmp_path / "b")


def test_two_runs_are_compared(runs, tmp_path, capsys):
    assert run("compare", *runs, "--json", "--out", str(tmp_path / "out")) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["difference"] == 0.25
    assert outcome["ci95"][0] > 0.1
    assert outcome["gained"] == [f"q{number}" for number in range(10)]
    assert outcome["no_worse"]["verdict"] == "no_worse"
    assert json.loads((tmp_path / "out" / "compare.json").read_text()) == outcome
    assert run("compare", *reversed(runs)) == 0
    text = capsys.readouterr().out
    assert "75.0 % and 100.0 %, difference -25.0 points" in text
    assert "better on 0 questions, worse on 10 of 40" in text
    assert "the first is worse" in text


def test_runs_that_are_not_there_or_broken_are_named(runs, tmp_path):
    with pytest.raises(ConfigError, match=r"none holds no results\.jsonl"):
        run("compare", runs[0], str(tmp_path / "none"))
    path = tmp_path / "a" / RESULTS
    path.write_text(path.read_text() + '{"id": 3}\n')
    with pytest.raises(DataError, match=r"results\.jsonl:42: "):
        run("compare", *runs)


def test_hashes_are_frozen_and_guarded(tmp_path, capsys):
    manifest = str(tmp_path / "exams.json")
    weights = tmp_path / "model"
    weights.mkdir()
    (weights / "model.safetensors").write_bytes(b"one")
    word = f"mine=hf:{weights}"
    assert run("freeze", "real", word, "--data", manifest) == 0
    assert "written to" in capsys.readouterr().out
    first = json.loads((tmp_path / "exams.json").read_text())
    assert first["exams"]["real"]["questions"] == 60
    assert len(first["models"]["mine"]["model_hash"]) == 64
    assert run("freeze", "real", word, "--data", manifest, "--json") == 0
    assert json.loads((tmp_path / "exams.json").read_text()) == first
    (weights / "model.safetensors").write_bytes(b"two")
    with pytest.raises(ConfigError, match="model mine is frozen with another model hash"):
        run("freeze", word, "--data", manifest)
    assert run("freeze", word, "--data", manifest, "--again") == 0
    with pytest.raises(ConfigError, match="has no weights here to freeze"):
        run("freeze", "x=oracle", "--data", manifest)


def test_only_known_results_are_published(tmp_path, capsys):
    exams = {"worlds-test": {"about": "frozen", "questions": 2, "data_hash": {"2": "d" * 64}}}
    models = {"nano-sft": {"model": "nano", "model_hash": "m" * 64}}
    (tmp_path / "exams.json").write_text(json.dumps({"exams": exams, "models": models}))
    good = {
        "accuracy": 0.5,
        "ci95": [0.1, 0.9],
        "n": 2,
        "by_family": {"counting": {"accuracy": 0.5, "ci95": [0.1, 0.9], "n": 2}},
        "control": "none",
        "ops_per_question": 1.0,
        "op_success": 1.0,
        "ece": 0.1,
        "data_hash": "d" * 64,
        "model_hash": "m" * 64,
        "commit": "c" * 40,
        "command": "pixelis eval worlds --json",
    }
    path = tmp_path / "r.json"
    path.write_text(json.dumps(good))
    words = ["page", str(path), "--data", str(tmp_path / "exams.json")]
    assert run(*words, "--out", str(tmp_path / "results.md")) == 0
    page = (tmp_path / "results.md").read_text()
    assert (
        "| nano-sft | none | 50.0 % | 10.0 to 90.0 | 2 | 1.00 | 100.0 % | 0.100 | `cccccccc`"
        in page
    )
    assert "    pixelis eval worlds --json" in page
    for name, value, reason in [
        ("data_hash", "x" * 64, "is of no frozen exam"),
        ("model_hash", "x" * 64, "is of no frozen model"),
        ("commit", "c" * 40 + "+changes", "is no clean commit"),
        ("command", "", "has no command"),
    ]:
        path.write_text(json.dumps(good | {name: value}))
        with pytest.raises(ConfigError, match=reason):
            run(*words)
    path.write_text("[]")
    with pytest.raises(DataError, match="holds no accuracy"):
        run(*words)
