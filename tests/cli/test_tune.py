import json
from pathlib import Path

import pytest

from pixelis.cli.tune import Place, on_own_card
from pixelis.data import synthesis
from pixelis.models.load import load_policy
from pixelis.models.nano import TEXT_LIMIT
from pixelis.training import pool
from pixelis.training.settings import TuneConfig


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shard")
    synthesis.write_shard(folder, 9, 0, pool.BUDGET, TEXT_LIMIT, size=8)
    return folder


def test_a_dry_run_tells_and_learns_nothing(shard, tmp_path, inside):
    done = inside(
        *("train", "sft", "--data", shard, "--out", tmp_path / "run", "--dry-run"),
        *("--steps", "7", "--batch", "2", "--method", "lora", "--rank", "4"),
    )
    assert done.returncode == 0
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert told["steps"].startswith("7 of 2 episodes, 14 in all")
    assert told["method"].startswith("lora, ")
    assert "GB reckoned" in told["memory"]
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


@pytest.mark.slow
def test_a_run_leaves_weights_numbers_and_curves(shard, tmp_path, inside):
    out = tmp_path / "run"
    settings = tmp_path / "run.toml"
    settings.write_text(
        f'data = ["{shard}"]\nout = "{out}"\nmethod = "lora"\nsteps = 3\nbatch = 2\n'
    )
    done = inside(
        *("train", "sft", "--config", settings, "--held-out", "2", "--eval-every", "2"),
        *("--sample-every", "3", "--threads", "1"),
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [0, 1, 2]
    assert [row["step"] for row in rows if "held_out" in row] == [1, 2]
    assert (out / "curves.png").stat().st_size > 10_000
    assert list((out / "samples").glob("step-000003-*.html"))
    assert json.loads((out / "config.json").read_text())["config"]["steps"] == 3
    assert load_policy(f"hf:{out / 'adapter'}", device="cpu").name == "run"
    before = (out / "config.json").read_bytes()
    other = inside("train", "sft", "--config", settings, "--batch", "1", "--threads", "1")
    assert other.returncode == 1
    assert "batch = 2, not 1; choose another --out" in other.stderr
    assert (out / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--data", "x", "--muon-lr", "1"), "--muon-lr belongs to nano's recipe"),
        (("--rank", "4"), "--rank belongs to fine-tuning on --data"),
        (("--data", "gone"), "gone: is neither a file nor a folder"),
        (("--data", "x", "--batch", "0"), "setting batch = '0'"),
    ],
)
def test_what_does_not_go_together_is_said(arguments, told, inside, tmp_path):
    done = inside("train", "sft", *arguments, "--out", tmp_path)
    assert done.returncode == 2
    assert told in done.stderr


def test_ranks_of_two_folders(tmp_path, inside):
    from pixelis.models.load import bundled

    done = inside(
        *("train", "ranks", "--before", bundled("nano"), "--after", bundled("nano-direct")),
        *("--out", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "ranks.json").read_text())
    assert len(record["rank_pattern"]) == 6 * 7
    assert f"{record['parameters']:,}" in done.stdout
    assert (tmp_path / "ranks.png").stat().st_size > 10_000
    nothing = inside("train", "ranks", "--before", bundled("nano"), "--out", tmp_path)
    assert nothing.returncode == 2
    assert "belong together" in nothing.stderr


def test_each_process_takes_its_own_card():
    config = TuneConfig(data=["x"])
    assert on_own_card(config, Place(0, 1, 0)).device == "auto"
    assert on_own_card(config, Place(3, 8, 3)).device in ("cpu", "cuda:3")
    named = config.model_copy(update={"device": "cpu"})
    assert on_own_card(named, Place(3, 8, 3)).device == "cpu"


@pytest.mark.parametrize("name", ["nano", "3b", "7b"])
def test_recipes_are_settings_that_are_known(name, inside, tmp_path):
    """Read as they stand; that their data are not here is the first thing to go wrong."""
    recipe = Path(__file__).parents[2] / "recipes" / "tune" / f"{name}.toml"
    done = inside("train", "sft", "--config", recipe, "--data", tmp_path, "--out", tmp_path / "x")
    assert done.returncode == 2
    assert "holds no .jsonl files" in done.stderr
