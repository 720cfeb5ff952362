from __future__ import annotations

import contextlib
import sqlite3

import numpy as np
import pytest

from pixelis.errors import ConfigError, StoreError
from pixelis.wheeler import WheelerTextAutoencoder
from pixelis.wheeler.memory import WheelerMemory, key_of, packed, unpacked
from pixelis.wheeler.store import Store


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def model(builder):
    """Untrained as well, with room enough for votes to tell texts apart."""
    return builder(grid=32, buckets=2048, word_width=32, vote_width=64)


@pytest.fixture
def memory(model, texts):
    found = WheelerMemory(model, clock=Clock(), vigilance=0.0)
    for number, text in enumerate(texts):
        assert found.remember(text, {"n": number}).new
    return found


def test_a_remembered_text_is_recalled_with_all_it_carries(memory, texts):
    for number, text in enumerate(texts):
        found = memory.recall(text)
        assert found.state == "SINGLE"
        assert found.matches[0].text == text
        assert found.matches[0].note == {"n": number}
        assert found.matches[0].weight >= 0.9
        assert sum(match.weight for match in found.matches) <= 1 + 1e-6
        assert np.array_equal(np.sign(found.frame), np.sign(memory.frames()[number]))
    assert len({memory.recall(text).key for text in texts}) == len(texts)


def test_half_a_text_recalls_the_whole(memory, texts):
    found = memory.recall("old sailor red boat harbour")
    assert found.matches[0].text == texts[0]
    assert found.margin > 0
    assert memory.nearest("old sailor red boat harbour") == (1, pytest.approx(found.likeness))
    assert memory.nearest(memory.frames()[2])[0] == 3
    assert WheelerMemory(memory.model).nearest("anything") == (0, 0.0)
    assert found.gist == memory.recall(texts[0]).gist


def test_a_damaged_frame_gets_the_same_key(memory, rng):
    for frame in memory.frames():
        key = memory.recall_frame(frame).key
        flipped = np.where(rng.random(frame.shape) < 0.2, -frame, frame)
        hidden = frame.copy()
        hidden[8:] = 0
        assert memory.recall_frame(flipped).key == memory.recall_frame(hidden).key == key


def test_what_is_not_known_is_novel_and_stays_as_it_is(model, texts):
    memory = WheelerMemory(model, vigilance=0.999)
    memory.remember(texts[0])
    found = memory.recall("quite different words entirely")
    assert found.state == "NOVEL"
    assert found.key is None
    assert np.array_equal(found.frame, model.frames("quite different words entirely")[0].numpy())
    assert found.matches[0].text == texts[0]  # what comes nearest is told all the same
    assert WheelerMemory(model).recall("anything").state == "NOVEL"


def test_two_that_look_alike_are_mixed(model):
    memory = WheelerMemory(model, vigilance=0.0, beta=2.0)
    memory.remember_all(["red boat", "red kite"])
    found = memory.recall("red")
    assert found.state == "MIXED"
    assert 0 < found.matches[1].weight <= found.matches[0].weight < 0.9


def test_a_twin_counts_as_a_use_and_takes_no_room(memory, texts):
    before = memory.get(1)
    memory.clock.now += 60
    kept = memory.remember(texts[0])
    assert not kept.new
    assert kept.id == 1
    assert len(memory) == len(texts)
    after = memory.get(1)
    assert (after.hits, after.touched) == (before.hits + 1, before.touched + 60)


LONG = "every word of this sentence stands in the memory and in the question as well " * 9


def test_long_texts_that_differ_at_their_end_are_two_memories(model):
    with WheelerMemory(model) as memory:
        first, second = memory.remember(LONG + "1234"), memory.remember(LONG + "9876")
        assert (first.new, second.new) == (True, True)
        assert [row.text[-4:] for row in memory.rows()] == ["1234", "9876"]
        found = memory.recall(LONG + "9876")
        assert (found.state, found.matches[0].id) == ("SINGLE", second.id)


@pytest.mark.parametrize("words", [1, 4, 12, 18, 48, 120])
def test_a_text_asked_word_for_word_is_meant_alone(words, texts):
    everyday = (
        "when the train from the coast came in late again we sat on the cold bench and talked "
        "about nothing much until somebody brought tea "
    )
    memory = WheelerMemory(WheelerTextAutoencoder.load_from_checkpoint("small"))
    for text in texts:
        memory.remember(text)
    asked = " ".join((everyday * 6).split()[:words])
    number = memory.remember(asked).id
    found = memory.recall(asked.upper() + "!")  # case and punctuation do not matter
    assert (found.state, found.matches[0].id) == ("SINGLE", number)


def test_the_order_of_words_is_known(model):
    memory = WheelerMemory(model)
    ids = [memory.remember(text).id for text in ("the dog bit the man", "the man bit the dog")]
    for number, text in zip(ids, ("the dog bit the man", "the man bit the dog"), strict=True):
        assert memory.recall(text).matches[0].id == number


def test_a_file_of_an_older_version_learns_its_words(model, tmp_path):
    path = tmp_path / "memories.sqlite"
    with WheelerMemory(model, path) as memory:
        number = memory.remember("a red boat").id
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.executescript(
            "DROP INDEX by_words; ALTER TABLE memories DROP COLUMN said; PRAGMA user_version = 1;"
        )
    with WheelerMemory(model, path) as memory:
        assert memory.remember("A red boat.") == (number, False)


@pytest.mark.parametrize("text", ["", "  \n", None, 5])
def test_what_is_no_text_is_not_kept(model, text):
    memory = WheelerMemory(model)
    with pytest.raises(ConfigError, match="give a text"):
        memory.remember(text)
    assert len(memory) == 0


def test_what_is_forgotten_leaves_no_byte(model, tmp_path, texts):
    path = tmp_path / "memories.sqlite"
    memory = WheelerMemory(model, path, vigilance=0.0)
    secret = "The password is swordfish."
    number = memory.remember(secret).id
    for text in texts:
        memory.remember(text)
    frame = packed(memory.frames()[0], 2)
    assert memory.forget(number)
    assert not memory.forget(number)
    assert memory.recall(secret).matches[0].text != secret
    memory.close()
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        assert b"swordfish" not in data
        assert frame not in data
    again = WheelerMemory(model, path, vigilance=0.0)
    assert [row.text for row in again.rows()] == texts


def test_it_is_all_there_after_a_restart(model, tmp_path, texts):
    path = tmp_path / "memories.sqlite"
    first = WheelerMemory(model, path, vigilance=0.0)
    ids = first.remember_all(texts)
    wanted = [first.recall(text) for text in texts]
    first.close()
    second = WheelerMemory(model, path, vigilance=0.0)
    assert np.array_equal(second.frames(), first.frames())
    for number, text, before in zip(ids, texts, wanted, strict=True):
        found = second.recall(text)
        assert (found.matches[0].id, found.key) == (number, before.key)
    assert second.remember("one more").id == max(ids) + 1


def test_frames_of_another_model_are_refused(model, builder, tmp_path):
    WheelerMemory(model, tmp_path / "m.sqlite").close()
    with pytest.raises(StoreError, match="another model"):
        WheelerMemory(builder(buckets=256), tmp_path / "m.sqlite")


def test_the_coldest_go_when_there_is_no_room(model, texts):
    clock = Clock()
    memory = WheelerMemory(model, room=3, clock=clock, vigilance=0.0)
    for text in texts[:3]:
        memory.remember(text)
        clock.now += 3600
    memory.recall(texts[0])  # warms the oldest
    memory.remember(texts[3])
    assert [row.text for row in memory.rows()] == [texts[0], texts[2], texts[3]]
    assert memory.recall(texts[2]).matches[0].text == texts[2]
    warm = memory.temperatures()
    assert warm[1] > warm[4]
    with pytest.raises(ConfigError, match="room"):
        WheelerMemory(model, room=0)


@pytest.mark.parametrize("levels", [2, 4])
def test_frames_pack_without_loss(rng, levels):
    frame = (rng.integers(0, levels, 40) * (2 / (levels - 1)) - 1).astype(np.float32)
    assert np.allclose(unpacked(packed(frame, levels), levels, 40), frame)


def test_keys_do_not_mind_the_last_digit(rng):
    frame = np.sign(rng.normal(size=(8, 8))).astype(np.float32)
    assert key_of(frame) == key_of(frame * (1 - 1e-5))
    other = frame.copy()
    other[0, 0] *= -1
    assert key_of(frame) != key_of(other)


def test_a_reader_in_the_way_is_told_and_nothing_stays_in_the_end(model, tmp_path, monkeypatch):
    monkeypatch.setattr(Store.wipe, "__defaults__", (0.1,))
    path = tmp_path / "m.sqlite"
    memory = WheelerMemory(model, path)
    memory.remember("the password is swordfish")
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT text FROM memories").fetchall()
    with pytest.raises(StoreError, match="another process reads"):
        memory.forget(1)
    assert len(memory) == 0
    reader.close()
    memory.close()
    WheelerMemory(model, path).close()
    for file in tmp_path.iterdir():
        assert b"swordfish" not in file.read_bytes()


def test_a_full_memory_lets_a_few_go_at_once(model):
    memory = WheelerMemory(model, room=200)
    memory.remember_all([f"stone number {number} of {number * 7}" for number in range(201)])
    assert len(memory) == 198
