import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from pixelis.cli.rft import View, spark
from pixelis.models.load import load_policy
from pixelis.training.settings import RftConfig

SMALL = (
    *(
        "--families",
        "attribute_recognition",
        "--difficulty",
        "easy",
        "--steps",
        "2",
        "--turns",
        "4",
    ),
    *("--questions", "1", "--group", "2", "--batch", "2", "--threads", "1", "--save-every", "2"),
)


def test_a_dry_run_tells_and_plays_nothing(tmp_path, inside):
    done = inside("train", "rft", *SMALL, "--eval-every", "0", "--out", tmp_path, "--dry-run")
    assert done.returncode == 0, done.stderr
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert told["method"] == "full"
    assert told["questions"] == "attribute_recognition; 0 held out"
    assert "4 episodes in all" in told["steps"]
    assert not (tmp_path / "metrics.jsonl").exists()


@pytest.mark.slow
def test_a_run_leaves_weights_numbers_curves_and_traces(tmp_path, inside):
    flags = ("--eval-every", "2", "--held-out", "1", "--sample-every", "2", "--out", tmp_path)
    done = inside("train", "rft", *SMALL, *flags)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [0, 1]
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert (tmp_path / "samples" / "step-000000" / "index.html").is_file()
    assert json.loads((tmp_path / "config.json").read_text())["config"]["group"] == 2
    assert load_policy(f"hf:{tmp_path / 'model'}", device="cpu").name == tmp_path.name


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--group", "1"), "setting group"),
        (("--batch", "3"), "batch must divide questions x group"),
        (("--families", "nothing"), "family 'nothing' is not known"),
        (("--model", "openai:http://127.0.0.1:1"), "cannot be trained here"),
        (("--data", "gone"), "gone: is neither a file nor a folder"),
    ],
)
def test_bad_input_is_one_line(tmp_path, inside, words, reason):
    done = inside("train", "rft", "--out", tmp_path, *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert reason in done.stderr


@pytest.mark.parametrize("name", ["nano", "3b", "7b"])
def test_recipes_are_settings_that_are_known(name, tmp_path):
    import tomllib

    recipe = Path(__file__).parents[2] / "recipes" / "rft" / f"{name}.toml"
    config = RftConfig.model_validate(tomllib.loads(recipe.read_text()))
    assert config.accumulate * config.batch == config.questions * config.group


def test_trends_are_drawn():
    assert spark([0.0, 1.0, 0.5]) == "▁█▅"
    assert spark([2.0, 2.0]) == "▁▁"


def test_the_table_keeps_up():
    view = View(10)
    view.show({"stage": "rft", "step": 3, "reward": 0.5, "ops": {"zoom_in": 1.5}})
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(view._table({"reward": 0.5, "ops": {"zoom_in": 1.5}}))
    told = console.export_text()
    assert "step 4 of 10" in told
    assert "zoom_in 1.50" in told
