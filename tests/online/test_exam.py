"""Where the labelled questions of online learning come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixelis.errors import ConfigError, DataError
from pixelis.evals.exams import read_exam
from pixelis.evals.question import data_hash
from pixelis.online.exam import pool, read_set

MANIFEST = Path(__file__).parents[2] / "src" / "pixelis" / "evals" / "exams.json"


@pytest.mark.parametrize(("purpose", "count"), [("canary", 800), ("calibration", 500)])
def test_a_frozen_exam_can_be_taken_for_its_purpose_and_for_no_other(purpose, count):
    found = read_set(Path(f"exam:{purpose}"), purpose)
    assert found.ids == read_exam(purpose).ids
    assert (len(found), found.frozen) == (count, True)
    for other in ("worlds-test", "exam", "nothing", "canary" if count == 500 else "calibration"):
        with pytest.raises(ConfigError, match=f"give exam:{purpose}"):
            read_set(Path(f"exam:{other}"), purpose)


def test_the_canary_is_the_one_whose_hash_is_known():
    known = json.loads(MANIFEST.read_text())["exams"]["canary"]["data_hash"]
    taken = pool(Path("exam:canary"), 5, "hf:any")
    assert data_hash([taken.load(n).fingerprint() for n in range(100)]) == known["100"]


def test_a_file_is_read_and_a_model_without_a_canary_is_refused(tmp_path):
    path = tmp_path / "own.jsonl"
    with pytest.raises(DataError, match="own"):
        pool(path, 5, "hf:any")
    assert len(pool(None, 7, "nano")) == 7
    with pytest.raises(ConfigError, match="exam:canary"):
        pool(None, 5, "hf:any")
