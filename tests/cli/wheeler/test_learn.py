from __future__ import annotations

import json

import pytest

from pixelis.training.wheeler import finish as ends
from pixelis.wheeler.checkpoint import load


@pytest.mark.slow
def test_training_from_the_command_line(wheeler, tmp_path, monkeypatch):
    """Underscores as in other programs; a second call finds the run finished."""
    monkeypatch.setattr(ends, "MEMORIES", 40)
    monkeypatch.setattr(ends, "QUESTIONS", 20)
    out = tmp_path / "run"
    words = (
        *("--preset", "tiny", "--dataset", "generator", "--samples", 64, "--batch_size", 16),
        *("--pairs", 8, "--d_model", 32, "--vocab_size", 400, "--num_workers", 0),
        *("--output_dir", out),
    )
    done = wheeler("train", *words)
    assert done.returncode == 0, done.stderr
    assert "corpus generator, 4 steps" in done.stdout
    assert {
        "best.pt",
        "last.pt",
        "config.json",
        "metrics.jsonl",
        "samples.jsonl",
        "curves.png",
    } <= {path.name for path in out.iterdir()}
    assert json.loads((out / "config.json").read_text())["config"]["batch_size"] == 16
    end = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
    assert end["stage"] == "end"
    assert end["cpu_seconds"] > 0
    model = load(out / "model")
    assert model.shape.d_model == 32
    assert model.about == {"corpus": "generator", "preset": "tiny", "seed": 20261121, "steps": 4}
    assert "going on after step 4" in wheeler("train", *words).stdout


def test_settings_that_are_wrong_are_named(wheeler, tmp_path):
    done = wheeler("train", "--preset", "large", "--output-dir", tmp_path)
    assert done.returncode == 2
    assert "preset" in done.stderr
    done = wheeler("train", "--preset", "tiny", "--grid-size", "30", "--output-dir", tmp_path)
    assert done.returncode == 2
    assert "no multiple" in done.stderr
    done = wheeler("train", "--dataset", tmp_path / "none.txt", "--output-dir", tmp_path)
    assert "not there" in done.stderr
