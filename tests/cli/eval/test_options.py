"""The options of `pixelis eval`: which go together, and what is said when they do not."""

from __future__ import annotations

import argparse
import json
import re

import pytest
from PIL import Image

from pixelis.cli import eval as command
from pixelis.cli.eval import options
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
        (["worlds", "--data", "x"], "--data belongs to the other benchmarks"),
        (["jsonl", "--data", "x", "--control", "oracle"], "control oracle needs the truth"),
        (["vstar", "--controls", "none,oracle"], "control oracle needs the truth"),
        (["jsonl", "--data", "x", "--seed", "1"], "--seed belongs to 'eval worlds'"),
        (["jsonl", "--data", "x", "--families", "a"], "--families belongs to 'eval worlds'"),
        (["worlds", "--families", "text_extraction,nope"], "family 'nope' is not known; give text"),
        (["vstar"], "eval vstar needs --data DIR; get it from huggingface.co/datasets/craigwu"),
        (["worlds", "--seeds", "1,2"], "--seeds needs --temperature T above 0"),
        (["worlds", "--seeds", "1,1", "--temperature", "1"], "different whole numbers are needed"),
        (["worlds", "--seeds", "a", "--temperature", "1"], "different whole numbers are needed"),
        (["worlds", "--control", "no_ops", "--controls", "all"], "--control and --controls"),
        (["worlds", "--controls", "none,some"], "control 'some' is not known"),
        (["worlds", "--controls", "twin", "--model", "hf:x"], "the twin of hf:x is not known"),
        (["worlds", "--judge", "nano"], "--judge belongs to mmvet; worlds is scored by rule"),
        (["worlds", "--source", "coco"], "--source belongs to 'eval ops'"),
        (["worlds", "--spoil", "fog:1"], "spoil 'fog:1' is not known"),
        (["worlds", "--temperature", "-1"], "--temperature -1: 0 "),
        (["worlds", "--temperature", "nan"], "--temperature nan: 0 "),
        (["worlds", "--twin", "hf:x"], "--twin answers in a table only"),
        (["worlds", "--again"], "--again belongs to eval freeze; leave it out of worlds"),
        (["jsonl", "--data", "x", "--split", "shift"], "--split belongs to eval worlds, ops"),
        (["worlds", "--skip-broken"], "--skip-broken belongs to eval a published benchmark"),
        (["compare", "a", "b", "--limit", "3"], "--limit belongs to eval worlds, jsonl, vstar"),
        (["worlds", "extra"], "eval worlds takes no further words; came 1"),
        (["compare", "one"], "eval compare takes 2 files; came 1"),
        (["page"], "eval page needs result files"),
        (["ops", "--data", "x"], "needs --source coco or --source mot17"),
        (["freeze", "nope"], "exam 'nope' is not known; give worlds-test"),
    ],
)
def test_options_that_do_not_fit_are_refused_at_once(words, reason):
    with pytest.raises(ConfigError, match=reason):
        run(*words)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read"):
        run("jsonl", "--data", str(tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match=r"none: is neither a file nor a folder.*get it from"):
        run("vstar", "--data", str(tmp_path / "none"))


def test_an_unknown_model_is_refused(questions):
    with pytest.raises(ConfigError, match="model 'nanno' is not known"):
        run("jsonl", "--data", str(questions), "--model", "nanno")


def test_the_published_are_those_of_the_catalogue():
    from pixelis.evals.benchmarks import CATALOG

    assert set(options.PUBLISHED) == set(CATALOG)


def test_rows_of_a_table():
    def labels(*words):
        return [cell.label for cell in options.cells(parse(*words))]

    assert labels("worlds") == ["none"]
    wanted = ["none", "no_ops", "random_crop", "twin", "oracle"]
    assert labels("worlds", "--controls", "all") == wanted
    assert labels("jsonl", "--controls", "all", "--model", "hf:x") == wanted[:3]
    assert labels("worlds", "--controls", "none,none") == ["none"]
    spoils = labels("worlds", "--spoil", "all")
    assert len(spoils) == 16
    assert spoils[:3] == ["none", "none-noise-1", "none-noise-2"]
    twin = options.cells(parse("worlds", "--controls", "twin"))[0]
    assert (twin.model, twin.control) == ("nano-direct", "twin")


def test_settings_that_change_answers_are_kept_with_them():
    args = parse("worlds", "--temperature", "0.7", "--seeds", "3,4")
    assert options.seeds(args) == [3, 4]
    cell = options.cells(args)[0]
    kept = options.settings(args, cell, 4)
    assert re.fullmatch("[0-9a-f]{64}", kept["model_hash"])
    assert kept["temperature"] == 0.7
    assert kept["sampling_seed"] == 4
    assert "temperature" not in options.settings(parse("worlds"), cell, 0)
