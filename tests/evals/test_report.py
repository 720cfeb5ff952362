"""Figures counted by hand, and reports that say what they show."""

import json
from dataclasses import replace

import pytest

from pixelis.errors import ConfigError, StoreError
from pixelis.evals.report import (
    by_op,
    circular,
    markdown,
    official,
    summarize,
    unanswered,
    worst,
    write_report,
)

STABLE = (
    *("accuracy", "ci95", "n", "by_family", "control", "ops_per_question", "op_success"),
    *("seconds_per_question", "model", "data_hash"),
)


def test_figures_agree_with_counting_by_hand(mixed):
    summary = summarize(mixed, model="looker", control="none", frozen=True)
    assert summary["accuracy"] == 18 / 24
    low, high = summary["ci95"]
    assert 0.5 < low < 0.75 < high < 0.95
    assert summary["n"] == 24
    assert summary["score"] == pytest.approx((18 + 6 * 0.5) / 24)
    assert summary["ops_per_question"] == 26 / 24
    assert summary["op_success"] == 24 / 26
    assert summary["unknown_share"] == 1 / 24
    assert summary["frozen"] is True
    by_hand: dict[str, list[bool]] = {}
    for result in mixed:
        by_hand.setdefault(result.family, []).append(result.correct)
    assert {name: entry["n"] for name, entry in summary["by_family"].items()} == {
        name: len(verdicts) for name, verdicts in by_hand.items()
    }
    for name, verdicts in by_hand.items():
        assert summary["by_family"][name]["accuracy"] == sum(verdicts) / len(verdicts)
    # Known answers with a confidence: 22 of 0.9, 18 of them right.
    assert summary["ece"] == pytest.approx(abs(0.9 - 18 / 22))


def test_the_stable_keys_come_first_and_are_json(results):
    summary = summarize(results, model="looker")
    assert set(STABLE) <= set(summary)
    assert json.loads(json.dumps(summary)) == summary


def test_no_calls_have_no_success_rate_and_no_questions_no_accuracy(results):
    quiet = [replace(result, ops=0, failed_ops=0) for result in results]
    assert summarize(quiet)["op_success"] is None
    with pytest.raises(ConfigError, match="no questions"):
        summarize([])


def test_the_hash_of_the_data_does_not_depend_on_the_answers(results, mixed):
    assert summarize(results)["data_hash"] == summarize(mixed)["data_hash"]
    assert summarize(results[1:])["data_hash"] != summarize(results)["data_hash"]


def test_worst_are_the_surest_of_the_wrong(mixed):
    mixed[4] = replace(mixed[4], confidence=0.99)
    found = worst(mixed, 3)
    assert found[0].id == mixed[4].id
    assert not any(result.correct for result in found)
    assert worst(mixed)[-1].confidence is None


def test_markdown_keeps_its_table_whole(mixed):
    page = markdown(summarize(mixed, model="looker"), mixed)
    assert "**Accuracy 75.0 %**" in page
    rows = [line for line in page.splitlines() if "pink" in line]
    assert len(rows) == 6
    assert all("\\|pink" in row for row in rows)


def test_three_reports_are_written(tmp_path, mixed):
    write_report(tmp_path / "new" / "folder", summarize(mixed, model="looker"), mixed)
    folder = tmp_path / "new" / "folder"
    assert json.loads((folder / "summary.json").read_text())["n"] == 24
    assert "Worst failures" in (folder / "report.md").read_text()
    assert (folder / "report.html").read_text().count("<article>") == 6


def test_a_report_that_cannot_be_written_says_so(tmp_path, mixed):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write the report"):
        write_report(tmp_path / "file", summarize(mixed), mixed)


def test_operations_are_counted_by_name(results):
    counts = by_op(results)
    assert counts == {"zoom_in": {"calls": 24, "success": 1.0, "questions": 1.0}}
    assert by_op([]) == {}


def test_seeds_are_told_apart_and_questions_counted_once(results):
    second = [replace(result, seed=7, correct=False) for result in results]
    summary = summarize([*results, *second])
    assert (summary["n"], summary["questions"], summary["accuracy"]) == (48, 24, 0.5)
    assert summary["seeds"] == [{"seed": 0, "accuracy": 1.0}, {"seed": 7, "accuracy": 0.0}]
    assert summary["seed_sd"] == pytest.approx(0.5**0.5)
    assert summary["data_hash"] == summarize(results)["data_hash"]
    assert "seeds" not in summarize(results)


def test_what_the_authors_report(mixed):
    assert official(mixed, "accuracy", "accuracy")["value"] == 18 / 24
    told = official(mixed, "score", "ANLS")
    assert told["value"] == pytest.approx((18 + 6 * 0.5) / 24)
    assert told["metric"] == "ANLS"
    assert told["ci95"][0] < told["value"] < told["ci95"][1]


def test_rotations_count_only_when_all_are_right(results):
    assert circular(results) is None
    turned = [replace(result, group=f"g{index // 4}") for index, result in enumerate(results)]
    assert circular(turned) == 1.0
    turned[0] = replace(turned[0], correct=False)
    assert circular(turned) == 5 / 6
    assert circular(turned[2:]) == 1.0  # of the first question two rotations are missing
    assert circular(turned[:3]) is None


def test_questions_that_failed_are_told(results):
    assert unanswered(results) == []
    broken = replace(results[0], ended="failed", episode={"meta": {"error": "MediaError: x.png"}})
    notes = unanswered([broken, replace(results[1], ended="time"), *results[2:]])
    assert notes == [
        f"1 of 24 could not be asked and count as wrong; first {broken.id}: MediaError: x.png",
        f"1 of 24 ran out of time and count as wrong; first {results[1].id}",
    ]
