"""The page of published results: what it shows, what it refuses."""

import json

import pytest

from pixelis.errors import ConfigError, DataError
from pixelis.evals.ledger import page, read_results, vouch

MANIFEST = {
    "exams": {"worlds-test": {"about": "frozen", "questions": 2, "data_hash": {"2": "d"}}},
    "models": {"nano-sft": {"model_hash": "m"}},
}


def result(**more):
    return {
        "accuracy": 0.5,
        "ci95": [0.25, 0.75],
        "n": 2,
        "by_family": {},
        "control": "none",
        "op_success": None,
        "ece": None,
        "data_hash": "d",
        "model_hash": "m",
        "commit": "c" * 40,
        "command": "pixelis eval worlds",
        "file": "r.json",
        **more,
    }


def test_tables_and_single_runs_are_read(tmp_path):
    one, table = tmp_path / "one.json", tmp_path / "table.json"
    one.write_text(json.dumps(result()))
    runs = {"none": result(), "oracle": result(control="oracle", model_hash=None)}
    table.write_text(json.dumps({"table": [], "runs": runs}))
    found = read_results([one, table])
    assert [summary["file"] for summary in found] == [one.as_posix(), *[table.as_posix()] * 2]
    text = page(found, MANIFEST)
    assert text.count("| nano-sft | none | 50.0 % | 25.0 to 75.0 | 2 |") == 2
    assert "| oracle | oracle |" in text
    assert text.count("    pixelis eval worlds\n") == 1


def test_sampled_figures_are_told_from_greedy_ones():
    seeds = [{"seed": n, "accuracy": 0.5} for n in range(3)]
    sampled = result(temperature=0.7, seeds=seeds, seed_sd=0.0123)
    text = page([result(), sampled, result(temperature=1.0)], MANIFEST)
    assert "| nano-sft | none | 50.0 %" in text
    assert "| nano-sft | none, T 0.7, 3 seeds (sd 1.2) | 50.0 %" in text
    assert "| nano-sft | none, T 1, 1 seed | 50.0 %" in text


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"data_hash": "x"}, "is of no frozen exam"),
        ({"model_hash": None}, "is of no frozen model"),
        ({"commit": None}, "no clean commit"),
        ({"commit": "abc+changes"}, "no clean commit"),
        ({"command": None}, "has no command"),
    ],
)
def test_what_cannot_be_vouched_for_is_refused(more, reason):
    with pytest.raises(ConfigError, match=rf"r\.json: .*{reason}"):
        vouch(result(**more), MANIFEST)


def test_nothing_is_no_page(tmp_path):
    with pytest.raises(ConfigError, match="no results to publish"):
        page([], MANIFEST)
    (tmp_path / "x.json").write_text("no")
    with pytest.raises(DataError, match="is no result file"):
        read_results([tmp_path / "x.json"])


@pytest.mark.parametrize("value", [[], 3, {"accuracy": 0.5}, {"runs": {"none": 3}}])
def test_what_is_no_summary_names_what_it_lacks(tmp_path, value):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(value))
    with pytest.raises(DataError, match=r"x\.json: holds no (accuracy|ci95); give what"):
        read_results([path])
