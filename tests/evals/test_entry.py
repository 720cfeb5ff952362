"""What `inspect eval pixelis/...` runs."""

import gc

import inspect_ai
import pytest

from pixelis.errors import ConfigError
from pixelis.evals.entry import jsonl, worlds

# Inspect leaves streams of its own to the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_worlds_run_under_inspect_alone(tmp_path):
    task = worlds(limit=2, control="oracle")
    [log] = inspect_ai.eval(
        task, model="none/none", display="none", log_dir=str(tmp_path), ctl_server=False
    )
    assert log.status == "success"
    assert {sample.id for sample in log.samples} == {"test-20261207-0", "test-20261207-1"}
    assert all("family" in sample.scores["pixelis_answer"].metadata for sample in log.samples)
    gc.collect()


def test_wrong_arguments_are_named(tmp_path, write_questions):
    with pytest.raises(ConfigError, match="control 'some' is not known"):
        worlds(control="some")
    record = {"id": "a", "image": "red.png", "question": "?", "answer": "red"}
    task = jsonl(str(write_questions(record | {"answer_type": "color"})))
    assert [sample.id for sample in task.dataset] == ["a"]
