"""`pixelis eval` from the command line: figures, files, tables, and going on after a kill."""

from __future__ import annotations

import argparse
import gc
import json

import pytest
from PIL import Image

from pixelis.cli import eval as command
from pixelis.cli.eval import measure
from pixelis.evals.question import Benchmark

# Inspect leaves streams of its own to the garbage collector, which says so.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def collected():
    yield
    gc.collect()


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = parser.parse_args(words)
    return args.run(args)


@pytest.fixture
def questions(tmp_path):
    lines = []
    for name in ("red", "blue"):
        Image.new("RGB", (64, 64), name).save(tmp_path / f"{name}.png")
        question = {"id": name, "image": f"{name}.png", "question": "What colour is the picture?"}
        lines.append(json.dumps({**question, "answer": name, "answer_type": "color"}))
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_oracle_on_worlds_prints_the_stable_shape_and_writes_reports(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["worlds", "--control", "oracle", "--limit", "6", "--out", str(out)]
    assert run(*words, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["n"] == 6
    assert summary["control"] == "oracle"
    assert summary["frozen"] is True
    assert set(summary["by_family"]) == {
        "text_extraction",
        "attribute_recognition",
        "object_counting",
        "geometric_comparison",
        "spatial_reasoning",
        "relationship_detection",
    }
    assert {"summary.json", "report.md", "report.html", "results.jsonl", "inspect"} <= {
        path.name for path in out.iterdir()
    }
    assert summary["by_op"]
    assert run(*words) == 0
    text = capsys.readouterr().out
    assert "accuracy" in text
    assert "frozen questions" in text


def test_a_table_of_controls_and_traces_of_what_went_wrong(tmp_path, questions, capsys):
    out = tmp_path / "table"
    words = ["jsonl", "--data", str(questions), "--controls", "none,no_ops", "--out", str(out)]
    assert run(*words, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["label"] for row in document["table"]] == ["none", "no_ops"]
    assert document["runs"]["no_ops"]["op_success"] in (None, 0)  # nothing is run any more
    assert document["runs"]["no_ops"]["pixels_per_question"] == 256 * 256
    assert document["table"][1]["p"] <= 1
    assert (out / "table.md").read_text().count("|\n") == 4
    wrong = [one for one in ("none", "no_ops") if document["runs"][one]["accuracy"] < 1]
    for label in wrong:
        assert list((out / label / "traces").glob("*.html"))
        assert "the whole trace" in (out / label / "report.html").read_text()
    assert run(*words) == 0
    assert "difference from the first row" in capsys.readouterr().out


def test_seeds_are_sampled_and_told(tmp_path, questions, capsys):
    out = tmp_path / "seeds"
    words = ["--temperature", "0.9", "--seeds", "5,6", "--out", str(out), "--json"]
    assert run("jsonl", "--data", str(questions), *words) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["n"], summary["questions"]) == (4, 2)
    assert [entry["seed"] for entry in summary["seeds"]] == [5, 6]
    assert summary["temperature"] == 0.9
    assert (out / "seed-5" / "results.jsonl").is_file()
    assert (out / "seed-6" / "results.jsonl").is_file()


def test_notes_say_who_graded_and_what_is_no_exam():
    def notes(*words, frozen=True):
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        args = parser.parse_args(words)
        told = Benchmark(args.benchmark, (), lambda index: None, notes=("first",))
        return measure._notes(args, told, {"frozen": frozen, "exam": None})

    assert notes("mmvet")[1].startswith("scored without the authors' GPT-4 judge")
    server = "openai:http://me:secret@127.0.0.1:1/v1#m"
    [first, graded] = notes("mmvet", "--judge", server)
    assert first == "first"
    assert graded.startswith("graded once by openai:http://127.0.0.1:1/v1#m; the authors")
    assert notes("worlds")[1].startswith("not an exam whose hash is known")
    assert notes("worlds", frozen=False) == ["first"]
