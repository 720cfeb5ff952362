"""`pixelis eval` from the command line: figures, files, and errors of one line."""

from __future__ import annotations

import argparse
import json

import pytest
from PIL import Image

from pixelis.cli import eval as command
from pixelis.data.tasks import FAMILIES
from pixelis.errors import ConfigError, DataError


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def run(*words: str) -> int:
    args = parse(*words)
    return args.run(args)


@pytest.fixture
def questions(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    record = {"id": "a", "image": "a.png", "question": "?", "answer": "red"}
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps(record | {"answer_type": "color"}) + "\n")
    return path


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["jsonl"], "needs --data FILE"),
        (["worlds", "--data", "x"], "--data belongs to 'eval jsonl'"),
        (["jsonl", "--data", "x", "--control", "oracle"], "control oracle needs the truth"),
        (["jsonl", "--data", "x", "--seed", "1"], "--seed belongs to 'eval worlds'"),
        (["jsonl", "--data", "x", "--families", "a"], "--families belongs to 'eval worlds'"),
        (["worlds", "--families", "text_extraction,nope"], "family 'nope' is not known; give text"),
    ],
)
def test_options_that_do_not_fit_are_refused_at_once(words, reason):
    with pytest.raises(ConfigError, match=reason):
        run(*words)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read"):
        run("jsonl", "--data", str(tmp_path / "none.jsonl"))


def test_an_unknown_model_is_refused(questions):
    with pytest.raises(ConfigError, match="model 'nanno' is not known"):
        run("jsonl", "--data", str(questions), "--model", "nanno")


@pytest.mark.slow
def test_oracle_on_worlds_prints_the_stable_shape_and_writes_reports(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["worlds", "--control", "oracle", "--limit", "7", "--out", str(out)]
    assert run(*words, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["n"] == 7
    assert summary["control"] == "oracle"
    assert summary["frozen"] is True
    assert set(summary["by_family"]) == set(FAMILIES)
    assert {"summary.json", "report.md", "report.html", "results.jsonl"} <= {
        path.name for path in out.iterdir()
    }
    assert run(*words) == 0
    text = capsys.readouterr().out
    assert "accuracy" in text
    assert "frozen questions" in text
