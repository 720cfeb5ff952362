"""The official client against a real server: answers, streams, steps, and every kind of error."""

from __future__ import annotations

import base64
import json
import threading
import time

import httpx
import openai
import pytest
from server_rig import JSON, QUESTION, SCENE, Slow, about, data_url, three_keys

import pixelis


def test_an_answer_is_the_agents_own(nano):
    direct = nano.agents["nano"].ask(str(SCENE), QUESTION)
    reply = nano.client().chat.completions.create(model="nano", messages=about(QUESTION))
    message = reply.choices[0].message
    assert message.content == direct.answer.text
    told = message.pixelis
    assert told["evidence"] == list(direct.answer.evidence)
    assert [step["call"] for step in told["steps"]] == [
        step["call"] for step in direct.to_dict()["steps"]
    ]
    assert reply.choices[0].finish_reason == "stop"


def test_usage_counts_what_the_model_read_and_wrote(nano):
    rollout = nano.agents["nano"].rollouts([(str(SCENE), QUESTION)])[0]
    reply = nano.client().chat.completions.create(model="nano", messages=about(QUESTION))
    written = sum(len(turn.token_ids) for turn in rollout.turns)
    policy = nano.agents["nano"].policy
    batch = policy.processor.encode([rollout.messages], [rollout.images], tools=[rollout.tools])
    assert reply.usage.completion_tokens == written
    assert reply.usage.total_tokens == int(batch.attention_mask.sum())


def test_a_stream_brings_steps_then_the_answer(nano):
    stream = nano.client().chat.completions.create(
        model="nano",
        messages=about(QUESTION),
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"pixelis": {"pictures": True}},
    )
    chunks = list(stream)
    steps = [
        c.choices[0].delta.pixelis["step"]
        for c in chunks
        if c.choices and "step" in (getattr(c.choices[0].delta, "pixelis", None) or {})
    ]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    whole = nano.client().chat.completions.create(model="nano", messages=about(QUESTION))
    assert text == whole.choices[0].message.content
    assert [step["call"] for step in steps] == [
        step["call"] for step in whole.choices[0].message.pixelis["steps"]
    ]
    assert steps[0]["marks"][0]["outline"].startswith("M")
    assert base64.b64decode(steps[0]["crops"][0]["url"].split(",")[1])
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    last = chunks[-2].choices[0].delta.pixelis
    assert "".join(part["text"] for part in last["parts"]) == text
    assert chunks[-1].usage == whole.usage


def test_tokens_of_streams_are_counted_too(nano):
    def counted() -> float:
        lines = nano.office.metrics.text().decode().splitlines()
        told = [line for line in lines if line.startswith("pixelis_tokens_total")]
        return sum(float(line.split()[-1]) for line in told)

    before = counted()
    whole = nano.client().chat.completions.create(model="nano", messages=about(QUESTION))
    between = counted()
    assert between - before == whole.usage.total_tokens
    list(nano.client().chat.completions.create(model="nano", messages=about(QUESTION), stream=True))
    assert counted() - between == whole.usage.total_tokens


def test_a_fault_in_the_middle_of_a_stream_is_told_as_an_event(serve, caplog):
    served = serve(Slow())
    served.office.recent.add = None  # a programming error
    with pytest.raises(openai.APIError, match="the server failed") as raised:
        list(
            served.client().chat.completions.create(
                model="slow", messages=about("Where?"), stream=True
            )
        )
    assert "NoneType" not in str(raised.value)
    assert "NoneType" in caplog.text
    assert served.office.desk._taken == 0


def test_halves_of_characters_are_refused(serve):
    served = serve(Slow())
    told = []
    for messages in (
        about("Is \ud800 there?"),
        [{"role": "user", "content": "\ud800"}],
        about("Where?", "data:image/png;base64,\udfff"),
    ):
        body = json.dumps({"model": "slow", "messages": messages})
        reply = httpx.post(
            f"{served.base}/v1/chat/completions", content=body, headers=JSON, timeout=60
        )
        assert reply.status_code == 400
        told.append(reply.json()["error"]["message"])
    assert told[0].startswith("messages.0.content.1.text: ")
    assert told[1].startswith("messages.0.content: ")
    assert "half of a character" in told[0]
    assert "half of a character" in told[1]
    assert "base64" in told[2]


def test_steps_arrive_while_the_model_still_works(serve):
    served = serve(Slow(0.5))
    started = time.monotonic()
    seen = []
    for chunk in served.client().chat.completions.create(
        model="slow", messages=about("Where?"), stream=True
    ):
        told = getattr(chunk.choices[0].delta, "pixelis", None) or {}
        if "step" in told:
            seen.append(time.monotonic() - started)
    assert len(seen) == 2
    assert seen[1] - seen[0] > 0.4


def test_several_answers_have_seeds_of_their_own(nano):
    ask = {"model": "nano", "messages": about(QUESTION), "temperature": 1.5}
    client = nano.client().chat.completions
    many = client.create(n=4, seed=5, **ask)
    alone = [client.create(seed=seed, **ask).choices[0].message.content for seed in (5, 6, 7, 8)]
    assert [choice.message.content for choice in many.choices] == alone
    assert [choice.index for choice in many.choices] == [0, 1, 2, 3]


def test_max_tokens_cuts_a_turn(nano):
    reply = nano.client().chat.completions.create(
        model="nano", messages=about(QUESTION), max_tokens=3
    )
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens <= 3


def test_a_later_question_is_about_the_picture_before(nano):
    first = about("What does the sign say?")
    talk = [*first, {"role": "assistant", "content": "Nothing."}]
    talk.append({"role": "user", "content": QUESTION})
    reply = nano.client().chat.completions.create(model="nano", messages=talk)
    alone = nano.client().chat.completions.create(model="nano", messages=about(QUESTION))
    assert reply.choices[0].message.content == alone.choices[0].message.content


def wrong(client: openai.OpenAI, **changes) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**{"model": "slow", "messages": about("Where?"), **changes})
    return caught.value


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"model": "other"}, openai.NotFoundError, "model_not_found"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, openai.BadRequestError, "no_media"),
        ({"messages": about(" ")}, openai.BadRequestError, "no_question"),
        ({"messages": about("a", data_url(b"GIF89a"))}, openai.BadRequestError, "bad_media"),
        ({"messages": about("a", "data:,x")}, openai.BadRequestError, "bad_media"),
        ({"messages": about("a")[:0]}, openai.BadRequestError, "invalid"),
        ({"temperature": 3}, openai.BadRequestError, "invalid"),
        ({"stop": ["."]}, openai.BadRequestError, "invalid"),
    ],
)
def test_errors_are_those_the_client_knows(serve, changes, kind, code, stream):
    error = wrong(serve().client(), stream=stream, **changes)
    assert type(error) is kind
    assert error.code == code
    assert "/etc" not in str(error)
    assert "Traceback" not in str(error)


def test_a_model_that_fails_is_told_without_its_secrets(serve):
    client = serve().client()
    error = wrong(client, messages=about("please fail"))
    assert isinstance(error, openai.InternalServerError)
    assert error.code == "model_failed"
    assert "/etc" not in str(error)
    stream = client.chat.completions.create(
        model="slow", messages=about("please fail"), stream=True
    )
    with pytest.raises(openai.APIError) as caught:
        list(stream)  # its status went out before the model began
    assert caught.value.code == "model_failed"
    assert "/etc" not in str(caught.value)


def test_a_key_is_checked(serve):
    served = serve(keys=three_keys())
    assert isinstance(wrong(served.client("wrong-key")), openai.AuthenticationError)
    assert served.client("ask-key-000001").models.list().data[0].id == "slow"


def test_a_picture_too_large_is_refused_before_decoding(serve):
    served = serve(max_body_mib=0.05, max_megapixels=0.1)
    error = wrong(served.client())
    assert error.status_code == 413
    small = serve(max_megapixels=0.1)
    assert "px" in str(wrong(small.client()))


def test_late_answers_time_out(serve):
    error = wrong(serve(Slow(2.0), timeout_s=0.5).client())
    assert error.status_code == 504
    assert error.code == "timeout"


def test_a_full_queue_is_told_at_once(serve):
    served = serve(Slow(1.0), concurrency=1, queue=1)
    codes, waits = [], []

    def ask() -> None:
        try:
            served.client().chat.completions.create(model="slow", messages=about("Where?"))
            codes.append(200)
        except openai.RateLimitError as error:
            waits.append(int(error.response.headers["retry-after"]))
            codes.append(429)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 200, 429, 429, 429, 429]
    assert min(waits) >= 1


@pytest.mark.parametrize("stream", [False, True])
def test_leaving_ends_the_episode(serve, stream):
    policy = Slow(1.0)
    served = serve(policy)
    body = {"model": "slow", "messages": about("Where?"), "stream": stream}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{served.base}/v1/chat/completions", json=body, timeout=0.5)
    until = time.monotonic() + 5
    while served.office.metrics.cancelled._value.get() < 1 and time.monotonic() < until:
        time.sleep(0.02)
    assert served.office.metrics.cancelled._value.get() == 1
    assert served.office.metrics.running._value.get() == 0
    assert 'status="500"' not in served.office.metrics.text().decode()
    time.sleep(1.5)
    assert len(policy.batches) <= 1  # the second turn was never asked for


def test_questions_of_several_people_share_a_batch(serve):
    policy = Slow(0.4)
    served = serve(policy)

    def ask() -> None:
        served.client().chat.completions.create(model="slow", messages=about("Where?"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(policy.batches) >= 4
    assert f'pixelis_batch_largest{{model="slow"}} {max(policy.batches):.1f}' in (
        served.office.metrics.text().decode()
    )


def test_the_package_reads_what_the_server_keeps(nano):
    reply = nano.client().chat.completions.create(model="nano", messages=about(QUESTION))
    id = reply.choices[0].message.pixelis["episode"]
    kept = httpx.get(f"{nano.base}/v1/episodes/{id}").json()
    episode = pixelis.Episode.from_dict(kept)
    assert episode.answer.text == reply.choices[0].message.content
    page = httpx.get(f"{nano.base}/v1/episodes/{id}/trace", timeout=60)
    assert episode.question in page.text
    assert "sha256-" in page.headers["content-security-policy"]
