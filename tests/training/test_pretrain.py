import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pixelis.cli.train import run_pretrain
from pixelis.errors import CheckpointError
from pixelis.models.load import load_policy
from pixelis.training import gate, pool
from pixelis.training.curves import draw_curves, read_metrics, smooth
from pixelis.training.export import export
from pixelis.training.pretrain import load_weights, new_run, pretrain, rate
from pixelis.training.record import Metrics, write_config
from pixelis.training.settings import PretrainConfig

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    (place / "pool").mkdir()
    pool.write_shard(place / "pool" / "shard-00000.npz", 9, 0)
    return place


def config(folder, name, **changes):
    settings = {
        "out": folder / name,
        "seed": 9,
        "records": pool.SHARD,
        "workers": 0,
        "vision_steps": 2,
        "vision_batch": 4,
        "joint_steps": 4,
        "joint_batch": 2,
        "save_every": 2,
        "warmup": 1,
    }
    return PretrainConfig(**{**settings, **changes})


def weights(run):
    return load_file(run.config.out / "weights.safetensors")


def test_a_run_cut_off_in_the_middle_ends_with_the_same_weights(folder):
    whole = pretrain(config(folder, "whole"), lambda values: None)

    def cut(values):
        if values["stage"] == "joint" and values["step"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(config(folder, "cut"), cut)
    resumed = pretrain(config(folder, "cut"), lambda values: None)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(resumed)[name]), name


def test_an_exported_run_answers_through_the_policy_and_the_gate(folder):
    run = new_run(config(folder, "fresh"), lambda values: None)
    place = export(run.model, run.tokenizer, folder / "model", "tiny")
    assert (place / "model.safetensors").stat().st_size < 16 * 2**20
    policy = load_policy(f"hf:{place}")
    assert policy.name == "tiny"
    figures = gate.measure(policy, seed=1, count=2)
    assert set(figures["bars"]) <= set(figures)
    assert not figures["passed"]


def test_a_run_may_start_from_a_model_folder(folder):
    first = new_run(config(folder, "fresh"), lambda values: None)
    place = export(first.model, first.tokenizer, folder / "start", "tiny")
    run = pretrain(
        config(folder, "second", start_from=place, vision_steps=0, joint_steps=1),
        lambda values: None,
    )
    assert run.tokenizer.get_vocab() == first.tokenizer.get_vocab()
    tower, before = run.model.model.visual.state_dict(), first.model.model.visual.state_dict()
    for name, value in before.items():
        assert torch.equal(tower[name], value.to(torch.bfloat16).float()), name
    with pytest.raises(CheckpointError, match="is not there"):
        new_run(config(folder, "third", start_from=folder / "nothing"), lambda values: None)


def test_weights_of_another_shape_are_refused(folder, tmp_path):
    run = new_run(config(folder, "fresh"), lambda values: None)
    other = tmp_path / "other.safetensors"
    from safetensors.torch import save_file

    save_file({"model.visual.unknown": torch.zeros(2)}, other)
    with pytest.raises(CheckpointError, match="does not fit"):
        load_weights(run, other)


def test_metrics_and_settings_are_kept_beside_the_run(tmp_path):
    settings = PretrainConfig(out=tmp_path)
    write_config(tmp_path, settings)
    record = json.loads((tmp_path / "config.json").read_text())
    assert record["config"]["seed"] == settings.seed
    assert record["versions"]["torch"] == torch.__version__
    seen = []
    metrics = Metrics(tmp_path, seen.append)
    for step in range(5):
        metrics({"stage": "joint", "step": step, "loss": 1.0 / (step + 1), "glyph": float("nan")})
    assert [row["step"] for row in seen] == list(range(5))
    draw_curves(tmp_path / "metrics.jsonl", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000
    assert run_pretrain.__doc__


def test_steps_that_a_resumed_run_did_again_count_once(tmp_path):
    rows = [("vision", 0, 9), ("vision", 1, 8), ("joint", 0, 7), ("joint", 1, 6), ("joint", 1, 5)]
    text = "".join(
        json.dumps({"stage": stage, "step": step, "loss": loss}) + "\n"
        for stage, step, loss in rows
    )
    (tmp_path / "metrics.jsonl").write_text(text)
    kept = read_metrics(tmp_path / "metrics.jsonl")
    assert [row["loss"] for row in kept] == [9, 8, 7, 5]


def test_rate_warms_up_stays_and_falls():
    factors = [rate(step, 100, 10, 0.5) for step in range(100)]
    assert factors[0] == 0.1
    assert factors[20] == factors[50] == 1.0
    assert factors[-1] < 0.05
    assert np.all(np.diff(factors[51:]) < 0)


def test_smoothing_ignores_what_is_missing():
    np.testing.assert_allclose(smooth(np.array([1.0, np.nan, 3.0]), 3), [1.0, 2.0, 3.0])
