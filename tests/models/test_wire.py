from __future__ import annotations

import base64
import io
import json
import math

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import ModelError
from pixelis.models.dialects.parse import Malformed, parse
from pixelis.models.policy import Request, Sampling
from pixelis.models.template import render
from pixelis.models.wire import body, messages, turn

TOOLS = [{"type": "function", "function": {"name": "zoom_in", "description": "é"}}]
CHAT = [
    {"role": "system", "content": "S"},
    {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]},
    {"role": "assistant", "content": "<tool_call>\n{}\n</tool_call>", "token_ids": (1, 2)},
    {"role": "tool", "content": [{"type": "text", "text": "a crop"}, {"type": "image"}]},
    {"role": "tool", "content": [{"type": "text", "text": "an error"}]},
    {"role": "assistant", "content": "red"},
]


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


IMAGES = (noise(40, 20), noise(31, 17))


def flat(told) -> list[dict]:
    """Messages as chat templates take them: images as bare places."""
    return [
        message
        if isinstance(message["content"], str)
        else message
        | {
            "content": [
                {"type": "image"} if part["type"] == "image_url" else part
                for part in message["content"]
            ]
        }
        for message in told
    ]


@pytest.mark.parametrize("tools", [None, TOOLS])
@pytest.mark.parametrize("chat", [CHAT, CHAT[1:]])
def test_the_prompt_is_the_one_of_training(tools, chat):
    told = messages(Request(chat, IMAGES, tools))
    assert render(flat(told)) == render(chat, tools)


def test_images_stand_in_their_order_and_lose_nothing():
    told = messages(Request(CHAT, IMAGES))
    parts = [p for m in told if not isinstance(m["content"], str) for p in m["content"]]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    for url, image in zip(urls, IMAGES, strict=True):
        head, data = url.split(",")
        assert head == "data:image/png;base64"
        seen = Image.open(io.BytesIO(base64.b64decode(data)))
        assert np.array_equal(np.asarray(seen), np.asarray(image))


def test_the_tool_role_can_be_kept():
    told = messages(Request(CHAT, IMAGES), "tool")
    assert [message["role"] for message in told] == [message["role"] for message in CHAT]
    assert [message.get("tool_call_id") for message in told[3:5]] == ["call_3", "call_4"]
    json.dumps(told)


@pytest.mark.parametrize("images", [(), IMAGES[:1], IMAGES * 2])
def test_images_and_places_must_be_equal_in_number(images):
    with pytest.raises(ModelError, match=f"2 image placeholders and {len(images)} images"):
        messages(Request(CHAT, images))


def test_sampling_is_passed_on():
    sent = body(Request(CHAT, IMAGES, seed=2**40), Sampling(0.5, 0.9, None, 7), "m", 33)
    assert (sent["temperature"], sent["top_p"], sent["max_tokens"]) == (0.5, 0.9, 33)
    assert 0 <= sent["seed"] < 2**31
    assert sent["seed"] != body(Request(CHAT, IMAGES), Sampling(seed=8), "m", 33)["seed"]
    assert body(Request(CHAT, IMAGES), Sampling(max_new_tokens=5), "m", 33)["max_tokens"] == 5


def reply(finish="stop", logprobs=None, **message):
    return {
        "choices": [{"message": message, "finish_reason": finish, "logprobs": logprobs}],
    }


def test_plain_text():
    said = turn(reply(content="red"))
    assert (said.text, said.ended, said.confidence, said.logprobs) == ("red", "stop", None, None)
    assert turn(reply("length", content="re")).ended == "length"
    assert turn(reply(content=None)).text == ""
    assert turn(reply(content=[{"type": "text", "text": "r"}, {"type": "text", "text": "ed"}])).text


def test_probabilities_become_confidence():
    told = {"content": [{"token": "a", "logprob": math.log(0.5)}, {"logprob": 0.0}]}
    said = turn(reply(content="red", logprobs=told))
    assert said.confidence == pytest.approx(0.75)
    assert said.logprobs == (math.log(0.5), 0.0)


@pytest.mark.parametrize(
    ("logprob", "confidence"), [(2.5, 1.0), (1e300, 1.0), (-1e300, 0.0), (math.nan, None)]
)
def test_odd_probabilities_stay_probabilities(logprob, confidence):
    assert turn(reply(content="red", logprobs={"content": [{"logprob": logprob}]})).confidence == (
        confidence
    )


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_goes_back_into_the_turn(name):
    said = turn(reply(content="\n\nred", **{name: "\nlook\n"}))
    assert said.text == "<think>look</think>\nred"
    stray = turn(reply(content="red", **{name: "a</think> b"}))
    assert parse(stray.text).answer == "red"
    kept = turn(reply(content="<think>look</think>\nred", **{name: "look"}))
    assert kept.text == "<think>look</think>\nred"


def test_calls_go_back_into_the_turn():
    function = {"name": "zoom_in", "arguments": '{"bbox_2d": [1, 2, 3, 4]}'}
    other = {"name": "read_text", "arguments": {"image": 0}}
    calls = [{"id": "a", "function": function}, {"id": "b", "function": other}]
    said = turn(reply("tool_calls", content="", reasoning_content="closer", tool_calls=calls))
    parsed = parse(said.text)
    assert parsed.thought == "closer"
    assert [(call.name, call.arguments) for call in parsed.calls] == [
        ("zoom_in", {"bbox_2d": [1, 2, 3, 4]}),
        ("read_text", {"image": 0}),
    ]


@pytest.mark.parametrize("none", [{"arguments": ""}, {"arguments": None}, {"arguments": {}}, {}])
def test_a_call_without_arguments(none):
    calls = [{"function": {"name": "read_text", **none}}]
    (call,) = parse(turn(reply(content=None, tool_calls=calls)).text).calls
    assert (call.name, call.arguments) == ("read_text", {})


def test_broken_arguments_are_left_to_the_parser():
    calls = [{"function": {"name": "zoom_in", "arguments": '{"bbox_2d": [1,'}}]
    parsed = parse(turn(reply(content=None, tool_calls=calls)).text)
    assert isinstance(parsed.calls[0], Malformed)


@pytest.mark.parametrize(
    "told", [None, [], {}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": None}]}, 3]
)
def test_what_is_no_reply(told):
    with pytest.raises(ModelError, match="has no message"):
        turn(told)
