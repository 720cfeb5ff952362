import json
import resource

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixelis.data.readers import stream
from pixelis.data.readers.row import RecordError, Row
from pixelis.errors import DataError

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def write(path, text: str | bytes):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    records=st.lists(st.dictionaries(st.text(), plain), max_size=3),
    indent=st.sampled_from([None, 0, 3]),
    ascii_only=st.booleans(),
)
def test_elements_are_those_of_the_whole_document(tmp_path_factory, records, indent, ascii_only):
    text = json.dumps({"x": 1, "data": records}, indent=indent, ensure_ascii=ascii_only)
    path = write(tmp_path_factory.mktemp("d") / "a.json", text.encode("utf-8", "surrogatepass"))
    whole = json.loads(text)["data"]
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # a lone half of a pair is no UTF-8
    assert [row.value for row in stream.json_items(path, "data")] == whole


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_any_size_of_chunk_gives_the_same(tmp_path, monkeypatch, chunk):
    records = [{"a": 'br{ack"et\\', "b": [1, {"c": "é\u2028"}]}, {}, {"d": -1.5e-7}]
    path = write(tmp_path / "a.json", json.dumps(records, ensure_ascii=False, indent=1))
    monkeypatch.setattr(stream, "CHUNK_BYTES", chunk)
    assert [row.value for row in stream.json_items(path)] == records


def test_offsets_point_at_the_bytes(tmp_path):
    text = '{"info": {"é": 1}, "data": [ {"a": "ü"}, {"b": 2} ], "n": 3}'
    path = write(tmp_path / "a.json", text)
    found = list(stream.pieces(path))
    data = path.read_bytes()
    for piece in found:
        assert data[piece.offset : piece.offset + piece.length] == piece.data
    assert [piece.place for piece in found] == ["info", "data[0]", "data[1]", "n"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"data": [{"a": 1}', "the file ends too early"),
        ('{"data": [{"a": "1', "the file ends"),
        ('{"data": [{"a": 1]}', "not JSON"),
        ('{"data": [{"a": 1}]', "the file ends"),
        ('{"data": 5}', "an array of records is needed"),
        ('{"other": []}', "data: is missing"),
        ("", "the file ends too early"),
        ('"text"', "an array or object is needed"),
        ('{"data": []} x', "something follows"),
        ('{"data": [,]}', "a value is needed"),
        ("{data: []}", "not JSON"),
    ],
)
def test_a_broken_document_is_named(tmp_path, text, told):
    path = write(tmp_path / "a.json", text)
    with pytest.raises(DataError, match=told) as caught:
        first_error(stream.json_items(path, "data"))
    assert str(path) in str(caught.value)


def first_error(rows) -> None:
    for row in rows:
        if isinstance(row, RecordError):
            raise row


def test_an_element_that_is_no_object_or_no_json_is_passed_on(tmp_path):
    path = write(tmp_path / "a.json", '[{"a": 1}, 7, {"b": nope}, {"c": 3}]')
    found = list(stream.json_items(path))
    assert [row.value for row in found if isinstance(row, Row)] == [{"a": 1}, {"c": 3}]
    wrong = [str(row) for row in found if isinstance(row, RecordError)]
    assert wrong[0] == f"{path}: record 1: came 7; an object is needed"
    assert "record 2: not JSON" in wrong[1]


def test_lines_name_what_is_wrong_and_go_on(tmp_path):
    lines = [b'{"a": 1}', b"", b'{"a": ', b'{"a": "\xff\xfe"}', b"[1]", b'{"a": 2}']
    path = write(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + b"\n".join(lines))
    found = list(stream.json_lines(path))
    assert [row.value for row in found if isinstance(row, Row)] == [{"a": 1}, {"a": 2}]
    wrong = [str(row).removeprefix(f"{path}: ") for row in found if isinstance(row, RecordError)]
    assert wrong[0].startswith("line 3: not JSON")
    assert wrong[1].startswith("line 4: not UTF-8 at byte 7")
    assert wrong[2] == "line 5: came [1]; an object is needed"


@pytest.mark.slow
def test_a_line_of_100_mb_is_named_and_not_held(tmp_path):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b'{"a": 1}\n{"a": "')
        for _ in range(100):
            file.write(b"x" * 2**20)
        file.write(b'"}\n{"a": 2}\n')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = list(stream.json_lines(path))
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert [row.value for row in found if isinstance(row, Row)] == [{"a": 1}, {"a": 2}]
    (wrong,) = [row for row in found if isinstance(row, RecordError)]
    assert "line 2: is 104857610 bytes long; at most 33554432 are allowed" in str(wrong)
    assert wrong.reason == "too long"
    assert grown_mib < 80


def test_an_element_that_is_too_long_is_named_and_the_others_are_kept(tmp_path):
    value = [{"a": 1}, {"a": "x" * 5000}, {"a": 2}]
    path = write(tmp_path / "a.json", json.dumps({"data": value}))
    found = list(stream.json_items(path, "data", most=1000))
    assert [row.value["a"] for row in found if isinstance(row, Row)] == [1, 2]
    assert "data[1]: is 5009 bytes long; at most 1000" in str(found[1])


def test_values_of_an_object_come_with_their_names(tmp_path):
    path = write(tmp_path / "a.json", '{"v1_0": {"a": 1}, "v1_1": 3}')
    found = dict(stream.json_values(path))
    assert found["v1_0"].value == {"a": 1}
    assert "v1_1: came 3" in str(found["v1_1"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none.json: cannot be read \(No such file"):
        list(stream.json_lines(tmp_path / "none.json"))
