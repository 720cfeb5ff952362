"""Figures counted by hand, and reports that say what they show."""

import json
import math
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pixelis.errors import ConfigError
from pixelis.evals.controls import RandomCrops, agent_solver
from pixelis.evals.report import compare_runs, markdown, summarize, worst, write_report
from pixelis.evals.run import evaluate

STABLE = (
    *("accuracy", "ci95", "n", "by_family", "control", "ops_per_question", "op_success"),
    *("seconds_per_question", "model", "data_hash"),
)


@pytest.fixture
def results(benchmark, make_agent):
    with make_agent() as agent:
        return evaluate(benchmark, agent_solver(agent))


@pytest.fixture
def mixed(results):
    """Six wrong of 24, with calls that failed, doubts and gaps in confidence."""
    wrong = [replace(r, correct=False, score=0.5, answer="<b>|pink</b>") for r in results[:6]]
    wrong[0] = replace(wrong[0], known=False, ops=3, failed_ops=2)
    wrong[1] = replace(wrong[1], confidence=None, ended="tokens")
    return [*wrong, *results[6:]]


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


def test_comparison_is_paired_and_signed(results, mixed):
    gain = compare_runs(results, mixed)
    assert gain["difference"] == 6 / 24
    assert gain["ci95"][0] > 0
    assert gain["p"] < 0.05
    assert compare_runs(mixed, results)["difference"] == -6 / 24
    assert all(entry["p"] <= 1 for entry in gain["by_family"].values())


def test_runs_over_different_questions_are_not_compared(results):
    changed = [replace(results[0], fingerprint="x"), *results[1:]]
    for other in (results[1:], changed):
        with pytest.raises(ConfigError, match="different questions"):
            compare_runs(results, other)


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


class Reader(HTMLParser):
    """Collects tags and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_reports_are_written_and_the_page_needs_nothing_else(tmp_path, mixed, benchmark):
    places = {name: index for index, name in enumerate(benchmark.ids)}

    def picture(result):
        return benchmark.load(places[result.id]).media

    write_report(tmp_path, summarize(mixed, model="<looker>"), mixed, picture)
    assert json.loads((tmp_path / "summary.json").read_text())["n"] == 24
    assert "Worst failures" in (tmp_path / "report.md").read_text()
    page = (tmp_path / "report.html").read_text()
    reader = Reader()
    reader.feed(page)
    assert reader.tags.count("article") == 6
    assert reader.tags.count("img") == 6
    assert "script" not in reader.tags
    assert all(address.startswith("data:image/jpeg") for address in reader.addresses)
    assert "&lt;looker&gt;" in page
    assert "&lt;b&gt;" in page
    assert "zoom_in(" in page


def test_random_crops_are_worse_and_the_difference_is_sure(benchmark, make_agent, registry):
    with make_agent() as agent, make_agent(RandomCrops(registry)) as lost:
        full = evaluate(benchmark, agent_solver(agent))
        astray = evaluate(benchmark, agent_solver(lost, "random_crop"))
    outcome = compare_runs(full, astray)
    assert outcome["difference"] > 0.5
    assert outcome["p"] < 0.001
    assert math.isfinite(sum(outcome["ci95"]))
