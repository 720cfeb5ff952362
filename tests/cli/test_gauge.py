"""`pixelis gauge` writes a file that `evolve` takes."""

from __future__ import annotations

import json

import pytest

from pixelis.cli.main import main
from pixelis.online.calibrate import read


def test_a_file_is_fitted_on_the_frozen_exam_and_can_be_read(tmp_path, capsys):
    out = tmp_path / "calibration.json"
    words = ["gauge", "--out", str(out), "--limit", "12", "--votes", "1", "--json"]
    assert main([*words, "--ahead", "6"]) == 0
    told = json.loads(capsys.readouterr().out)
    of = {"policy": "nano", "votes": 1, "temperature": 1.0, "strategy": "majority"}
    assert json.loads(out.read_text())["of"] == of
    known = read(out, of)
    assert known.id == told["id"]
    assert told["from"] == "exam:calibration"
    assert 10 <= told["answers"] <= told["questions"] == 12
    assert told["measured"]["identity"]["n"] == told["answers"]
    least = min(one["loss"] for one in told["measured"].values())
    assert told["measured"][told["kind"]]["loss"] == least


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "c.json", "--questions", "exam:worlds-test"], "give exam:calibration"),
        (["--out", "c.json", "--questions", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--out", "nowhere/c.json"], "no such folder"),
        (["--out", "."], "that is a folder"),
        (["--out", "c.json", "--votes", "none"], "votes"),
        (["--out", "c.json", "--limit", "3", "--votes", "1"], "are needed"),
    ],
)
def test_bad_usage_is_one_line(tmp_path, monkeypatch, capfd, words, says):
    monkeypatch.chdir(tmp_path)
    assert main(["gauge", *words]) == 2
    heard = capfd.readouterr().err.strip().splitlines()
    assert len(heard) == 1
    assert says in heard[0]
    assert not (tmp_path / "c.json").exists()
