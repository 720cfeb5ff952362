"""The store: what is acknowledged stays, what is removed is gone, many may use it."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import ConfigError, StoreError
from pixelis.memory import (
    Experience,
    Filter,
    Memory,
    Neighbour,
    Probe,
    Recollection,
    Room,
    Vote,
)
from pixelis.memory.recall import _FACTORIES
from pixelis.memory.verify import verify


def picture(seed=0, side=24):
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def vector(seed, dims=16):
    return np.random.default_rng(seed).normal(size=dims)


def test_what_is_added_comes_back_whole(tmp_path):
    with Memory(tmp_path) as memory:
        kept = memory.add(
            Experience("How many cars?", "3", "3", "number", "counting", "ann", confidence=0.4,
                       embedding=vector(1), space="t", episode={"steps": [1, "é"]}),
            picture(), [Vote("3", "3", 0.5, 1.0, "greedy"), Vote("4", "4", None, 1.0, "sampled")],
        )  # fmt: skip
    with Memory(tmp_path) as memory:
        again = memory.get(kept.id)
        assert {**again.to_dict(), "seq": 0} == {**kept.to_dict(), "seq": 0}
        assert [vote.answer for vote in memory.votes(kept.id)] == ["3", "4"]
        opened = Image.open(io.BytesIO(memory.picture(again.media)))
        assert np.array_equal(opened, Image.open(io.BytesIO(picture())))


def test_the_same_picture_is_kept_once_and_goes_with_its_last_experience(tmp_path):
    with Memory(tmp_path) as memory:
        first, second = (memory.add(Experience("q", str(i)), picture()) for i in range(2))
        assert len(list(memory.media.files())) == 1
        memory.remove([first.id])
        assert len(list(memory.media.files())) == 1
        memory.remove([second.id])
        assert not list(memory.media.files())


def test_neighbours_equal_a_brute_force_search(tmp_path):
    vectors = np.stack([vector(seed) for seed in range(60)])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    with Memory(tmp_path) as memory:
        ids = [memory.add(Experience("q", "a", embedding=v, space="t")).id for v in vectors]
        gone = [3, 17]
        memory.remove([ids[place] for place in gone])
        query = vector(99)
        found = memory.search(Probe(embedding=query, space="t"), 5).neighbours
        cosines = units @ (query / np.linalg.norm(query))
        cosines[gone] = -9
        assert [n.experience.id for n in found] == [ids[i] for i in np.argsort(-cosines)[:5]]
        assert found[0].likeness == pytest.approx(cosines.max(), abs=1e-5)


def test_another_connection_sees_what_was_written_and_removed(tmp_path):
    with Memory(tmp_path) as reader, Memory(tmp_path) as writer:
        kept = [writer.add(Experience("q", "a", embedding=vector(i), space="t")) for i in range(4)]
        probe = Probe(embedding=vector(2), space="t")
        assert reader.search(probe, 1).neighbours[0].experience.id == kept[2].id
        writer.remove([kept[2].id])
        assert kept[2].id not in {n.experience.id for n in reader.search(probe, 9).neighbours}
        writer.add(Experience("q", "b", embedding=vector(2), space="t"))
        assert reader.search(probe, 1).neighbours[0].experience.answer == "b"


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    with Memory(tmp_path) as memory:
        memory.add(Experience("q", "a", embedding=vector(0), space="t"))

        def fails():
            with memory.writing():
                memory.add(Experience("q", "b", embedding=vector(1), space="t"))
                raise KeyError

        with pytest.raises(KeyError):
            fails()
        memory.add(Experience("q", "c"))  # takes the place that the undone one had
        found = memory.search(Probe(embedding=vector(1), space="t"), 5).neighbours
        assert [n.experience.answer for n in found] == ["a"]
        assert len(memory) == 2


def test_what_was_undone_is_not_found_where_another_connection_took_its_place(tmp_path):
    """The stamp is the same then: as many experiences, the same last position."""
    with Memory(tmp_path) as first, Memory(tmp_path) as second:
        kept = first.add(Experience("q", "a", embedding=vector(0), space="t"))
        probe = Probe(embedding=vector(1), space="t")
        assert first.search(probe, 5).neighbours[0].experience.id == kept.id

        def fails():
            with first.writing():
                undone = first.add(Experience("q", "b", embedding=vector(1), space="t"))
                assert first.search(probe, 5).neighbours[0].experience.id == undone.id
                raise KeyError

        with pytest.raises(KeyError):
            fails()
        second.add(Experience("q", "c", embedding=vector(2), space="t"))
        found = first.search(probe, 5).neighbours
        near = {n.experience.answer: n.likeness for n in found}
        units = [vector(seed) / np.linalg.norm(vector(seed)) for seed in (0, 1, 2)]
        expected = {"a": units[0] @ units[1], "c": units[2] @ units[1]}
        assert near == pytest.approx(expected, abs=1e-5)


def test_a_removal_that_was_undone_is_found_again(tmp_path):
    with Memory(tmp_path) as memory:
        kept = memory.add(Experience("q", "a", embedding=vector(0), space="t"))
        memory.add(Experience("q", "b", embedding=vector(1), space="t"))
        probe = Probe(embedding=vector(0), space="t")
        memory.search(probe)

        def fails():
            with memory.writing():
                memory.remove([kept.id])
                raise KeyError

        with pytest.raises(KeyError):
            fails()
        assert memory.search(probe, 1).neighbours[0].experience.id == kept.id


class Newest:
    """An engine that reads the store once and is told of changes; it recalls what is newest."""

    name = "newest"

    def __init__(self, memory):
        self.memory, self.known = memory, memory.ids()

    def added(self, experience):
        self.known.append(experience.id)

    def removed(self, ids):
        self.known = [one for one in self.known if one not in ids]

    def recall(self, probe, k):
        found = [self.memory.get(one) for one in self.known[: -k - 1 : -1]]
        return Recollection(tuple(Neighbour(one, 1.0) for one in found))

    def close(self):
        """Nothing is open."""


def test_an_engine_finds_again_what_was_not_removed_after_all(tmp_path, monkeypatch):
    monkeypatch.setitem(_FACTORIES, "newest", Newest)
    with Memory(tmp_path, recall="newest") as memory:
        memory.add(Experience("q", "a"))
        newest = memory.add(Experience("q", "b"))

        def fails():
            with memory.writing():
                memory.remove([newest.id])
                raise KeyError

        with pytest.raises(KeyError):
            fails()
        assert memory.search(Probe(), 1).neighbours[0].experience.id == newest.id
        memory.remove([newest.id])
        assert memory.search(Probe(), 1).neighbours[0].experience.answer == "a"


def test_what_another_connection_adds_while_one_waits_for_the_lock_is_found(tmp_path, monkeypatch):
    with Memory(tmp_path) as first, Memory(tmp_path) as second:
        first.add(Experience("q", "a", embedding=vector(0), space="t"))
        first.search(Probe(embedding=vector(0), space="t"))
        writing = first.base.writing

        def late():  # what waits for the lock gets it once the other is done
            monkeypatch.setattr(first.base, "writing", writing)
            second.add(Experience("q", "b", embedding=vector(1), space="t"))
            return writing()

        monkeypatch.setattr(first.base, "writing", late)
        first.add(Experience("q", "c", embedding=vector(2), space="t"))
        found = first.search(Probe(embedding=vector(1), space="t"), 5).neighbours
        assert [n.experience.answer for n in found[:1]] == ["b"]
        assert len(found) == 3


def test_a_full_store_lets_the_least_worthy_go_and_keeps_pinned_ones(tmp_path):
    with Memory(tmp_path, room=Room(count=3)) as memory:
        sure = memory.add(Experience("q", "sure", confidence=1.0, pinned=True))
        low = memory.add(Experience("q", "dull", confidence=0.9))
        for number in range(3):
            memory.add(Experience("q", str(number), confidence=0.1))
        assert len(memory) == 3
        assert memory.get(sure.id) is not None
        assert memory.get(low.id) is None


def test_pages_and_filters(tmp_path):
    with Memory(tmp_path) as memory:
        for number in range(5):
            memory.add(Experience("q", str(number), family="ab"[number % 2], born=100.0 + number))
        assert [one.answer for one in memory.page(Filter(family="a"))] == ["4", "2", "0"]
        second = memory.page(limit=2)[-1].seq
        assert [one.answer for one in memory.page(limit=2, before=second)] == ["2", "1"]
        assert len(memory.ids(Filter(since=101.0, until=103.0))) == 3


def test_private_things_are_not_stored(tmp_path):
    with Memory(tmp_path) as memory:
        one = memory.add(
            Experience("Write to ann@example.com?", "yes", episode={"a": ["ann@example.com"]})
        )
        assert "ann@" not in memory.get(one.id).question + str(memory.get(one.id).episode)
    assert all(b"ann@example" not in path.read_bytes() for path in tmp_path.rglob("*.db*"))


def test_a_newer_store_and_a_strange_database_are_refused(tmp_path):
    Memory(tmp_path / "new").close()
    with sqlite3.connect(tmp_path / "new" / "memory.db") as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(StoreError, match="newer version"):
        Memory(tmp_path / "new")
    (tmp_path / "odd").mkdir()
    base = sqlite3.connect(tmp_path / "odd" / "memory.db")
    base.execute("CREATE TABLE x (y)")
    base.close()
    with pytest.raises(StoreError, match="another program"):
        Memory(tmp_path / "odd")
    with pytest.raises(ConfigError, match="holds no store"):
        Memory(tmp_path / "none", must_exist=True)


def test_embeddings_of_another_length_are_refused(tmp_path):
    with Memory(tmp_path) as memory:
        memory.add(Experience("q", "a", embedding=vector(0), space="t"))
        with pytest.raises(ConfigError, match="16"):
            memory.add(Experience("q", "a", embedding=vector(0, 8), space="t"))
        with pytest.raises(ConfigError, match="finite"):
            memory.add(Experience("q", "a", embedding=np.zeros(16), space="t"))


def test_a_full_disk_is_told_and_leaves_everything_as_it_was(tmp_path):
    with Memory(tmp_path) as memory:
        kept = [memory.add(Experience(f"q{n}", "a" * 500)).id for n in range(20)]
        (pages,) = memory.base.one("PRAGMA page_count")
        memory.base.rows(f"PRAGMA max_page_count = {pages + 8}")  # as SQLite hears of a full disk

        def fill():
            for number in range(1000):
                kept.append(memory.add(Experience(f"more {number}", "b" * 4000)).id)

        with pytest.raises(StoreError, match="full"):
            fill()
        assert memory.ids() == kept
        assert verify(memory).ok
        memory.base.rows("PRAGMA max_page_count = 1000000")
        kept.append(memory.add(Experience("after", "c")).id)
    with Memory(tmp_path) as memory:
        assert memory.ids() == kept


def test_a_clock_that_goes_backwards_changes_no_order(tmp_path):
    times = iter([1000.0, 5.0, 900.0])
    with Memory(tmp_path, clock=lambda: next(times, 1.0)) as memory:
        for number in range(3):
            memory.add(Experience("q", str(number)))
        assert [one.answer for one in memory.all()] == ["0", "1", "2"]


WRITER = """
import sys
from pixelis.memory import Experience, Memory
with Memory(sys.argv[1]) as memory:
    while True:
        number = len(memory)
        kept = memory.add(Experience(f"question {number}", "a", embedding=[1.0, number], space="t"),
                          media=b"P5 2 2 255\\n" + (number + 2**24).to_bytes(4, "big"))
        print(kept.id, flush=True)
"""


def storm(folder, kills, seed=0):
    """Kills a writer at random points; gives the ids it had acknowledged."""
    rng = np.random.default_rng(seed)
    acknowledged = []
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        first = process.stdout.readline()
        assert first, "the store could not be opened again"
        time.sleep(float(rng.uniform(0, 0.02)))
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
        process.wait()
        process.stdout.close()
        whole = (first + rest).split("\n")[:-1]
        acknowledged += whole
    return acknowledged


def survived(folder, acknowledged):
    with Memory(folder) as memory:
        there = set(memory.ids())
        assert not [one for one in acknowledged if one not in there]
        assert verify(memory).ok
        assert len(memory) == len(there)
        found = memory.search(Probe(embedding=np.array([1.0, 0.0]), space="t"), 1).neighbours
        assert found[0].experience.question == "question 0"


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path):
    survived(tmp_path, storm(tmp_path, 5))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_kills_of_the_writer(tmp_path):
    survived(tmp_path, storm(tmp_path, 200))


def test_what_is_acknowledged_is_there_even_when_it_is_worth_least(tmp_path):
    with Memory(tmp_path, room=Room(count=3)) as memory:
        for number in range(3):
            memory.add(Experience(f"q{number}", "a", confidence=0.1, reward=1.0))
        newest = memory.add(Experience("sure", "a", confidence=0.99))
        assert memory.get(newest.id) is not None
        assert len(memory) == 3
        memory.add(Experience("and one more", "a", confidence=0.1, reward=1.0))
        assert memory.get(newest.id) is None, "then it goes first"


def test_what_an_undone_transaction_removed_is_there_with_its_picture(tmp_path):
    with Memory(tmp_path) as memory:
        kept = memory.add(Experience("q", "a"), picture())
        with suppress(ZeroDivisionError), memory.writing():
            memory.remove([kept.id])
            raise ZeroDivisionError
        assert memory.get(kept.id) is not None
        assert Image.open(io.BytesIO(memory.picture(kept.media))).size == (24, 24)
        assert verify(memory).ok


def test_a_picture_that_was_to_go_stays_when_it_comes_back(tmp_path):
    with Memory(tmp_path) as memory:
        first = memory.add(Experience("q", "a"), picture())
        with memory.writing():
            memory.remove([first.id])
            again = memory.add(Experience("q", "a"), picture())
        assert Image.open(io.BytesIO(memory.picture(again.media))).size == (24, 24)


def test_counters_are_what_there_is(tmp_path):
    with Memory(tmp_path, room=Room(count=6)) as memory:
        ids = [memory.add(Experience(f"q{n}", "a" * n), picture(n)).id for n in range(8)]
        memory.remove(ids[-3:])
        count, size = memory.base.one("SELECT COUNT(*), SUM(size) FROM experiences")
        assert (len(memory), int(memory.base.about("bytes"))) == (count, size)
        memory.remove(memory.ids())
        assert memory.base.about("bytes") == memory.base.about("count") == "0"


def test_every_text_is_redacted_before_it_is_kept(tmp_path):
    with Memory(tmp_path) as memory:
        said = "write to ann@example.org"
        kept = memory.add(
            Experience(said, said, said, episode={"steps": [{"text": said}]},
                       provenance={"winner": said, "counts": {said: 1.0}}),
            votes=[Vote(said, said, 0.5, 1.0, "greedy")],
        )  # fmt: skip
        told = [str(memory.get(kept.id).to_dict()), str(memory.votes(kept.id))]
        assert not any("ann@example.org" in text for text in told)


def test_a_revised_experience_is_whole_found_as_before_and_counted(tmp_path):
    vector = np.array([3.0, 4.0], np.float32)
    with Memory(tmp_path) as memory:
        kept = memory.add(
            Experience("q?", "a", "a", episode={"steps": []}, space="t", embedding=vector),
            votes=[Vote("a", "a", 0.5, 1.0, "greedy")],
        )
        memory.recalled([kept.id], helped=True)
        said = "mail to ann@example.org"
        changed = replace(
            kept, question="another?", answer="b", canonical="b", status="confirmed",
            provenance={"note": said}, embedding=None,
        )  # fmt: skip
        memory.revise(changed, [Vote("b", "b", None, 1.0, "sampled")])
        one = memory.get(kept.id)
        assert (one.question, one.answer, one.status) == ("q?", "b", "confirmed")
        assert (one.retrievals, one.successes) == (1, 1)
        assert "ann@" not in one.provenance["note"]
        assert [vote.answer for vote in memory.votes(one.id)] == ["a", "b"]
        [near] = memory.search(Probe(embedding=vector, space="t"), 1).neighbours
        assert near.experience.id == kept.id
        size = int(memory.base.about("bytes"))
        assert size == memory.base.one("SELECT SUM(size) FROM experiences")[0]
        memory.revise(replace(one, provenance={"note": "x" * 1000}))
        assert int(memory.base.about("bytes")) > size + 900
        report = verify(memory)
        assert report.ok
        assert report.repaired == []
        with pytest.raises(ConfigError, match="to change"):
            memory.revise(replace(one, id="nobody"))
