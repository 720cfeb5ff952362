"""People's words: above votes, for the question and not only for the experience."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from pixelis.errors import ConfigError
from pixelis.memory import Experience, Memory
from pixelis.memory.audit import Audit
from pixelis.memory.queue import Queue
from pixelis.memory.reviews import Reviews


@pytest.fixture
def memory(tmp_path):
    with Memory(tmp_path) as memory:
        yield memory


def png(color):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(stream, "PNG")
    return stream.getvalue()


def voted(memory, answer, question="How many?", color="red", **more):
    """An experience whose answer waits to be learned, because of votes."""
    kept = memory.add(Experience(question, answer, answer, "number", **more), png(color))
    Queue(memory.base, memory.clock).put(kept.id, answer, 1.0, 1e-4, "vote")
    return kept.id


def tickets(memory):
    rows = memory.base.rows("SELECT experience, label, source FROM queue ORDER BY number")
    return {experience: (label, source) for experience, label, source in rows}


def said(memory, one, verdict, correction=""):
    reviews = Reviews(memory)
    reviews.ask(one, "test")
    return reviews.decide(reviews.of(one).number, verdict, correction, "ann")


def test_a_word_takes_every_vote_on_the_question_that_it_speaks_against(memory):
    first, same, other = voted(memory, "7"), voted(memory, "7"), voted(memory, "3")
    question, picture = voted(memory, "7", "How few?"), voted(memory, "7", color="blue")
    said(memory, first, "correct", "three")
    assert tickets(memory) == {
        other: ("3", "vote"), question: ("7", "vote"), picture: ("7", "vote"),
        first: ("3", "corrected"),
    }  # fmt: skip
    assert [memory.get(one).status for one in (first, same, other)] == [
        "corrected", "stored", "queued",
    ]  # fmt: skip
    assert memory.get(first).settled == "3"
    said(memory, first, "reject")
    assert memory.get(first).settled is None
    assert "correction" not in memory.get(first).provenance


def test_a_rejection_speaks_against_that_answer_alone(memory):
    first, same, other = voted(memory, "7"), voted(memory, "7"), voted(memory, "3")
    said(memory, first, "reject")
    assert tickets(memory) == {other: ("3", "vote"), first: ("7", "rejected")}
    [word] = Reviews(memory).words(memory.get(same))
    assert word.against("7")
    assert not word.against("3")


def test_while_a_users_word_waits_nothing_is_learned_and_a_gates_question_stops_nothing(memory):
    reviews = Reviews(memory)
    first, same = voted(memory, "7"), voted(memory, "7")
    reviews.ask(first, "sampled for a person")
    assert len(tickets(memory)) == 2
    assert reviews.words(memory.get(same)) == []
    spoken = voted(memory, "7", provenance={"feedback": {"right": False}})
    reviews.hear(spoken, "said to be wrong")
    reviews.hear(spoken, "said to be three")
    assert tickets(memory) == {}
    assert reviews.of(spoken).reason == "said to be three"
    assert [word.against("7") for word in reviews.words(memory.get(same))] == [True]
    said(memory, spoken, "approve")
    assert not any(word.against("7") for word in reviews.words(memory.get(same)))
    assert tickets(memory) == {spoken: ("7", "confirmed")}


def test_a_decision_is_told_with_the_versions_that_had_learned_from_it_or_not_made(memory):
    one = voted(memory, "7")
    with memory.writing() as base:
        for number, parent in ((1, 0), (2, 1), (3, 0)):
            base.execute(
                "INSERT INTO versions VALUES (?, ?, 'retired', '', 0, '', '{}')", (number, parent)
            )
        base.execute("INSERT INTO lineage VALUES (1, ?)", (one,))
    review = said(memory, one, "correct", "3")
    [entry] = Audit(memory.folder, memory.base, memory.clock).entries()
    assert (entry.event, entry.who) == ("review", "ann")
    assert entry.facts == {
        "number": review.number, "experience": one, "verdict": "correct", "versions": [1, 2],
    }  # fmt: skip
    for path in (memory.folder / "audit").iterdir():
        path.unlink()
    (memory.folder / "audit").rmdir()
    (memory.folder / "audit").write_text("no folder")
    with pytest.raises(OSError, match="cannot be written"):
        said(memory, one, "approve")
    assert memory.get(one).status == "corrected"
    assert Reviews(memory).of(one).verdict == "correct"


def test_a_decision_about_nothing_is_refused(memory):
    with pytest.raises(ConfigError, match="no review 7"):
        Reviews(memory).decide(7, "approve")
    one = voted(memory, "7")
    for verdict, correction in (("fine", ""), ("correct", " "), ("approve", "3")):
        with pytest.raises(ConfigError):
            said(memory, one, verdict, correction)
    assert memory.get(one).status == "queued"
