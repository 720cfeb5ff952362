from __future__ import annotations

import json

import pytest

from pixelis.data.stories.reader import read_texts
from pixelis.errors import DataError


def test_paragraphs_and_marked_stories(tmp_path):
    plain = tmp_path / "plain.txt"
    plain.write_text("One two three four five\nsix.\n\nSeven eight nine ten eleven.\n\nshort\n")
    assert read_texts(plain) == ["One two three four five six.", "Seven eight nine ten eleven."]
    assert len(read_texts(plain, 1)) == 1
    marked = tmp_path / "marked.txt"
    marked.write_text("One two three.\n\nfour five six.<|endoftext|>\na b c d e f\n")
    assert read_texts(marked) == ["One two three. four five six.", "a b c d e f"]


def test_parquet_and_folders(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a b c d e", "f g h i j"]}), tmp_path / "b.parquet")
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "k l m n o"}) + "\n")
    (tmp_path / "readme.md").write_text("not text to learn from at all")
    assert read_texts(tmp_path) == ["k l m n o", "a b c d e", "f g h i j"]


@pytest.mark.parametrize(
    ("name", "data", "named"),
    [
        ("a.jsonl", b'{"text": "a b c d e"}\n{"story": 1}\n', "line 2"),
        ("a.jsonl", b'{"text": 5}\n', "no string"),
        ("a.txt", b"\xff\xfe\xfa", "UTF-8"),
        ("a.txt", b"", "no text"),
        ("a.parquet", b"PAR1", "no parquet"),
        ("a.csv", b"x", ".txt"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, data, named):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=named):
        read_texts(tmp_path / name)


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="not there"):
        read_texts(tmp_path / "none")
    with pytest.raises(DataError, match="holds no text"):
        read_texts(tmp_path)
