"""Streams: good records, broken ones by name, text-ready ones."""

from __future__ import annotations

import json
import math

import pytest

from pixelis.errors import DataError
from pixelis.online.stream import read_stream


def write(tmp_path, *records, end="\n"):
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(map(json.dumps, records)) + end, encoding="utf-8")
    return path


def test_a_record(tmp_path):
    path = write(tmp_path, {"request_id": 7, "question": " How many? ", "image": "a.png",
                            "gold": 3, "answer_type": "number", "embedding": [1, 2.5],
                            "user": "ann"})  # fmt: skip
    (one,) = read_stream(path)
    assert (one.request_id, one.question, one.media) == ("7", "How many?", tmp_path / "a.png")
    assert (one.answer_type, one.embedding, one.user, one.line) == ("number", (1.0, 2.5), "ann", 1)


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"question": "q"}, "request_id"),
        ({"request_id": True, "question": "q"}, "request_id"),
        ({"request_id": "a"}, "question"),
        ({"request_id": "a", "question": ""}, "question"),
        ({"request_id": "a", "question": "q", "image": "a", "video": "b"}, "video"),
        ({"request_id": "a", "question": "q", "image": 5}, "image"),
        ({"request_id": "a", "question": "q", "answer_type": "integer"}, "answer_type"),
        ({"request_id": "a", "question": "q", "embedding": []}, "embedding"),
        ({"request_id": "a", "question": "q", "embedding": ["1"]}, "embedding"),
        ({"request_id": "a", "question": "q", "embedding": [1.0, math.nan]}, "embedding"),
        ({"request_id": "a", "question": "q", "embedding": [math.inf]}, "embedding"),
        ({"request_id": "a", "question": "q", "embedding": [10**400]}, "embedding"),
        ({"request_id": "a", "question": "q", "embedding": [0, 0]}, "embedding"),
        ({"request_id": "a", "question": "q", "choices": "ab"}, "choices"),
        ({"request_id": "a", "input_ids": [1, "2"]}, "input_ids"),
        ({"request_id": "a", "input_ids": [1, 2], "labels": [1]}, "labels"),
    ],
)
def test_a_broken_field_is_named_with_its_line(tmp_path, record, field):
    path = write(tmp_path, {"request_id": "ok", "question": "q"}, record)
    with pytest.raises(DataError, match=rf"s\.jsonl:2: {field}"):
        list(read_stream(path, lambda ids: "text"))


def test_a_line_still_being_written_is_left_for_later(tmp_path):
    path = write(tmp_path, {"request_id": "a", "question": "q"})
    with path.open("a") as file:
        file.write('{"request_id": "b", "ques')
    assert [one.request_id for one in read_stream(path)] == ["a"]
    with path.open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match=":2: not JSON"):
        list(read_stream(path))


def test_text_ready_records_give_their_prompt(tmp_path):
    seen = []

    def decode(ids):
        seen.append(list(ids))
        return "How many?"

    record = {"request_id": "a", "input_ids": [5, 6, 7, 8, 0], "attention_mask": [1, 1, 1, 1, 0],
              "labels": [-100, -100, 7, 8, -100]}  # fmt: skip
    plain = {"request_id": "b", "input_ids": [[5, 6]], "labels": [[5, 6]]}
    found = list(read_stream(write(tmp_path, record, plain), decode))
    assert [one.question for one in found] == ["How many?", "How many?"]
    assert seen == [[5, 6], [5, 6]]
    with pytest.raises(DataError, match="tokenizer"):
        list(read_stream(write(tmp_path, record)))


def test_a_question_is_the_same_from_wherever_its_stream_is_named(tmp_path, monkeypatch):
    path = write(tmp_path, {"request_id": "a", "question": "q", "image": "media/a.png"})
    (first,) = read_stream(path)
    monkeypatch.chdir(tmp_path)
    (second,) = read_stream(path.relative_to(tmp_path))
    assert first.content == second.content
    (tmp_path / "other").mkdir()
    (third,) = read_stream(write(tmp_path / "other", {"request_id": "a", "question": "q",
                                                      "image": "media/a.png"}))  # fmt: skip
    assert third.content != first.content, "another picture"
