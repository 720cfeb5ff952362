from __future__ import annotations

import sqlite3

import pytest

from pixelis.errors import ConfigError, StoreError
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


def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "a.sqlite"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE theirs (x)")
    base.commit()
    base.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store(path, "m1")
    assert path.read_bytes() == before


@pytest.mark.parametrize("harm", ["note = '{'", "frame = 'letters'", "text = x'ff'"])
def test_a_damaged_memory_is_named(tmp_path, harm):
    path = tmp_path / "a.sqlite"
    store = Store(path, "m1")
    store.add_all([("a", b"1", None), ("b", b"2", None)], 0.0)
    store.close()
    base = sqlite3.connect(path)
    base.execute(f"UPDATE memories SET {harm} WHERE id = 2")
    base.commit()
    base.close()
    with pytest.raises(StoreError, match="memory 2 is damaged"):
        list(Store(path, "m1").rows())


def test_what_cannot_be_written_is_told():
    store = Store(None, "m1")
    with pytest.raises(ConfigError, match="JSON"):
        store.add("a", b"", 0.0, {1, 2})
    store.add("half a letter: \ud800", b"", 0.0)
    assert [row.text for row in store.rows()] == ["half a letter: ?"]
