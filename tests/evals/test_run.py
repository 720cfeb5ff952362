"""Running and resuming: nothing is asked twice, nothing is lost, nothing is mixed up."""

import json
from dataclasses import replace

import pytest

from pixelis.errors import ConfigError, DataError
from pixelis.evals.controls import agent_solver
from pixelis.evals.question import Benchmark
from pixelis.evals.results import read_results
from pixelis.evals.run import evaluate

SETTINGS = {"model": "looker", "control": "none"}


class KilledError(RuntimeError):
    pass


def solve_some(agent, most, asked):
    """A solver that is killed after `most` answers."""
    inner = agent_solver(agent)

    def solve(questions, on_done):
        def count(index, episode):
            if len(asked) == most:
                raise KilledError
            asked.append(questions[index].id)
            on_done(index, episode)

        inner(questions, count)

    return solve


def test_results_come_in_order_with_what_happened(benchmark, make_agent):
    seen = []
    with make_agent() as agent:
        results = evaluate(
            benchmark, agent_solver(agent), on_result=lambda *news: seen.append(news[1:])
        )
    assert [result.id for result in results] == list(benchmark.ids)
    assert seen == [(n, len(benchmark)) for n in range(1, len(benchmark) + 1)]
    first = results[0]
    assert (first.gold, first.answer, first.correct) == ("blue", "blue", True)
    assert (first.ops, first.failed_ops, first.ended) == (1, 0, "answered")
    assert first.confidence == pytest.approx(0.9)
    assert first.fingerprint == benchmark.load(0).fingerprint()


def test_a_killed_run_goes_on_where_it_stopped(tmp_path, benchmark, make_agent):
    asked: list[str] = []
    with make_agent() as agent:
        with pytest.raises(KilledError):
            evaluate(benchmark, solve_some(agent, 10, asked), SETTINGS, tmp_path)
        torn = tmp_path / "results.jsonl"
        torn.write_bytes(torn.read_bytes() + b'{"id": "q23", "cut o')
        again: list[str] = []
        resumed = evaluate(benchmark, solve_some(agent, 99, again), SETTINGS, tmp_path)
        whole = evaluate(benchmark, agent_solver(agent))
    assert sorted(asked + again) == sorted(benchmark.ids)
    assert len(again) == 14
    assert [replace(r, seconds=0, wall_s=0, episode={}) for r in resumed] == [
        replace(r, seconds=0, wall_s=0, episode={}) for r in whole
    ]
    lines = torn.read_text().splitlines()
    assert len(lines) == 25
    assert json.loads(lines[0])["run"]["model"] == "looker"
    assert {result.id for result in read_results(tmp_path)[1]} == set(benchmark.ids)


def test_results_with_line_separators_are_read_again(tmp_path, benchmark, make_agent):
    results = evaluate(benchmark, agent_solver(make_agent()), out=tmp_path)
    lines = (tmp_path / "results.jsonl").read_text("utf-8").split("\n")
    odd = json.loads(lines[1]) | {"answer": "one\u2028two\x85three"}
    lines[1] = json.dumps(odd, ensure_ascii=False)
    (tmp_path / "results.jsonl").write_text("\n".join(lines), "utf-8")
    again = evaluate(benchmark, agent_solver(make_agent()), out=tmp_path)
    assert [result.answer for result in again] == [
        odd["answer"] if result.id == odd["id"] else result.answer for result in results
    ]


def test_a_finished_run_asks_nothing_and_reads_the_same_results(tmp_path, benchmark, make_agent):
    with make_agent() as agent:
        first = evaluate(benchmark, agent_solver(agent), SETTINGS, tmp_path)

    def never(questions, on_done):
        raise AssertionError("asked again")

    assert evaluate(benchmark, never, SETTINGS, tmp_path) == first


def test_another_run_is_not_mixed_in(tmp_path, benchmark, make_agent):
    with make_agent() as agent:
        evaluate(benchmark, agent_solver(agent), SETTINGS, tmp_path)
        other = SETTINGS | {"control": "no_ops"}
        with pytest.raises(ConfigError, match=r"control = 'none', not 'no_ops'; choose another"):
            evaluate(benchmark, agent_solver(agent), other, tmp_path)


def test_changed_questions_are_noticed(tmp_path, benchmark, make_agent):
    def other(index):
        return replace(benchmark.load(index), gold="pink")

    changed = Benchmark("patches", benchmark.ids, other, benchmark.settings, frozen=True)
    with make_agent() as agent:
        evaluate(benchmark, agent_solver(agent), SETTINGS, tmp_path)
        with pytest.raises(ConfigError, match="question q0 has changed"):
            evaluate(changed, agent_solver(agent), SETTINGS, tmp_path)


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        ("hello\n", DataError, r"results.jsonl:1: not JSON"),
        ('{"a": 1}\n', ConfigError, r"holds no evaluation"),
        ("\xff\n", ConfigError, "x"),
    ],
)
def test_a_strange_results_file_is_refused(tmp_path, benchmark, content, kind, reason):
    (tmp_path / "results.jsonl").write_bytes(content.encode("latin-1"))
    expected = DataError if "\xff" in content else kind
    with pytest.raises(expected, match="not UTF-8" if "\xff" in content else reason):
        evaluate(benchmark, lambda *_: None, SETTINGS, tmp_path)


def test_a_broken_result_names_its_line(tmp_path, benchmark, make_agent):
    with make_agent() as agent:
        evaluate(benchmark, agent_solver(agent), SETTINGS, tmp_path)
    path = tmp_path / "results.jsonl"
    lines = path.read_text().splitlines()
    lines[3] = json.dumps(json.loads(lines[3]) | {"correct": "perhaps"})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"results.jsonl:4: correct: "):
        evaluate(benchmark, lambda *_: None, SETTINGS, tmp_path)


def test_wall_time_adds_up(benchmark, make_agent):
    ticks = iter(range(1000))
    with make_agent() as agent:
        results = evaluate(benchmark, agent_solver(agent), clock=lambda: float(next(ticks)))
    assert sum(result.wall_s for result in results) == len(benchmark)
