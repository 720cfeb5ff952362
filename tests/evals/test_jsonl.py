"""Reading questions: what is accepted, and errors that name file, line and field."""

import json
import re

import pytest

from pixelis.errors import DataError
from pixelis.evals.jsonl import read_jsonl

GOOD = {"id": "a", "image": "red.png", "question": "?", "answer": "red", "answer_type": "color"}


def test_reads_every_shape_of_record(write_questions):
    path = write_questions(
        GOOD,
        "",
        GOOD | {"id": 7, "answer": 3, "answer_type": "number", "family": "counts"},
        GOOD | {"id": "c", "answer": ["red", "blue"], "answer_type": "list"},
        GOOD | {"id": "d", "answer": True, "answer_type": "yes_no", "image": "./red.png"},
        GOOD | {"id": "e", "answer": [1, 2, 3, 4], "answer_type": "box"},
        GOOD | {"id": "f", "answer_type": "option", "choices": ["red", 2], "answer": "A"},
        GOOD | {"id": "g", "answer_type": "unknown", "answer": ""},
    )
    questions = list(read_jsonl(path))
    assert [q.id for q in questions] == ["a", "7", "c", "d", "e", "f", "g"]
    assert questions[0].family == "color"
    assert questions[0].media == path.parent / "red.png"
    assert (questions[1].gold, questions[1].family) == ("3", "counts")
    assert questions[2].gold == ("red", "blue")
    assert questions[3].gold == "yes"
    assert questions[4].gold == "[1, 2, 3, 4]"
    assert questions[5].choices == ("red", "2")
    assert questions[6].gold == "unknown"
    assert {q.picture for q in questions} == {"red.png"}


def test_a_line_ends_only_where_json_lines_end(write_questions):
    odd = "one\u2028two\x85three"
    path = write_questions(GOOD | {"question": odd})
    path.write_text(json.dumps(GOOD | {"question": odd}, ensure_ascii=False) + "\r\n", "utf-8")
    (question,) = read_jsonl(path)
    assert question.text == odd


def test_limit_takes_the_first_and_the_hash_of_the_file_is_kept(write_questions):
    path = write_questions(GOOD, GOOD | {"id": "b"}, GOOD | {"id": "c"})
    benchmark = read_jsonl(path, 2)
    assert benchmark.ids == ("a", "b")
    assert len(str(benchmark.settings["sha256"])) == 64


@pytest.mark.parametrize(
    ("record", "field", "reason"),
    [
        ({"id": None}, "id", "came None; a text is needed"),
        ({"image": None}, "image", "exactly one of 'image' and 'video'"),
        ({"video": "v.mp4"}, "image", "exactly one"),
        ({"image": "gone.png"}, "image", "gone.png is no file"),
        ({"question": " "}, "question", "came ' '; a text is needed"),
        ({"answer": None}, "answer", "came None"),
        ({"answer": []}, "answer", "came []"),
        ({"answer_type": "essay"}, "answer_type", "came 'essay'; allowed are number, word"),
        ({"choices": ["a", "b"]}, "choices", "belongs to answer_type 'option'"),
        ({"answer_type": "option", "choices": ["a"]}, "choices", "a list of 2 to 26"),
        ({"awnser": "red"}, "awnser", "unknown field"),
        ({"answer_type": "number", "answer": "many"}, "answer", "came 'many'; a number is needed"),
        ({"answer_type": "box", "answer": [1, 2]}, "answer", "a box [x1, y1, x2, y2] is needed"),
        ({"answer_type": "option", "choices": ["a", "b"], "answer": "C"}, "answer", "none of the"),
    ],
)
def test_broken_fields_name_file_line_and_field(write_questions, record, field, reason):
    path = write_questions(GOOD, GOOD | {"id": "b"} | record)
    with pytest.raises(DataError, match=f"questions.jsonl:2: {field}: .*{re.escape(reason)}"):
        read_jsonl(path)


def test_a_missing_field_is_named(write_questions):
    path = write_questions({name: GOOD[name] for name in GOOD if name != "answer_type"})
    with pytest.raises(DataError, match=r"questions.jsonl:1: answer_type: is missing"):
        read_jsonl(path)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["{oops"], r"jsonl:1: not JSON"),
        (["[1]"], r"jsonl:1: came list; an object"),
        (["[" * 100_000], r"jsonl:1: not"),
        ([GOOD, GOOD], r"id: 'a' stands more than once"),
        ([""], r"holds no questions"),
    ],
)
def test_broken_files(write_questions, lines, reason):
    with pytest.raises(DataError, match=reason):
        read_jsonl(write_questions(*lines))


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(DataError, match=r"none.jsonl: cannot be read"):
        read_jsonl(tmp_path / "none.jsonl")
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not UTF-8 at byte 0"):
        read_jsonl(tmp_path / "b.jsonl")


def test_a_record_without_a_type_is_told_the_types(write_questions):
    path = write_questions({name: GOOD[name] for name in GOOD if name != "answer_type"})
    with pytest.raises(DataError, match="answer_type: is missing; give one of number, word, color"):
        read_jsonl(path)
