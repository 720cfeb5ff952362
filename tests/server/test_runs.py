"""Runs of a folder: found where they lie and nowhere else, and read as they were written."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from pixelis.errors import DataError
from pixelis.evals.report import worst
from pixelis.evals.results import read_results
from pixelis.server.runs import Runs


@pytest.fixture
def folder(evaluated, tmp_path):
    """A copy that may be spoiled."""
    shutil.copytree(evaluated / "small", tmp_path / "runs" / "small")
    return tmp_path / "runs"


def test_failures_are_those_of_the_results_the_surest_first(evaluated):
    runs = Runs(evaluated)
    run = runs.find("small")
    _, results = read_results(run.folder)
    found = runs.failures(run, 100)
    assert [one.id for one in found.worst] == [one.id for one in worst(results, 100)]
    assert found.count == sum(not one.correct for one in results) > 0
    assert found.unreadable == 0
    first, expected = found.worst[0], worst(results, 1)[0]
    assert (first.question, first.answer) == (expected.question, expected.answer)
    assert first.gold == [expected.gold]
    assert run.summary.accuracy == sum(one.correct for one in results) / len(results)
    assert len(runs.failures(run, 1).worst) == 1
    mine = runs.failures(run, 100, first.family)
    assert {one.family for one in mine.worst} == {first.family}


def test_the_traces_that_were_kept_are_found(evaluated):
    runs = Runs(evaluated)
    run = runs.find("small")
    kept = [one for one in runs.failures(run, 100).worst if one.trace]
    assert len(kept) == len(list((run.folder / "traces").iterdir())) == 2
    page = runs.trace(run, kept[0].id, kept[0].seed)
    assert kept[0].question in page.decode()
    assert runs.trace(run, "no such question", 0) is None
    assert runs.trace(run, "../report", 0) is None


def test_runs_in_runs_are_named_by_their_folders_the_newest_first(folder):
    shutil.copytree(folder / "small", folder / "table" / "none")
    os.utime(folder / "small" / "summary.json", (1, 1))
    (folder / "training").mkdir()
    (folder / "training" / "summary.json").write_text('{"loss": 1}')
    runs, broken = Runs(folder).all()
    assert [run.name for run in runs] == ["table:none", "small"]
    assert broken == []
    assert Runs(folder / "nothing").all() == ([], [])


def test_links_lead_nowhere(folder, tmp_path):
    outside = tmp_path / "outside"
    shutil.move(folder / "small", outside)
    (folder / "linked").symlink_to(outside, target_is_directory=True)
    (folder / "half").mkdir()
    (folder / "half" / "summary.json").symlink_to(outside / "summary.json")
    assert Runs(folder).all() == ([], [])
    shutil.copytree(outside, folder / "small")
    (folder / "small" / "report.html").unlink()
    (folder / "small" / "report.html").symlink_to(tmp_path / "secret.html")
    (tmp_path / "secret.html").write_text("secret")
    runs = Runs(folder)
    run = runs.find("small")
    assert not run.has_report
    assert runs.report(run) is None
    results = folder / "small" / "results.jsonl"
    results.unlink()
    results.symlink_to(outside / "results.jsonl")
    assert runs.failures(run, 9).count == 0


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"\xff", b'{"by_family": {}}', b"[" * 100_000,
        b'{"by_family": {}, "accuracy": NaN, "ci95": [0, 1], "n": 1, "model": "m"}',
        b'{"by_family": {}, "accuracy": 1e999, "ci95": [0, 1], "n": 1, "model": "m"}',
        b'{"by_family": {}, "accuracy": 1, "ci95": [0, 1], "n": 1, "model": "\\ud800"}',
    ],
)  # fmt: skip
def test_damaged_figures_are_named_and_hide_no_other_run(folder, text):
    (folder / "bad").mkdir()
    (folder / "bad" / "summary.json").write_bytes(text)
    runs, broken = Runs(folder).all()
    assert [run.name for run in runs] == ["small"]
    assert broken == ["bad"]
    with pytest.raises(DataError, match="bad"):
        Runs(folder).find("bad")


def test_damaged_results_are_counted_and_left_out(folder):
    path = folder / "small" / "results.jsonl"
    runs = Runs(folder)
    whole = runs.failures(runs.find("small"), 100)
    strange = json.dumps({"id": "x", "correct": False, "question": 7})
    with path.open("ab") as file:
        file.write(b"no json\n" + strange.encode() + b'\n{"id": "half a li')
    found = runs.failures(runs.find("small"), 100)
    assert found.worst == whole.worst
    assert (found.count, found.unreadable) == (whole.count, 2)


def test_results_of_several_seeds_are_read_together(folder):
    whole = (folder / "small" / "results.jsonl").read_bytes()
    for seed in (0, 1):
        (folder / "small" / f"seed-{seed}").mkdir()
        (folder / "small" / f"seed-{seed}" / "results.jsonl").write_bytes(whole)
    runs = Runs(folder)
    once = runs.failures(runs.find("small"), 100).count
    (folder / "small" / "results.jsonl").unlink()
    assert runs.failures(runs.find("small"), 100).count == 2 * once
