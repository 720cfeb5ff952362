"""Stores of older versions: what they wrote differently is brought to today's form, once."""

from __future__ import annotations

import json
import sqlite3

import pytest

from pixelis.errors import StoreError
from pixelis.memory import Experience, Memory
from pixelis.memory.base import FILE
from pixelis.memory.experience import COLUMNS, SELECT, checksum, from_row
from pixelis.memory.reviews import Reviews
from pixelis.memory.schema import MIGRATIONS
from pixelis.memory.verify import verify

BEFORE = 2  # the schema in which corrections lay with the reviews alone


def corrected(memory, answer, right):
    one = memory.add(Experience("How many?", answer, answer, "number", provenance={"by": "é"}))
    reviews = Reviews(memory)
    reviews.ask(one.id, "test")
    reviews.decide(reviews.of(one.id).number, "correct", right, "ann")
    return one.id


def aged(folder, ids, schema=BEFORE):
    """Takes the field out as if an older version had written the row."""
    base = sqlite3.connect(folder / FILE)
    for one in ids:
        row = base.execute(f"{SELECT} WHERE id = ?", (one,)).fetchone()
        values = dict(zip(COLUMNS, row, strict=True))
        told = {k: v for k, v in json.loads(values["provenance"]).items() if k == "by"}
        text = json.dumps(told, ensure_ascii=False)
        names = ("question", "answer", "canonical", "media", "episode")
        proof = checksum((*(values[name] for name in names), text), values["embedding"])
        base.execute(
            "UPDATE experiences SET provenance = ?, checksum = ?, size = size - ? WHERE id = ?",
            (text, proof, len(values["provenance"]) - len(text), one),
        )
        base.execute(
            "UPDATE about SET value = value - ? WHERE name = 'bytes'",
            (len(values["provenance"]) - len(text),),
        )
    base.execute(f"PRAGMA user_version = {schema}")
    base.commit()
    base.close()


def schema(folder):
    with sqlite3.connect(folder / FILE) as base:
        return base.execute("PRAGMA user_version").fetchone()[0]


def bytes_of(folder):
    with sqlite3.connect(folder / FILE) as base:
        return base.execute(f"{SELECT} ORDER BY seq").fetchall()


def test_an_older_stores_corrections_are_settled_once_it_is_opened(tmp_path):
    with Memory(tmp_path) as memory:
        ids = [corrected(memory, "7", "three"), corrected(memory, "8", "4 cm")]
        plain = memory.add(Experience("How many?", "9", "9", "number"))
    aged(tmp_path, ids)
    older = sqlite3.connect(tmp_path / FILE)  # a process that has it open all the while
    assert from_row(older.execute(f"{SELECT} WHERE id = ?", ids[:1]).fetchone()).settled is None
    with Memory(tmp_path) as memory:
        assert [memory.get(one).settled for one in ids] == ["3", "4cm"]
        assert memory.get(ids[0]).provenance == {"by": "é", "correction": "3"}
        assert memory.get(plain.id).settled is None
        report = verify(memory)
        assert report.ok
        assert not report.repaired, "counters go with the rows"
    assert schema(tmp_path) == len(MIGRATIONS) > BEFORE
    read = from_row(older.execute(f"{SELECT} WHERE id = ?", ids[:1]).fetchone())
    assert (read.answer, read.status, read.provenance["by"]) == ("7", "corrected", "é")
    older.close()
    before = bytes_of(tmp_path)
    Memory(tmp_path).close()
    assert bytes_of(tmp_path) == before


def test_what_an_older_process_still_corrects_is_settled_when_the_store_is_opened_next(tmp_path):
    with Memory(tmp_path) as memory:
        ids = [corrected(memory, "7", "three")]
        aged(tmp_path, ids, schema=len(MIGRATIONS))
        assert memory.get(ids[0]).settled is None
        with Memory(tmp_path) as other:
            assert other.get(ids[0]).settled == "3"


def test_a_damaged_row_stays_damaged_and_the_others_are_settled(tmp_path):
    with Memory(tmp_path) as memory:
        ids = [corrected(memory, "7", "three"), corrected(memory, "8", "four")]
    aged(tmp_path, ids)
    with sqlite3.connect(tmp_path / FILE) as base:
        base.execute("UPDATE experiences SET answer = '6' WHERE id = ?", ids[:1])
    with Memory(tmp_path) as memory:
        assert memory.get(ids[1]).settled == "4"
        with pytest.raises(StoreError, match="damaged"):
            memory.get(ids[0])


def test_a_migration_that_is_cut_off_leaves_the_older_store(tmp_path, monkeypatch):
    with Memory(tmp_path) as memory:
        ids = [corrected(memory, "7", "three"), corrected(memory, "8", "four")]
    aged(tmp_path, ids)
    before = bytes_of(tmp_path)

    def full(_):
        raise sqlite3.OperationalError("database or disk is full")

    cut = (*MIGRATIONS[:-1], (*MIGRATIONS[-1], full))
    monkeypatch.setattr("pixelis.memory.base.MIGRATIONS", cut)
    with pytest.raises(StoreError, match="disk is full"):
        Memory(tmp_path)
    assert bytes_of(tmp_path) == before
    assert schema(tmp_path) == BEFORE
