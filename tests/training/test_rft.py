"""Whole runs of nano: small, but real episodes, processes, files and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from pixelis.errors import CheckpointError, ConfigError, DataError, ModelError
from pixelis.models.load import load_policy
from pixelis.training.course import build
from pixelis.training.rft import ask, prepare, rft
from pixelis.training.settings import RftConfig
from pixelis.training.tune import export

pytestmark = pytest.mark.slow

SMALL = {
    "families": ["attribute_recognition"],
    "difficulty": "easy",
    "device": "cpu",
    "threads": 1,
    "precision": "fp32",
    "questions": 1,
    "group": 4,
    "batch": 4,
    "turns": 4,
    "lr": 1e-4,
    "warmup": 0,
    "temperature": 1.2,
    "stage": "full",
    "eval_every": 0,
    "sample_every": 0,
    "save_every": 1,
    "keep": 9,
}
TIMES = {"seconds", "play_s", "update_s", "cached"}


def config(out, **changes):
    return RftConfig(out=out, **{**SMALL, **changes})


def run(settings):
    rows = []
    made = prepare(settings)
    trainer = rft(made, rows.append)
    return made, trainer, rows


def plain(row):
    return {name: value for name, value in row.items() if name not in TIMES}


KILLED = """
import os, signal, sys
from pixelis.training.settings import RftConfig
from pixelis.training.rft import prepare, rft

def report(row):
    if row["step"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)

rft(prepare(RftConfig.model_validate_json(sys.argv[1])), report)
"""


def test_a_killed_run_ends_with_the_same_weights(tmp_path):
    """Episodes, rewards' state, replay, forward model and optimizer go on as they were: no step is
    lost and none is taken twice."""
    whole, trainer, rows = run(config(tmp_path / "whole", steps=4))
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    assert any(row["loss"] for row in rows)
    given = config(tmp_path / "killed", steps=4).model_dump_json()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, given], capture_output=True, env=os.environ, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    names = sorted(path.name for path in (tmp_path / "killed").glob("checkpoint-*"))
    assert names[-1] in ("checkpoint-2", "checkpoint-3")
    again, resumed, more = run(config(tmp_path / "killed", steps=4))
    done = int(names[-1].rpartition("-")[2])
    assert [plain(row) for row in more] == [plain(row) for row in rows[done:]]
    assert again.memory.rewards == whole.memory.rewards
    one, other = (
        load_file(tmp_path / name / "checkpoint-4" / "model.safetensors")
        for name in ("whole", "killed")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
    start = load_policy("nano", device="cpu").model.state_dict()
    assert any(not torch.equal(one[name], start[name].float()) for name in one)
    assert resumed.state.global_step == trainer.state.global_step == 4
    with pytest.raises(CheckpointError, match=r"batch = 4, not 2; choose another --out"):
        run(config(tmp_path / "killed", steps=4, group=2, batch=2))


def test_what_a_run_leaves(tmp_path):
    settings = config(
        tmp_path, steps=2, eval_every=2, held_out=2, sample_every=2, method="lora", merge=True
    )
    made, trainer, rows = run(settings)
    steps = [row for row in rows if not row.get("exam")]
    assert {"reward", "rapr", "op_success", "even_groups", "answer"} <= set(steps[0])
    assert all(("entropy" in row) == (row["even_groups"] < 1) for row in steps)
    assert sum(steps[0]["ops"].values()) == pytest.approx(steps[0]["ops_per_episode"])
    (exam,) = [row for row in rows if row.get("exam")]
    assert exam["held_out_asked"] == 2
    page = tmp_path / "samples" / "step-000000" / "index.html"
    told = json.loads((page.parent / "group.json").read_text())
    assert len(told["episodes"]) == 4
    assert all((page.parent / row["page"]).stat().st_size > 1000 for row in told["episodes"])
    assert "<table>" in page.read_text()
    folders = export(made, trainer.model)
    assert set(folders) == {"adapter", "model"}
    again = load_policy(f"hf:{folders['model']}", device="cpu")
    assert again.profile.dialect == made.policy.profile.dialect


TOGETHER = """
import json, os, sys
from pathlib import Path
from pixelis.cli.tune import place_of
from pixelis.training.settings import RftConfig
from pixelis.training.rft import prepare, rft

place = place_of()
run = prepare(RftConfig.model_validate_json(sys.argv[1]), (place.rank, place.world))
asked = []
run.show = None
inner = run.player.play
def play(model, questions, count, seed):
    groups = inner(model, questions, count, seed)
    asked.append([[group.question.id, len(group.rollouts)] for group in groups])
    return groups
run.player.play = play
rows = []
trainer = rft(run, rows.append)
model = trainer.accelerator.unwrap_model(trainer.model)
total = sum(float(value.double().sum()) for value in model.state_dict().values())
out = Path(sys.argv[2]) / f"rank-{place.rank}.json"
state = run.memory.rewards.to_dict()
out.write_text(json.dumps({"asked": asked, "rows": rows, "total": total, "state": state}))
"""


def test_two_processes_play_whole_groups(tmp_path):
    settings = config(tmp_path / "run", steps=2, beta=0.01)
    script = tmp_path / "together.py"
    script.write_text(TOGETHER)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"),
        *("--master_port", "29617", str(script), settings.model_dump_json(), str(tmp_path)),
    ]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    first, second = (json.loads((tmp_path / f"rank-{k}.json").read_text()) for k in (0, 1))
    expected = [[one.id for one in ask(settings)[0].at(step, 2)] for step in (0, 1)]
    for step in (0, 1):
        (mine,), (other,) = first["asked"][step], second["asked"][step]
        assert [mine[0], other[0]] == expected[step]
        assert mine[1] == other[1] == 4
    assert first["total"] == second["total"], "both hold the same weights"
    assert first["state"] == second["state"], "rewards are scaled by both"
    assert second["rows"] == []
    assert [row["step"] for row in first["rows"]] == [0, 1]


def test_what_cannot_be_done_is_said(tmp_path):
    with pytest.raises(ConfigError, match="family 'counting' is not known"):
        ask(config(tmp_path, families=["counting"]))
    with pytest.raises(ValueError, match="batch must divide questions x group, 4"):
        config(tmp_path, batch=3)
    with pytest.raises(ValueError, match="exact needs max_batch of at least"):
        config(tmp_path, max_batch=3)
    with pytest.raises(ValueError, match="multiple of iterations"):
        config(tmp_path, iterations=2)
    with pytest.raises(ConfigError, match="cannot be trained here"):
        prepare(config(tmp_path, model="openai:http://127.0.0.1:1"))
    with pytest.raises(DataError):
        ask(RftConfig(data=[tmp_path / "nothing"], out=tmp_path))
    made = prepare(config(tmp_path / "other"), (0, 2))
    with pytest.raises(ConfigError, match="accelerate launch"):
        build(made, lambda row: None)
    assert issubclass(ModelError, RuntimeError)
