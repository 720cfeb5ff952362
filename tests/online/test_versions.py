"""Versions: whole or not there, promoted at once, rolled back to the very bytes."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from pixelis.errors import ConfigError
from pixelis.memory import Experience, Memory
from pixelis.memory.queue import Queue
from pixelis.online.versions import WEIGHTS, Versions, digest


def writer(value):
    return lambda folder: save_file(
        {"a.lora_B": np.full((2, 2), value, np.float32)}, folder / WEIGHTS
    )


@pytest.fixture
def versions(tmp_path):
    with Memory(tmp_path) as memory:
        yield Versions(memory, "test")


def test_promotion_and_rollback_are_byte_identical(versions):
    first = versions.add(writer(1.0), 0, [])
    versions.promote(1, "good")
    before = digest(versions.path(1))
    versions.add(writer(2.0), 1, [])
    versions.promote(2, "better")
    assert [one.state for one in versions.all()] == ["retired", "promoted"]
    assert versions.roll_back(2, "worse") == 1
    assert [one.state for one in versions.all()] == ["promoted", "rolled-back"]
    assert digest(versions.path(1)) == before == first.sha256
    assert versions.promoted == 1
    assert not versions.verify()


def test_rolling_back_takes_descendants_along_and_quarantines_what_they_learned(versions):
    memory = versions.memory
    ids = [memory.add(Experience("q", str(n))).id for n in range(3)]
    memory.set_status([ids[2]], "confirmed")
    for parent, one in enumerate(ids):
        versions.add(writer(parent), parent, [one])
        versions.promote(parent + 1, "good")
        Queue(memory.base, memory.clock).put(one, "a", 1.0, 1e-4, "vote")
    assert versions.roll_back(2, "poisoned") == 1
    assert [one.state for one in versions.all()] == ["promoted", "rolled-back", "rolled-back"]
    assert [memory.get(one).status for one in ids] == ["queued", "quarantined", "confirmed"]
    assert Queue(memory.base, memory.clock).sizes()["waiting"] == 1
    assert versions.roll_back(1, "all of it") == 0


def test_a_changed_folder_is_found_and_never_promoted(versions):
    versions.add(writer(1.0), 0, [])
    weights = versions.path(1) / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert "version 1" in versions.verify()[0]
    with pytest.raises(ConfigError, match="damaged"):
        versions.promote(1, "good")
    assert versions.promoted == 0


def test_a_writer_that_fails_leaves_nothing(versions):
    def fails(folder):
        (folder / "half").write_bytes(b"x")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        versions.add(fails, 0, [])
    assert versions.all() == []
    assert not list(versions.folder.iterdir())


def test_leftovers_of_a_crash_are_swept_and_their_number_is_used_again(versions):
    (versions.folder / "0001.999999999.part").mkdir(parents=True)
    versions.path(1).mkdir()  # renamed, but the crash came before its row
    (versions.path(1) / "old").write_bytes(b"x")
    assert versions.add(writer(1.0), 0, []).number == 1
    assert [path.name for path in versions.folder.iterdir()] == ["0001"]
    assert not versions.verify()


def test_the_difference_of_weights(versions):
    versions.add(writer(1.0), 0, [])
    versions.add(writer(4.0), 1, [])
    assert versions.diff(1, 2)["all"] == pytest.approx(6.0)
    assert versions.diff(0, 1)["a.lora_B"] == pytest.approx(2.0)
    assert [entry.event for entry in versions.audit.entries()] == ["candidate", "candidate"]


def test_erased_data_retires_what_learned_from_it(versions):
    from pixelis.memory.erase import erase

    one = versions.memory.add(Experience("q", "a"))
    versions.add(writer(1.0), 0, [one.id])
    versions.promote(1, "good")
    done = erase(versions.memory, [one.id])
    assert versions.retire(done.versions) == [1]
    assert versions.promoted == 0
