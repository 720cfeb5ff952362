from __future__ import annotations

import json

import pytest
import torch

from pixelis.errors import CheckpointError, ConfigError
from pixelis.training.wheeler import run as runs
from pixelis.training.wheeler.run import halves, prepare, ramp, rate, shape_for, train
from pixelis.wheeler.checkpoint import load, read_training


def silent(values):
    pass


def weights(path):
    return read_training(path)["model"]


def test_a_run_cut_off_ends_with_the_same_weights(config, tmp_path):
    """Dropout, noise, data, rates and optimizer all go on where they were."""
    whole = config(output_dir=tmp_path / "whole", accumulation_steps=2)
    assert train(prepare(whole), silent).step == 4

    def cut(values):
        if values["stage"] == "wheeler" and values["step"] == 3:
            raise KeyboardInterrupt

    other = config(output_dir=tmp_path / "cut", accumulation_steps=2, save_every=2)
    with pytest.raises(KeyboardInterrupt):
        train(prepare(other), cut)
    resumed = prepare(other)
    assert resumed.step == 2
    train(resumed, silent)
    first, second = (weights(tmp_path / name / "last.pt") for name in ("whole", "cut"))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_a_run_leaves_what_it_promises(config):
    seen = []
    settings = config()
    train(prepare(settings), seen.append)
    steps = [row for row in seen if row["stage"] == "wheeler"]
    assert [row["step"] for row in steps] == list(range(8))
    assert all(row["norm"] > 0 and row["key_norm"] > 0 for row in steps)
    assert [row["stage"] for row in seen][-1] == "validation"
    best = load(settings.output_dir / "best.pt")
    assert best.about["corpus"] == "generator"
    assert best.decode(best.encode("a boat")) != ""
    lines = (settings.output_dir / "samples.jsonl").read_text().splitlines()
    samples = [json.loads(line) for line in lines]
    assert {"step", "text", "read"} <= set(samples[0])


def test_learning_lowers_the_losses(config):
    rows = []
    train(prepare(config(samples=320, pairs=48, lr=2e-3)), rows.append)
    key = [row["key"] for row in rows if row["stage"] == "wheeler"]
    assert sum(key[-5:]) < 0.9 * sum(key[:5])


def test_another_corpus_or_size_is_not_resumed(config, tmp_path):
    settings = config()
    train(prepare(settings), silent)
    text = tmp_path / "corpus.txt"
    text.write_text("One story of some words here.\n\nAnd one more story of words.\n")
    with pytest.raises(CheckpointError, match="never mix corpora"):
        prepare(config(dataset=str(text)))
    with pytest.raises(CheckpointError, match="d_model"):
        prepare(config(d_model=64))
    with pytest.raises(CheckpointError, match="weights alone"):
        prepare(config(resume=settings.output_dir / "best.pt"))


def test_a_run_reads_a_corpus_of_ones_own(config, tmp_path):
    text = tmp_path / "stories.jsonl"
    rows = [{"text": f"Story number {k} is about a dog and a cat."} for k in range(20)]
    text.write_text("\n".join(json.dumps(row) for row in rows))
    found = prepare(config(dataset=str(text), max_train_samples=16))
    assert found.source.name == "text stories.jsonl"
    assert found.total == 2
    assert train(found, silent).step == 2


@pytest.mark.parametrize("way", [{"fp16": True}, {"bf16": True}])
def test_half_precision_trains(config, way):
    rows = []
    train(prepare(config(**way)), rows.append)
    assert all(row["reading"] == row["reading"] for row in rows if row["stage"] == "wheeler")


def test_sizes_come_from_the_preset_and_the_flags(config):
    shape = shape_for(config(grid_size=32, max_seq_len=128, levels=2, key_cells=2, num_heads=2))
    assert (shape.grid, shape.max_tokens, shape.levels, shape.heads) == (32, 128, 2, 2)
    with pytest.raises(ConfigError, match="max_seq_len"):
        shape_for(config(grid_size=32, max_seq_len=100))


def test_devices_that_are_not_here_are_refused():
    assert runs.chosen_device("cpu").type == "cpu"
    for name in ("cuda:99", "nonsense"):
        with pytest.raises(ConfigError, match="cannot be used"):
            runs.chosen_device(name)


def test_the_rate_warms_up_and_falls():
    rates = [rate(step, 200, 20) for step in range(200)]
    assert rates[0] == pytest.approx(1 / 20)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.03
    assert rates.index(max(rates)) in (19, 20)
    assert [ramp(x) for x in (0, 0.5, 0.625, 0.75, 1)] == [0, 0, 0.5, 1, 1]


def test_every_weight_belongs_to_one_half(model_of_run):
    first, second = halves(model_of_run)
    ids = [id(p) for p in (*first, *second)]
    assert sorted(ids) == sorted(id(p) for p in model_of_run.parameters())
    assert len(set(ids)) == len(ids)


@pytest.fixture
def model_of_run(config):
    return prepare(config()).model
