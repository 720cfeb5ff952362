"""From conversations to questions: which picture, which words, what is refused."""

from __future__ import annotations

import pytest
from server_rig import SCENE, about, data_url

from pixelis.media import Limits
from pixelis.server.forms import ChatForm
from pixelis.server.question import read_question
from pixelis.server.refusal import RefusalError

LIMITS = Limits(max_bytes=2**20)
OTHER = b"\x89PNG\r\n\x1a\n" + b"0" * 50


def read(messages: list, turns: int = 0):
    return read_question(ChatForm(model="m", messages=messages), LIMITS, turns)


def test_the_latest_picture_counts():
    talk = [*about("a", data_url(OTHER)), *about("b")]
    assert read(talk).source.data == SCENE.read_bytes()
    talk.append({"role": "user", "content": "and now?"})
    question = read(talk)
    assert question.source.data == SCENE.read_bytes()
    assert question.text == "and now?"


def test_earlier_turns_are_told_when_wanted():
    talk = [
        {"role": "system", "content": "Be brief."},
        *about("first?"),
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": "second?"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "third?"},
    ]
    assert read(talk).text == "third?"
    one = read(talk, 1).text
    assert "first?" not in one
    assert one.startswith("Be brief.")
    assert one.index("Question: second?") < one.index("Answer: two") < one.index("third?")
    assert "first?" in read(talk, 6).text


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"role": "user", "content": "no picture"}], "no_media"),
        ([*about("a"), {"role": "assistant", "content": "b"}], "no_question"),
        (about("  "), "no_question"),
        ([{"role": "user", "content": about("a")[0]["content"] * 2}], "several_media"),
        (about("a", "https://images.test/a.png"), "no_data_url"),
        (about("a", "data:image/png;base64,!!"), "bad_media"),
        (about("a", data_url(b"x" * (2**20 + 1))), "bad_media"),
        ([{"role": "assistant", "content": None}], "no_question"),
    ],
)
def test_what_is_refused(messages, code):
    with pytest.raises(RefusalError) as caught:
        read(messages)
    assert caught.value.code == code
    assert caught.value.status == 400
