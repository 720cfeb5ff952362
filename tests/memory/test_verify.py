"""What is damaged is found; what is derived is made anew."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import StoreError
from pixelis.memory import Experience, Memory, Probe
from pixelis.memory.verify import verify


def png(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def memory(tmp_path):
    with Memory(tmp_path, exact=5) as memory:
        for number in range(12):
            vector = np.random.default_rng(number).normal(size=8)
            memory.add(Experience(f"q{number}", "a", embedding=vector, space="t"), png(number))
        yield memory


def test_a_whole_store_is_whole(memory):
    report = verify(memory)
    assert report.ok
    assert (report.experiences, report.media) == (12, 12)


def test_a_missing_and_a_changed_picture_are_found_and_repaired(memory):
    first, second, *_ = memory.media.files()
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1] + b"x")
    report = verify(memory)
    assert len(report.damage) == 2
    assert not verify(memory, repair=True).ok
    assert verify(memory).ok
    assert len(memory) == 12
    assert sum(one.media is None for one in memory.all()) == 2


def test_a_changed_row_is_found_and_repaired(memory):
    one = memory.ids()[3]
    memory.base.rows("UPDATE experiences SET answer = 'b' WHERE id = ?", (one,))
    with pytest.raises(StoreError, match="damaged"):
        memory.get(one)
    assert one in verify(memory).damage[0]
    verify(memory, repair=True)
    assert verify(memory).ok
    assert len(memory) == 11


def test_leftovers_and_counters_are_set_right_without_being_damage(memory):
    memory.media.folder.joinpath("ab").mkdir(exist_ok=True)
    part = memory.media.folder / "ab" / ("0" * 64 + ".png.999999999.part")
    part.write_bytes(b"half")
    memory.base.set_about("count", "99")
    report = verify(memory)
    assert report.ok
    assert len(report.repaired) == 2
    assert not part.exists()
    assert len(memory) == 12


@pytest.mark.parametrize("harm", ["missing note", "changed graph", "stale", "rubbish"])
def test_a_wrong_index_is_never_used(memory, tmp_path, harm):
    pytest.importorskip("usearch")
    memory.search(Probe(embedding=np.ones(8), space="t"), 1)
    memory.spaces.save()
    graph = next((tmp_path / "index").glob("*.usearch"))
    note = graph.with_suffix(".json")
    if harm == "missing note":
        note.unlink()
    elif harm == "changed graph":
        graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    elif harm == "stale":
        memory.base.rows("DELETE FROM experiences WHERE id = ?", (memory.ids()[0],))
    else:
        graph.write_bytes(b"rubbish")
        note.write_bytes(b"{")
    with Memory(tmp_path, exact=5) as again:
        report = verify(again)
        assert report.ok
        assert any("index" in line for line in report.repaired)
        wanted = np.random.default_rng(7).normal(size=8)
        near = again.search(Probe(embedding=wanted, space="t"), 1).neighbours[0]
        assert near.experience.question == "q7"
        assert not again.spaces.stale()


def test_a_graph_that_was_saved_is_taken(memory, tmp_path):
    pytest.importorskip("usearch")
    memory.search(Probe(embedding=np.ones(8), space="t"), 1)
    memory.spaces.save()
    graph = next((tmp_path / "index").glob("*.usearch"))
    before = graph.stat().st_mtime_ns
    with Memory(tmp_path, exact=5) as again:
        found = again.search(Probe(embedding=np.ones(8), space="t"), 12).neighbours
        assert len(found) == 12
        assert again.spaces.get("t").engine == "usearch"
    assert graph.stat().st_mtime_ns == before
