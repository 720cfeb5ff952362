"""The writer, with replies that a server might give."""

import pytest

from pixelis.data.writer import Writer, passes, wordy
from pixelis.episode import Call, Episode, Media, Observation, Step
from pixelis.errors import ModelError
from pixelis.geometry import Size
from pixelis.models.policy import Profile, Turn

THOUGHTS = ("the red sign", "red star [20, 30] = 1", "")


class Scripted:
    """Says what it was told to say and keeps what it was asked."""

    name, profile = "scripted", Profile("scripted")

    def __init__(self, *replies):
        self.replies, self.asked = replies, []

    def generate(self, requests, sampling):
        self.asked += [request.messages[-1]["content"] for request in requests]
        return [Turn(text) for text in self.replies]


def episode():
    call = Call("read_text", {"bbox_2d": [0, 0, 10, 10]})
    steps = tuple(Step(thought, call, Observation("seen")) for thought in THOUGHTS)
    return Episode("?", Media("picture", "x", Size(9, 9), ""), steps=steps)


def test_a_thought_is_reworded_and_nothing_else():
    writer = Writer(Scripted('"I turn to the sign that is red."'))
    said = writer.rephrase(episode())
    assert [step.thought for step in said.steps] == [
        "I turn to the sign that is red.", *THOUGHTS[1:],
    ]  # fmt: skip
    assert "I turn to the sign that is red." in said.steps[0].text
    assert "read_text" in said.steps[0].text
    assert [s.call for s in said.steps] == [s.call for s in episode().steps]
    assert len(writer.policy.asked) == 1  # reckoning and silence are not asked about
    assert (writer.written, writer.refused) == (1, 0)


@pytest.mark.parametrize(
    "reply", ["", "the blue sign", "the sign", "a <b>red</b> sign", "red " * 60, "red {text_1}"]
)
def test_what_changes_the_meaning_is_thrown_away(reply):
    writer = Writer(Scripted(reply))
    assert writer.rephrase(episode()).steps[0].thought == "the red sign"
    assert writer.refused == 1


def test_a_writer_that_loses_replies_is_an_error():
    with pytest.raises(ModelError, match="0 replies to 1"):
        Writer(Scripted()).rephrase(episode())


def test_what_counts():
    assert passes("3 red stars", "I see 3 stars, all of them red.")
    assert not passes("3 red stars", "I see red stars.")
    assert passes("a red star at 3", "At 3 there is a red star.")
    assert wordy("look left")
    assert not wordy("120 > 85")
