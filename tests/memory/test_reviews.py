"""People's words: above votes, for the question and not only for the experience."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from pixelis.errors import ConfigError
from pixelis.memory import Experience, Memory
from pixelis.memory.audit import Audit
from pixelis.memory.exchange import export, take
from pixelis.memory.queue import Queue
from pixelis.memory.reviews import Reviews
from pixelis.memory.words import Kind

NUMBER = Kind("number")


@pytest.fixture
def memory(tmp_path):
    with Memory(tmp_path) as memory:
        yield memory


def png(color):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(stream, "PNG")
    return stream.getvalue()


def voted(memory, answer, question="How many?", color="red", kind=NUMBER, **more):
    """An experience whose answer waits to be learned, because of votes."""
    label, told = kind.normal(answer), {**more, "answer_type": kind.answer_type}
    kept = memory.add(Experience(question, answer, label, **told), png(color))
    Queue(memory.base, memory.clock).put(kept.id, label, 1.0, 1e-4, "vote")
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
    assert word.against("7", NUMBER)
    assert not word.against("3", NUMBER)


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
    assert [word.against("7", NUMBER) for word in reviews.words(memory.get(same))] == [True]
    said(memory, spoken, "approve")
    assert not any(word.against("7", NUMBER) for word in reviews.words(memory.get(same)))
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


@pytest.mark.parametrize(("spoken", "asked"), [(Kind(), NUMBER), (NUMBER, Kind())])
def test_a_word_holds_for_the_question_whatever_type_of_answer_it_was_asked_with(
    memory, spoken, asked
):
    first = voted(memory, "There are 7.", kind=spoken)
    wrong = voted(memory, "7", kind=asked)
    right = [voted(memory, text, kind=asked) for text in ("There are 3.", "three", "3")]
    assert Reviews(memory).words(memory.get(wrong)) == []
    said(memory, first, "reject")
    assert set(tickets(memory)) == {first, *right}
    said(memory, first, "correct", "It is 3")
    assert set(tickets(memory)) == {first, *right}
    again = voted(memory, "There are 7.", kind=asked)
    reviews = Reviews(memory)
    assert reviews.contradicted(memory.get(again))
    assert not reviews.contradicted(memory.get(right[0]))
    said(memory, first, "approve")
    assert set(tickets(memory)) == {first, again}


def test_a_users_word_that_waits_stops_votes_of_every_type(memory):
    first = voted(memory, "7", kind=Kind(), provenance={"feedback": {"right": False}})
    number, other = voted(memory, "3"), voted(memory, "3", color="blue")
    Reviews(memory).hear(first, "said to be wrong")
    assert set(tickets(memory)) == {other}
    assert Reviews(memory).contradicted(memory.get(number))


def test_a_letter_means_the_choice_of_its_own_question(memory):
    shown, turned = (Kind("option", choices) for choices in (("red", "blue"), ("blue", "red")))
    choices = {"provenance": {"choices": ["red", "blue"]}}
    first = voted(memory, "A", kind=shown, **choices)
    right = voted(memory, "A", kind=turned, provenance={"choices": ["blue", "red"]})
    wrong = voted(memory, "B", kind=turned, provenance={"choices": ["blue", "red"]})
    said(memory, first, "correct", "B")
    assert tickets(memory) == {right: ("blue", "vote"), first: ("blue", "corrected")}
    assert memory.get(first).settled == "blue"
    assert memory.get(wrong).status == "stored"


def test_what_people_said_holds_where_it_is_imported(memory, tmp_path):
    """An export has no reviews: the experiences themselves say what was decided."""
    first = voted(memory, "7")
    said(memory, first, "correct", "three")
    export(memory, tmp_path / "out")
    with Memory(tmp_path / "other") as other:
        take(other, tmp_path / "out")
        wrong, right = voted(other, "7"), voted(other, "3")
        assert Reviews(other).waiting() == []
        contradicted = [Reviews(other).contradicted(other.get(one)) for one in (wrong, right)]
        assert contradicted == [True, False]


def test_a_users_word_that_waits_waits_on_where_it_is_imported(memory, tmp_path):
    first = voted(memory, "7", provenance={"feedback": {"right": False}})
    learned = voted(memory, "8")
    memory.set_status([learned], "learned")
    Reviews(memory).hear(first, "said to be wrong")
    export(memory, tmp_path / "out")
    with Memory(tmp_path / "other") as other:
        take(other, tmp_path / "out")
        assert [review.experience for review in Reviews(other).waiting()] == [first]
        assert Reviews(other).contradicted(other.get(voted(other, "9")))
        assert other.get(learned).status == "stored", "nobody has learned it here"
