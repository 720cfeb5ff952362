"""The engine beside the neighbour index, on real stores with real pictures."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixelis.memory import Experience, Memory, Probe, Room
from pixelis.memory.media import as_png, fingerprint
from pixelis.wheeler import WheelerTextAutoencoder
from pixelis.wheeler.memory import unpacked
from pixelis.wheeler.recall import WheelerRecall, picture_likeness

BOAT = "What color is the small boat near the harbour?"
KITE = "How many kites does the old sailor hold?"
SIGN = "What does the sign above the shop door say?"


@pytest.fixture(scope="module")
def small():
    return WheelerTextAutoencoder.load_from_checkpoint("small")


def drawing(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (96, 72), tuple(rng.integers(0, 256, 3).tolist()))
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, w, h = rng.integers(0, 90), rng.integers(0, 66), *rng.integers(8, 50, 2)
        pen.rectangle((x, y, x + w, y + h), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return image


def kept(store: Memory, question: str, answer: str, image: Image.Image | None = None) -> Experience:
    if image is None:
        return store.add(Experience(question, answer))
    return store.add(Experience(question, answer, likeness=fingerprint(image)), media=as_png(image))


@pytest.fixture
def store(tmp_path):
    with Memory(tmp_path / "store") as memory:
        yield memory


def test_a_damaged_question_finds_its_experience(store, small):
    first = kept(store, BOAT, "red")
    kept(store, KITE, "2")
    engine = WheelerRecall(store, small)
    found = engine.recall(Probe("what colour is teh smal boat near harbor"), k=3)
    assert found.state == "SINGLE"
    assert found.neighbours[0].experience.id == first.id
    assert found.neighbours[0].weight > 0.9
    assert sum(each.weight for each in found.neighbours) == pytest.approx(1)
    assert found.more["gist"] == BOAT
    frame = unpacked(base64.b64decode(found.more["frame"]), found.more["frame_levels"], 1024)
    assert np.array_equal(frame.reshape(32, 32), small.frames(BOAT)[0].numpy())
    assert found.key == engine.recall(Probe("color of the boat near the harbour"), 1).key
    assert json.loads(json.dumps(found.more)) == found.more
    assert engine.recall(Probe("Why did the fox cross the frozen lake?"), 3).state == "NOVEL"
    assert engine.recall(Probe("  "), 3).neighbours == ()


def test_a_store_takes_it_by_name(tmp_path):
    with Memory(tmp_path / "store", recall="wheeler") as memory:
        first = kept(memory, BOAT, "red")
        found = memory.search(Probe("colour of the smal boat near the harbour?"), 1)
        assert found.neighbours[0].experience.id == first.id
        memory.remove([first.id])
        assert memory.search(Probe(BOAT), 1).neighbours == ()


def test_an_empty_store_knows_nothing(store, small):
    found = WheelerRecall(store, small).recall(Probe(BOAT), 5)
    assert (found.state, found.neighbours, found.key) == ("NOVEL", (), None)


def test_the_picture_decides_which_experience_is_meant(store, small):
    one, two, other = drawing(1), drawing(2), drawing(3)
    first = kept(store, BOAT, "red", one)
    second = kept(store, BOAT, "blue", two)
    engine = WheelerRecall(store, small)
    nearly = one.resize((192, 144))
    found = engine.recall(Probe(BOAT, likeness=fingerprint(nearly)), 2)
    assert found.state == "SINGLE"
    assert [each.experience.id for each in found.neighbours] == [first.id, second.id]
    assert engine.slots == 1
    assert (
        engine.recall(Probe(BOAT, media=second.media), 1).neighbours[0].experience.answer == "blue"
    )
    unknown = engine.recall(Probe(BOAT, likeness=fingerprint(other)), 2)
    assert unknown.state == "NOVEL"
    assert len(unknown.neighbours) == 2


def test_it_follows_what_others_add_erase_and_undo(store, small, tmp_path):
    engine = WheelerRecall(store, small)
    with Memory(tmp_path / "store") as other:
        first = kept(other, BOAT, "red")
        second = kept(other, SIGN, "open")
    assert engine.recall(Probe(BOAT), 1).neighbours[0].experience.id == first.id
    assert len(engine) == 2
    with Memory(tmp_path / "store") as other:
        other.remove([first.id])
    again = engine.recall(Probe(BOAT), 5)
    assert [each.experience.id for each in again.neighbours] == [second.id]
    assert again.state == "NOVEL"
    assert (len(engine), engine.slots) == (1, 1)

    def undone() -> None:
        with store.writing():
            kept(store, KITE, "3")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        undone()
    assert engine.recall(Probe(KITE), 5).state == "NOVEL"
    assert len(engine) == 1


def test_what_the_store_lets_go_is_forgotten(tmp_path, small):
    with Memory(tmp_path / "store", room=Room(count=3)) as store:
        engine = WheelerRecall(store, small)
        for number in range(6):
            kept(store, f"How many grey stones lie in box {number}?", str(number))
            engine.recall(Probe(BOAT), 1)
        assert len(engine) == len(store) <= 3


def test_likeness_of_pictures():
    from pixelis.wheeler.recall import Kept

    assert picture_likeness(Kept(1, "a", 0), Probe("q", media="a", likeness=5)) == 1
    assert picture_likeness(Kept(1, "a", 0b11), Probe("q", media="b", likeness=0)) == 62 / 64
    assert picture_likeness(Kept(1, "a", None), Probe("q", likeness=0)) == 0


def test_only_questions_about_the_picture_can_be_meant(store, small):
    """A likelier question about another picture is out of the question."""
    one, two = drawing(1), drawing(2)
    first = kept(store, "What color is the small kite near the door?", "red", one)
    second = kept(store, BOAT, "blue", two)
    engine = WheelerRecall(store, small)
    mistyped = "What color is the smal boat near the dor?"
    assert engine.recall(Probe(mistyped), 1).neighbours[0].experience.id == second.id
    here = engine.recall(Probe(mistyped, likeness=fingerprint(one)), 5)
    assert [each.experience.id for each in here.neighbours] == [first.id]
    assert engine.nearest(BOAT, Probe(BOAT, likeness=fingerprint(one)))[0] == first.id
    assert engine.nearest(BOAT, Probe(BOAT))[0] == second.id
    assert engine.same_picture(Probe("x", media=second.media)) == [second.id]
    assert engine.same_picture(Probe("x")) == []
