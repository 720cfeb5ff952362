"""Procedural questions: the frozen exam stays frozen, seeds give others, the oracle solves them."""

import pytest

from pixelis.errors import ConfigError
from pixelis.evals.controls import oracle_solver
from pixelis.evals.exams import read_manifest
from pixelis.evals.question import data_hash
from pixelis.evals.run import evaluate
from pixelis.evals.worlds import FROZEN_SEED, read_worlds

# An exam that changes makes every older figure incomparable: draw a new one under a new seed.
FROZEN = {name: exam["data_hash"] for name, exam in read_manifest()["exams"].items()}


def prints(benchmark) -> list[str]:
    return [question.fingerprint() for question in benchmark]


def test_the_frozen_exam_is_the_same_every_time():
    first, again = read_worlds(limit=3), read_worlds(limit=3)
    assert data_hash(prints(first)) == data_hash(prints(again))
    assert first.frozen
    assert first.settings["seed"] == FROZEN_SEED
    assert len(read_worlds()) == 500


@pytest.mark.slow
@pytest.mark.parametrize("split", ["test", "shift"])
def test_the_frozen_exam_is_the_one_results_were_measured_on(split):
    assert data_hash(prints(read_worlds(split))) == FROZEN[f"worlds-{split}"]["500"]


def test_a_longer_exam_begins_with_the_shorter_one():
    assert prints(read_worlds(limit=3))[:2] == prints(read_worlds(limit=2))


def test_seeds_and_splits_give_other_questions():
    sets = [read_worlds(limit=2), read_worlds("shift", limit=2), read_worlds(seed=1, limit=2)]
    assert len({one for benchmark in sets for one in prints(benchmark)}) == 6
    assert not sets[2].frozen
    assert len({name for benchmark in sets for name in benchmark.ids}) == 6


def test_families_can_be_chosen():
    only = read_worlds(limit=3, families=("object_counting",))
    assert {question.family for question in only} == {"object_counting"}
    with pytest.raises(ConfigError, match="family 'dance'"):
        prints(read_worlds(limit=1, families=("dance",)))


def test_the_training_split_is_no_exam():
    with pytest.raises(ConfigError, match="give test, shift, calibration"):
        read_worlds("train")


@pytest.mark.slow
def test_the_oracle_solves_most_questions_with_real_operations():
    from pixelis.data.oracle import solve
    from pixelis.ops.registry import REGISTRY

    results = evaluate(read_worlds(limit=12), oracle_solver(solve, REGISTRY))
    assert sum(result.correct for result in results) >= 8
    assert sum(result.ops for result in results) > 0
