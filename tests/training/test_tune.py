"""Whole runs on tiny random models: small, but real processes, files and kills."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pixelis.errors import CheckpointError, ConfigError, DataError
from pixelis.models.load import load_policy
from pixelis.models.policy import read_profile, write_profile
from pixelis.training.settings import TuneConfig
from pixelis.training.tune import export, prepare, tune

pytestmark = pytest.mark.slow

SMALL = {
    "device": "cpu",
    "threads": 1,
    "precision": "fp32",
    "batch": 2,
    "warmup": 0,
    "held_out": 0,
    "eval_every": 0,
    "sample_every": 0,
    "skip_long": True,
}


@pytest.fixture(scope="module")
def models(families, tmp_path_factory):
    """The tiny checkpoints without schemas in their prompts, which would be most of the tokens."""
    folder = tmp_path_factory.mktemp("models")
    for name, place in families.items():
        shutil.copytree(place, folder / name)
        write_profile(folder / name, replace(read_profile(place), tools_in_prompt=False))
    return {name: folder / name for name in families}


def config(out, data, model, **changes):
    return TuneConfig(out=out, data=[data], model=model, **{**SMALL, **changes})


def run(settings):
    rows = []
    tuning = prepare(settings)
    trainer = tune(tuning, rows.append)
    return tuning, trainer, rows


def losses(rows):
    return [row["loss"] for row in rows if "loss" in row]


@pytest.mark.parametrize("family", ["qwen2.5", "qwen3"])
def test_lora_learns_reloads_and_merges(family, models, episodes, tmp_path):
    settings = config(
        tmp_path / "run",
        episodes,
        f"hf:{models[family]}",
        method="lora",
        steps=14,
        lr=2e-2,
        batch=3,
        rank=8,
        merge=True,
        schedule="constant",
    )
    tuning, trainer, rows = run(settings)
    told = losses(rows)
    assert len(told) == 14
    assert min(told[-4:]) < told[0] - 0.5
    talks = tuning.stock.talks(tuning.collator, [0, 1])
    batch = tuning.collator.padded(talks)
    labels = batch.pop("labels")
    with torch.no_grad():
        trained = trainer.model.eval()(**batch).logits
    made = export(tuning, trainer.model)
    plain = load_policy(settings.model, device="cpu")
    adapted = load_policy(f"hf:{made['adapter']}", device="cpu")
    merged = load_policy(f"hf:{made['model']}", device="cpu")
    assert adapted.profile == merged.profile
    assert adapted.profile.budget == plain.profile.budget
    with torch.no_grad():
        before, reloaded, whole = (one.model(**batch).logits for one in (plain, adapted, merged))
        loss_before, loss_after = (
            float(one.model(**batch, labels=labels).loss) for one in (plain, merged)
        )
    assert loss_after < loss_before - 0.5
    torch.testing.assert_close(reloaded, trained, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(whole, trained, atol=1e-3, rtol=1e-3)
    assert float((before - trained).abs().max()) > 0.05


def loss_on_all(tuning, spec) -> float:
    """Of a model, on every episode that the run learned from."""
    talks = tuning.stock.talks(tuning.collator, range(len(tuning.stock.items)))
    batch = tuning.collator.padded(talks)
    with torch.no_grad():
        return float(load_policy(spec, device="cpu").model(**batch).loss)


def test_nano_learns_with_full_weights(shard, tmp_path):
    settings = config(
        tmp_path / "run", shard, "nano", steps=12, batch=6, lr=1e-4, schedule="constant"
    )
    tuning, trainer, rows = run(settings)
    assert tuning.method == "full"
    assert len(losses(rows)) == 12
    made = export(tuning, trainer.model)
    assert loss_on_all(tuning, f"hf:{made['model']}") < loss_on_all(tuning, "nano")
    again = load_policy(f"hf:{made['model']}", device="cpu")
    start = load_policy("nano", device="cpu")
    name = "model.language_model.layers.0.mlp.up_proj.weight"
    changed = again.model.state_dict()[name] - start.model.state_dict()[name]
    assert float(changed.abs().max()) > 1e-4
    assert again.profile.system == start.profile.system


KILLED = """
import os, signal, sys
from pixelis.training.settings import TuneConfig
from pixelis.training.tune import prepare, tune

def report(row):
    if row["step"] == 6 and "loss" in row:
        os.kill(os.getpid(), signal.SIGKILL)

tune(prepare(TuneConfig.model_validate_json(sys.argv[1])), report)
"""


def test_a_killed_run_ends_with_the_same_weights(models, episodes, tmp_path):
    """Dropout, the optimizer, the order of the data and the curriculum all go on as they were."""

    def settings(name):
        return config(
            tmp_path / name,
            episodes,
            f"hf:{models['qwen3']}",
            method="lora",
            dropout=0.2,
            steps=9,
            lr=5e-3,
            save_every=4,
            held_out=2,
            eval_every=2,
            curriculum=True,
            patience=1,
            accumulate=2,
        )

    tuning, trainer, rows = run(settings("whole"))
    assert len(tuning.state.history) > 1, "the curriculum moved"
    command = [sys.executable, "-c", KILLED, settings("killed").model_dump_json()]
    killed = subprocess.run(command, capture_output=True, env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    assert sorted(path.name for path in (tmp_path / "killed").glob("checkpoint-*")) == [
        "checkpoint-4"
    ]
    again, resumed, more = run(settings("killed"))
    assert [row["step"] for row in more if "loss" in row] == [4, 5, 6, 7, 8]
    assert losses(more) == losses(rows)[4:]
    assert again.state == tuning.state
    one, other = (
        load_file(tmp_path / name / "checkpoint-9" / "adapter_model.safetensors")
        for name in ("whole", "killed")
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert any(float(value.abs().max()) > 0 for name, value in one.items() if "lora_B" in name)
    assert resumed.state.global_step == trainer.state.global_step == 9


def test_full_weights_come_back_strictly(models, episodes, tmp_path):
    """Also for Qwen2.5-VL, whose weights have other names on disk than in the module."""
    settings = config(
        tmp_path / "run", episodes, f"hf:{models['qwen2.5']}", method="full", steps=2, lr=1e-3
    )
    _, trainer, _ = run(settings)
    trained = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    _, again, rows = run(settings)
    assert rows == []  # nothing is left to do
    assert all(
        torch.equal(value, trained[name]) for name, value in again.model.state_dict().items()
    )


def test_packed_and_padded_runs_learn_the_same(models, episodes, tmp_path):
    made = []
    for packing in (False, True):
        settings = config(
            tmp_path / f"packed-{packing}",
            episodes,
            f"hf:{models['qwen3']}",
            method="full",
            steps=3,
            batch=3,
            accumulate=2,
            packing=packing,
            lr=1e-3,
            schedule="constant",
        )
        _, trainer, rows = run(settings)
        made.append((losses(rows), [row["norm"] for row in rows], trainer.model.state_dict()))
    (padded, norms, weights), (packed, others, again) = made
    assert packed == pytest.approx(padded, abs=1e-4)
    assert others == pytest.approx(norms, rel=1e-3)
    for name, value in weights.items():
        torch.testing.assert_close(again[name], value, atol=3e-4, rtol=1e-3)


def test_another_run_is_not_gone_on_with(models, episodes, tmp_path):
    first = config(
        tmp_path / "run", episodes, f"hf:{models['qwen3']}", method="lora", steps=1, rank=4
    )
    run(first)
    with pytest.raises(CheckpointError, match=r"rank = 4, not 8; choose another --out"):
        run(first.model_copy(update={"rank": 8}))


def test_a_checkpoint_that_was_cut_short_is_not_taken(models, episodes, tmp_path):
    settings = config(
        tmp_path / "run", episodes, f"hf:{models['qwen3']}", method="lora", steps=3, save_every=1
    )
    run(settings)
    kept = sorted(path.name for path in settings.out.glob("checkpoint-*"))
    assert kept == ["checkpoint-2", "checkpoint-3"]
    for path in (settings.out / "checkpoint-3").glob("*"):
        assert path.suffix != ".bin", "nothing is pickled but what torch reads with weights_only"
    (settings.out / "checkpoint-3" / "complete.json").unlink()
    (settings.out / "checkpoint-3" / "adapter_model.safetensors").write_bytes(b"")
    _, _, rows = run(settings)
    assert [row["step"] for row in rows] == [2]


def test_what_cannot_be_done_is_said(models, episodes, tmp_path):
    model = f"hf:{models['qwen3']}"
    with pytest.raises(ConfigError, match="needs bitsandbytes"):
        prepare(config(tmp_path, episodes, model, method="qlora"))
    with pytest.raises(ConfigError, match="cannot be trained here"):
        prepare(config(tmp_path, episodes, "openai:http://127.0.0.1:1"))
    with pytest.raises(ConfigError, match="more than the model's context"):
        prepare(config(tmp_path, episodes, model, room=10**6))
    with pytest.raises(DataError, match="there is room for 64"):
        prepare(config(tmp_path, episodes, model, room=64, skip_long=False))
    with pytest.raises(DataError, match=r"longer than the model's room \(8\)"):
        prepare(config(tmp_path, episodes, model, room=64))


def test_weights_in_the_records_are_used(models, episodes, tmp_path):
    lines = (episodes / "episodes.jsonl").read_text().splitlines()
    weighed = []
    for number, line in enumerate(lines):
        record = json.loads(line)
        record["media"] = str(episodes / record["media"])
        weighed.append(json.dumps({**record, "weight": 50 if number == 1 else 1}))
    path = tmp_path / "episodes.jsonl"
    path.write_text("\n".join(weighed))
    tuning = prepare(config(tmp_path / "run", path, f"hf:{models['qwen3']}", batch=1, balance=0))
    drawn = [tuning.order.at(step)[0] for step in range(200)]
    heavy = next(i for i, one in enumerate(tuning.stock.items) if one.sample.weight == 50)
    assert drawn.count(heavy) > 150
    assert Path(tuning.config.out).name == "run"
