"""Under Inspect: the same results as bare episodes, kept through a kill, and logs that open."""

import asyncio
import gc
import json
from dataclasses import replace

import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

from pixelis.errors import ConfigError
from pixelis.evals.controls import agent_asker, agent_solver
from pixelis.evals.inspection import LOGS, Limits, Sitting, evaluate, messages_of
from pixelis.evals.run import evaluate as evaluate_bare

SETTINGS = {"model": "looker", "control": "none"}
# Inspect leaves streams of its own to the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected():
    yield
    gc.collect()


class KilledError(RuntimeError):
    pass


def plain(results):
    return [replace(result, seconds=0, wall_s=0, episode={}) for result in results]


def ask_some(agent, most, asked):
    """An asker that is killed after `most` questions."""
    inner = agent_asker(agent)

    async def ask(question):
        if len(asked) == most:
            raise KilledError("killed")
        asked.append(question.id)
        return await inner(question)

    return ask


def test_results_are_those_of_bare_episodes_and_the_log_tells_them(tmp_path, benchmark, make_agent):
    seen = []
    with make_agent() as agent:
        bare = evaluate_bare(benchmark, agent_solver(agent))
        results = evaluate(
            benchmark,
            agent_asker(agent),
            SETTINGS,
            tmp_path,
            on_result=lambda *news: seen.append(news[1:]),
        )
        assert max(agent.policy.batches) > 4  # samples share generate calls
    assert plain(results) == plain(bare)
    assert seen == [(n, len(benchmark)) for n in range(1, len(benchmark) + 1)]
    [entry] = list_eval_logs(str(tmp_path / LOGS))
    log = read_eval_log(entry)
    assert log.status == "success"
    assert log.results.scores[0].metrics["accuracy"].value == 1.0
    assert len(log.samples) == len(benchmark)
    sample = log.samples[0]
    assert sample.messages[0].text == benchmark.load(0).text
    assert "zoom_in: here" in [message.text for message in sample.messages]
    assert sample.scores["pixelis_answer"].answer == benchmark.load(0).gold


def test_a_killed_run_goes_on_and_asks_nothing_twice(tmp_path, benchmark, make_agent):
    asked: list[str] = []
    again: list[str] = []
    limits = Limits(abreast=4)
    with make_agent() as agent:
        with pytest.raises(KilledError):
            evaluate(benchmark, ask_some(agent, 10, asked), SETTINGS, tmp_path, limits=limits)
        kept = (tmp_path / "results.jsonl").read_bytes()
        (tmp_path / "results.jsonl").write_bytes(kept + b'{"id": "q23", "cut o')
        resumed = evaluate(benchmark, ask_some(agent, 99, again), SETTINGS, tmp_path)
        whole = evaluate_bare(benchmark, agent_solver(agent))
    names = {json.loads(line)["id"] for line in kept.splitlines()[1:]}
    assert names
    assert sorted([*names, *again]) == sorted(benchmark.ids)
    assert plain(resumed) == plain(whole)
    last = read_eval_log(list_eval_logs(str(tmp_path / LOGS))[0])
    assert len(last.samples) == len(benchmark)


def test_another_run_is_not_mixed_in(tmp_path, benchmark, make_agent):
    with make_agent() as agent:
        evaluate(benchmark, agent_asker(agent), SETTINGS, tmp_path)
        other = SETTINGS | {"control": "no_ops"}
        with pytest.raises(ConfigError, match=r"control = 'none', not 'no_ops'"):
            evaluate(benchmark, agent_asker(agent), other, tmp_path)


def test_a_question_that_takes_too_long_has_no_answer(benchmark, make_agent):
    with make_agent() as agent:
        inner = agent_asker(agent)

        async def slow(question):
            if question.id == "q3":
                await asyncio.sleep(60)
            return await inner(question)

        results = evaluate(benchmark, slow, limits=Limits(seconds=2))
    late = [result for result in results if result.ended == "time"]
    assert [result.id for result in late] == ["q3"]
    assert not late[0].correct
    assert sum(result.correct for result in results) == len(benchmark) - 1


def test_time_that_ran_out_before_the_question_was_drawn_is_no_crash(benchmark):
    sitting = Sitting(benchmark, None)
    result = sitting.finish("q3")
    assert (result.id, result.ended, result.correct) == ("q3", "time", False)
    assert sitting.failure is None
    assert sitting.finish("q3") is result


def test_messages_tell_the_steps(results):
    from pixelis.episode import Episode

    texts = [message.text for message in messages_of(Episode.from_dict(results[0].episode))]
    assert texts[0].startswith("What colour")
    assert texts[-1] == results[0].answer
