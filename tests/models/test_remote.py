"""The remote policy against `transformers serve` in a process of its own."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from pixelis.agent import Agent, Task
from pixelis.errors import ConfigError, ModelError
from pixelis.evals.worlds import read_worlds
from pixelis.models.load import bundled, load_policy
from pixelis.models.policy import PartialError, Profile, Request, Sampling
from pixelis.models.remote import Address, RemotePolicy, _passing, read_address
from pixelis.ops.workspace import PixelBudget

_spec = spec_from_file_location("serving", Path(__file__).with_name("serving.py"))
serving = module_from_spec(_spec)
_spec.loader.exec_module(serving)

NANO = bundled("nano")
ASKED = [
    {"role": "system", "content": "Look, then answer."},
    {
        "role": "user",
        "content": [{"type": "image"}, {"type": "text", "text": "Who is this woman?"}],
    },
]
SEEN = [
    *ASKED,
    {"role": "assistant", "content": "<tool_call>\n{}\n</tool_call>"},
    {"role": "tool", "content": [{"type": "text", "text": "Nothing."}]},
]
RED = (Image.new("RGB", (192, 192), "red"),)
REQUEST = Request(ASKED, RED)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving.transformers_serve(NANO, tmp_path_factory.mktemp("serve") / "log") as base:
        yield base


@pytest.fixture
def gateway(server):
    gateway = serving.Gateway(server)
    yield gateway
    gateway.close()


def policy(base: str, **settings) -> RemotePolicy:
    address = Address(base, str(NANO), **({"retries": 2, "timeout": 120.0} | settings))
    return RemotePolicy(address, Profile("nano", new_tokens=120))


def answer_of(episode):
    """The answer but for its confidence, which this server does not tell."""
    return episode.answer and replace(episode.answer, confidence=None)


def said(step) -> tuple:
    """The call, or the text; this server drops what a model writes behind a call."""
    return (step.call.op, dict(step.call.arguments)) if step.call else (step.text,)


@pytest.mark.slow
def test_the_same_fifty_questions_get_the_same_answers(server):
    benchmark = read_worlds("test", None, 60, ("text_extraction", "attribute_recognition"))
    questions = [benchmark.load(index) for index in range(len(benchmark))]
    tasks = [Task(question.media, question.text) for question in questions]
    with Agent.load("nano") as agent:
        episodes = agent.ask_many(tasks)
    # this server answers 500 to a call that is no JSON
    whole = [k for k, e in enumerate(episodes) if all(s.call or s.answer for s in e.steps)][:50]
    assert len(whole) == 50, "more than one in six of nano's questions has a call that is no JSON"
    with Agent.load(f"openai:{server}?profile=nano#{NANO}") as agent:
        told = [episodes[k] for k in whole], agent.ask_many([tasks[k] for k in whole])
    for here, there in zip(*told, strict=True):
        assert there.ended != "failed", there.meta
        assert [said(step) for step in there.steps] == [said(step) for step in here.steps]
        assert answer_of(there) == answer_of(here)
    assert len({episode.answer.text for episode in told[1] if episode.answer}) > 10


@pytest.mark.slow
def test_a_busy_server_is_asked_again(gateway):
    def fault(body, number):
        if number == 1:
            return 503, {"Retry-After": "0"}, "busy"
        if number == 2:
            raise ConnectionResetError
        return None

    gateway.fault = fault
    turns = policy(gateway.base).generate([REQUEST], Sampling())
    assert turns[0].text
    assert len(gateway.bodies) == 3


@pytest.mark.slow
def test_patience_ends(gateway):
    gateway.fault = lambda body, number: (429, {"Retry-After": "0"}, '{"error": {"message": "no"}}')
    with pytest.raises(PartialError, match=r"refused with 429: no; .*lower concurrency"):
        policy(gateway.base).generate([REQUEST], Sampling())
    assert len(gateway.bodies) == 3


@pytest.mark.slow
def test_a_late_reply_is_not_asked_for_twice(gateway):
    gateway.fault = lambda body, number: time.sleep(1.5)
    with pytest.raises(PartialError, match=r"did not answer within 0\.5 s"):
        policy(gateway.base, timeout=0.5).generate([REQUEST], Sampling())
    assert len(gateway.bodies) == 1


@pytest.mark.slow
def test_no_more_requests_at_once_than_allowed(gateway):
    gateway.fault = lambda body, number: time.sleep(0.1)
    turns = policy(gateway.base, concurrency=3).generate([REQUEST] * 9, Sampling())
    assert len(turns) == 9
    assert 1 < gateway.most <= 3


@pytest.mark.slow
def test_a_server_that_refuses_the_tool_role_gets_users(gateway):
    def fault(body, number):
        if any(message["role"] == "tool" for message in body["messages"]):
            return 400, {}, '{"error": {"message": "unexpected role tool"}}'
        return None

    gateway.fault = fault
    asked = policy(gateway.base, tool_role="tool")
    request = Request(SEEN, RED)
    assert asked.generate([request], Sampling())[0].text
    before = len(gateway.bodies)
    asked.generate([request], Sampling())
    assert len(gateway.bodies) == before + 1
    assert "tool" not in {message["role"] for message in gateway.bodies[-1]["messages"]}


@pytest.mark.slow
def test_a_server_that_knows_no_logprobs_is_asked_without(gateway):
    def fault(body, number):
        return (422, {}, '{"detail": "logprobs"}') if "logprobs" in body else None

    gateway.fault = fault
    asked = policy(gateway.base)
    asked.generate([REQUEST], Sampling())
    asked.generate([REQUEST], Sampling())
    assert ["logprobs" in body for body in gateway.bodies] == [True, False, False]


@pytest.mark.slow
def test_one_request_that_fails_does_not_take_the_others_along(gateway):
    def fault(body, number):
        text = str(body["messages"])
        return (400, {}, '{"message": "too long\\nfor me"}') if "bad" in text else None

    gateway.fault = fault
    asked = policy(gateway.base)
    asked.profile = replace(asked.profile, budget=load_policy("nano").profile.budget)
    with Agent(asked) as agent:
        tasks = [
            Task(RED[0], question) for question in ("Who is this man?", "bad?", "What is her name?")
        ]
        good, bad, last = agent.ask_many(tasks)
    assert bad.ended == "failed"
    assert bad.meta["error"].endswith("refused with 400: too long for me")
    assert good.ended != "failed"
    assert last.ended != "failed"


@pytest.mark.slow
def test_an_episode_goes_on_while_another_waits_for_the_server(gateway):
    held = threading.Event()
    gateway.fault = lambda body, number: (
        held.wait(60) and None if "slow?" in str(body["messages"]) else None
    )
    asked = policy(gateway.base)
    asked.profile = replace(asked.profile, budget=load_policy("nano").profile.budget)
    ended = []

    def done(index, episode):
        ended.append(index)
        if len(ended) == 2:
            held.set()

    with Agent(asked) as agent:
        questions = ("slow?", "Who is this man?", "What is her name?")
        agent.ask_many([Task(RED[0], question) for question in questions], done)
    assert ended[-1] == 0


@pytest.mark.slow
def test_the_context_of_the_server_limits_the_images(gateway):
    listed = {
        "data": [{"id": "m", "max_model_len": 4000}, {"id": "n"}, {"id": "o", "max_model_len": "x"}]
    }
    gateway.fault = lambda body, number: None if body else (200, {}, json.dumps(listed))
    limits = [RemotePolicy.load(Address(gateway.base, name)).profile.image_tokens for name in "mno"]
    assert limits == [3000, None, None]
    own = Profile("mine", image_tokens=7)
    assert RemotePolicy.load(Address(gateway.base, "m"), own).profile.image_tokens == 7


@pytest.fixture
def alone():
    """A gateway with nothing behind it: its faults are all it says."""
    gateway = serving.Gateway("http://127.0.0.1:1")
    yield gateway
    gateway.close()


def test_a_gateway_that_gave_up_waiting_is_not_asked_again(alone):
    alone.fault = lambda body, number: (504, {}, "upstream timed out")
    with pytest.raises(PartialError, match=r"refused with 504: .*longer than its gateway waits"):
        policy(alone.base).generate([REQUEST], Sampling())
    assert len(alone.bodies) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ((404, {}, "no such path"), "lists no model; end the URL in /v1, or name one"),
        ((200, {}, '{"data": [{"id": "a"}, {"id": "b"}]}'), "serves a, b; name one"),
    ],
)
def test_a_server_that_does_not_say_which_model(alone, reply, reason):
    alone.fault = lambda body, number: reply
    with pytest.raises(ModelError, match=reason):
        RemotePolicy.load(Address(alone.base))


def test_https_where_http_is_spoken(alone):
    place = alone.base.replace("http://", "https://")
    with pytest.raises(ModelError, match="does it speak https"):
        RemotePolicy.load(Address(place, "m", retries=0))


@pytest.mark.parametrize(("paid", "sent"), [(False, 3), (True, 1)])
def test_a_broken_line_is_asked_again_only_where_nobody_pays(alone, paid, sent):
    def fault(body, number):
        raise ConnectionResetError

    alone.fault = fault
    asked = policy(alone.base)
    asked._secure = paid  # as of an https address; the test's gateway has no certificate
    with pytest.raises(PartialError, match="broke off before its reply was there"):
        asked.generate([REQUEST], Sampling())
    assert len(alone.bodies) == sent


@pytest.mark.parametrize(("scheme", "paid"), [("http", False), ("https", True)])
def test_https_may_be_paid_by_the_request(scheme, paid):
    assert RemotePolicy(Address(f"{scheme}://h.test/v1"), Profile("m"))._secure is paid


@pytest.mark.parametrize("secure", [False, True])
def test_a_request_that_never_arrived_is_sent_again(secure):
    for fault in (httpx2.ConnectError("x"), httpx2.ConnectTimeout("x"), httpx2.WriteError("x")):
        assert _passing(fault, secure)
    assert not _passing(httpx2.ReadTimeout("x"), secure)


@pytest.mark.parametrize(
    ("name", "dialect", "side"),
    [
        ("Qwen/Qwen3-VL-8B-Instruct", "qwen3-vl", 32),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "qwen2.5-vl", 28),
        ("Mini-o3-7B-v1", "mini-o3", 28),
    ],
)
def test_a_served_stock_model_is_given_large_images(name, dialect, side):
    gateway = serving.Gateway("http://127.0.0.1:1")
    gateway.fault = lambda body, number: (200, {}, json.dumps({"data": [{"id": name}]}))
    try:
        profile = load_policy(f"openai:{gateway.base}#{name}").profile
        smaller = load_policy(f"openai:{gateway.base}#{name}", max_pixels=500_000).profile
    finally:
        gateway.close()
    assert (profile.dialect, profile.budget) == (dialect, PixelBudget(401_408, 4_014_080, side))
    assert smaller.budget == PixelBudget(401_408, 500_000, side)


@pytest.mark.slow
def test_the_key_is_sent_and_a_refused_one_is_said(gateway, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret-1")
    asked = RemotePolicy.load(Address(gateway.base, str(NANO)), Profile("nano", new_tokens=4))
    asked.generate([REQUEST], Sampling())
    assert gateway.headers[-1]["Authorization"] == "Bearer secret-1"
    gateway.fault = lambda body, number: (401, {}, '{"error": "bad key"}')
    with pytest.raises(ModelError, match="refused with 401: bad key; set OPENAI_API_KEY") as found:
        asked.generate([REQUEST], Sampling())
    assert "secret" not in str(found.value)
    with pytest.raises(ModelError, match="refused with 401"):
        RemotePolicy.load(Address(gateway.base, "m"))


@pytest.mark.slow
@pytest.mark.parametrize("text", ["<html>hello</html>", "[]", '{"choices": []}'])
def test_what_is_no_reply_is_one_line(gateway, text):
    gateway.fault = lambda body, number: (200, {}, text)
    with pytest.raises(PartialError) as found:
        policy(gateway.base).generate([REQUEST], Sampling())
    assert len(str(found.value).splitlines()) == 1


def test_a_server_that_is_not_there():
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:1/v1 cannot be reached .*is it running"):
        load_policy("openai:http://user:secret@127.0.0.1:1/v1#m")


def test_the_settings_of_an_address():
    text = "http://h.test:8/v1/?timeout=2&retries=0&concurrency=3&tool_role=tool&profile=nano#a/b"
    assert read_address(text) == Address("http://h.test:8/v1", "a/b", 2.0, 0, 3, "tool", "nano")
    assert read_address("https://h.test/v1") == Address("https://h.test/v1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("h.test/v1#m", "names no server"),
        ("ftp://h.test/v1#m", "names no server"),
        ("", "names no server"),
        ("http://[::1/v1#m", "names no server"),
        ("http://h.test:99999/v1#m", "names no server"),
        ("http://h.test/v1?timeot=3#m", "did you mean timeout"),
        ("http://h.test/v1?retries=x#m", "retries = 'x' is no int"),
        ("http://h.test/v1?timeout=0#m", "more than 0"),
        ("http://h.test/v1?timeout=nan#m", "more than 0"),
        ("http://h.test/v1?concurrency=0#m", "more than 0"),
        ("http://h.test/v1?tool_role=x#m", "give user or tool"),
    ],
)
def test_a_wrong_address(text, reason):
    with pytest.raises(ConfigError, match=reason):
        read_address(text)


def test_a_wrong_profile():
    with pytest.raises(ConfigError, match=r"has no pixelis\.json"):
        load_policy("openai:http://127.0.0.1:1/v1?profile=nowhere#m")
