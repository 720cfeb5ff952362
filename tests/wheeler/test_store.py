from __future__ import annotations

import sqlite3

import pytest

from pixelis.errors import StoreError
from pixelis.wheeler.store import Store


def test_rows_come_back_with_their_notes(tmp_path):
    path = tmp_path / "a.sqlite"
    store = Store(path, "m1")
    first = store.add("Grüezi", b"\x01\x02", 5.0, {"a": [1, None]})
    others = store.add_all([("b", b"", None), ("c", b"x", "note")], 6.0)
    assert others == [first + 1, first + 2]
    store.hit(first, 9.0)
    store.close()
    rows = list(Store(path, "m1").rows())
    assert rows[0] == (first, "Grüezi", b"\x01\x02", 1, 5.0, 9.0, {"a": [1, None]})
    assert [row.note for row in rows] == [{"a": [1, None]}, None, "note"]


def test_ids_are_never_given_twice(tmp_path):
    store = Store(tmp_path / "a.sqlite", "m1")
    (number,) = store.add_all([("a", b"", None)], 0.0)
    store.remove([number])
    assert store.add_all([("b", b"", None)], 0.0) == [number + 1]
    assert store.add("c", b"", 0.0) == number + 2


def test_a_file_that_is_no_memory_is_refused(tmp_path):
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(path, "m1")


def test_a_newer_file_is_refused(tmp_path):
    path = tmp_path / "a.sqlite"
    Store(path, "m1").close()
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(path, "m1")
