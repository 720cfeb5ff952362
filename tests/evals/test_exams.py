"""Frozen exams: known by their hash and that of their first questions, never changed silently."""

import pytest

from pixelis.errors import ConfigError, DataError
from pixelis.evals.exams import (
    EXAMS,
    add_entry,
    exam_of,
    freeze_exam,
    freeze_model,
    model_of,
    read_exam,
    read_manifest,
    write_manifest,
)
from pixelis.evals.question import data_hash


def test_every_exam_is_in_the_manifest():
    exams = read_manifest()["exams"]
    assert set(exams) == set(EXAMS)
    assert len({one["data_hash"][str(one["questions"])] for one in exams.values()}) == len(EXAMS)
    assert exams["canary"]["questions"] == 800


def test_an_exam_of_files_is_the_one_that_was_frozen():
    assert freeze_exam("real") == read_manifest()["exams"]["real"]
    prints = [question.fingerprint() for question in read_exam("real")]
    assert exam_of(data_hash(prints)) == "real"
    assert exam_of(data_hash(prints[:7])) is None


def test_the_first_questions_of_an_exam_are_those_frozen():
    prints = [question.fingerprint() for question in read_exam("exam", limit=100)]
    assert exam_of(data_hash(prints)) == "exam"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["canary", "calibration"])
def test_the_first_hundred_worlds_are_those_frozen(name):
    prints = [question.fingerprint() for question in read_exam(name, limit=100)]
    assert exam_of(data_hash(prints)) == name


def test_no_question_is_in_two_exams_of_worlds():
    ids = [set(read_exam(name).ids) for name in ("worlds-test", "canary", "calibration")]
    assert not ids[0] & ids[1] | ids[1] & ids[2] | ids[0] & ids[2]


def test_what_is_frozen_stays(tmp_path):
    manifest = read_manifest(tmp_path / "none.json")
    entry = {"questions": 1, "data_hash": {"1": "a"}}
    add_entry(manifest, "exams", "x", entry)
    add_entry(manifest, "exams", "x", {**entry, "commit": "a later one"})
    assert manifest["exams"]["x"] == entry
    other = {"questions": 1, "data_hash": {"1": "b"}}
    with pytest.raises(ConfigError, match="exam x is frozen with another data hash"):
        add_entry(manifest, "exams", "x", other)
    add_entry(manifest, "exams", "x", other, again=True)
    write_manifest(manifest, tmp_path / "m.json")
    assert read_manifest(tmp_path / "m.json")["exams"]["x"] == other
    (tmp_path / "m.json").write_text("[]")
    with pytest.raises(DataError, match="came list; an object is needed"):
        read_manifest(tmp_path / "m.json")


def test_models_are_known_by_their_weights(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"weights")
    entry = freeze_model(f"hf:{tmp_path}")
    manifest = {"exams": {}, "models": {"mine": entry}}
    assert model_of(entry["model_hash"], manifest) == "mine"
    assert model_of("0" * 64, manifest) is None
    assert model_of(None, manifest) is None
    with pytest.raises(ConfigError, match="exam 'x' is not known"):
        read_exam("x")
