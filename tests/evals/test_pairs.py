"""Two runs side by side: paired, corrected over families, refused over other questions."""

import math
from dataclasses import replace

import pytest

from pixelis.errors import ConfigError
from pixelis.evals.controls import RandomCrops, agent_solver
from pixelis.evals.pairs import Pair, compare_runs, in_turn, paired
from pixelis.evals.run import evaluate


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


def test_random_crops_are_worse_and_the_difference_is_sure(benchmark, make_agent, registry):
    with make_agent() as agent, make_agent(RandomCrops(registry)) as lost:
        full = evaluate(benchmark, agent_solver(agent))
        astray = evaluate(benchmark, agent_solver(lost, "random_crop"))
    outcome = compare_runs(full, astray)
    assert outcome["difference"] > 0.5
    assert outcome["p"] < 0.001
    assert math.isfinite(sum(outcome["ci95"]))


def test_seeds_of_a_question_count_once_with_their_mean(results):
    second = [replace(result, seed=1, correct=False) for result in results]
    pairs = paired([*results, *second], results)
    assert len(pairs) == len(results)
    assert {pair.first for pair in pairs} == {0.5}
    outcome = compare_runs([*results, *second], results)
    assert (outcome["first"], outcome["second"], outcome["difference"]) == (0.5, 1.0, -0.5)
    assert len(outcome["lost"]) == len(results)
    assert outcome["gained"] == []
    assert outcome["no_worse"]["verdict"] == "worse"


def test_nothing_can_be_compared_with_nothing():
    with pytest.raises(ConfigError, match="different questions"):
        compare_runs([], [])


def test_questions_that_come_sorted_do_not_settle_it_early(results):
    # Two hundred alike, then two hundred of which the first run loses every second one.
    pairs = [
        Pair(replace(results[0], picture=f"p{n}"), float(n < 200 or n % 2), 1.0) for n in range(400)
    ]
    test, looked = in_turn(pairs)
    assert test.verdict == "worse"
    assert looked < 200
    assert in_turn(pairs) == (test, looked)


def test_a_picture_counts_once_in_the_sequential_test(results):
    pairs = [Pair(replace(results[0], picture=f"p{n % 3}"), 0.0, 1.0) for n in range(300)]
    test, looked = in_turn(pairs)
    assert (test.verdict, test.n, looked) == ("open", 3, 300)


def test_grades_are_compared_where_there_are_any(results, mixed):
    assert "score" not in compare_runs(results, results)
    outcome = compare_runs(results, mixed)["score"]  # six of 24 were graded 0.5
    assert outcome["difference"] == pytest.approx(6 * 0.5 / 24)
    assert outcome["n"] == 24


def test_families_are_corrected_for_their_number(results):
    # Eight families of three questions; in each the second run is wrong on all.
    many = [replace(result, family=f"f{n % 8}") for n, result in enumerate(results)]
    lost = [replace(result, correct=False) for result in many]
    outcome = compare_runs(many, lost)
    # A sign test of three is 0.25; times eight families it says nothing.
    assert [entry["p"] for entry in outcome["by_family"].values()] == [1.0] * 8
    two = [replace(result, family=f"f{n % 2}") for n, result in enumerate(results)]
    alone = compare_runs(two[::2], [replace(result, correct=False) for result in two[::2]])["p"]
    both = compare_runs(two, [replace(result, correct=False) for result in two])["by_family"]
    assert both["f0"]["p"] == pytest.approx(2 * alone)
