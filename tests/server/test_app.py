"""The OpenAPI document holds: whatever is sent, no 500, and every reply as it is described."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from server_rig import TOKENS, Slow, about, three_keys

from pixelis.server.archive import Archive
from pixelis.server.runs import Runs

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
HEADERS = {"Authorization": f"Bearer {TOKENS['admin']}"}


@pytest.fixture
def api(serve, tmp_path, evaluated):
    archive = Archive(tmp_path / "store")
    served = serve(Slow(), keys=three_keys(), archive=archive, runs=Runs(evaluated), rate=0)
    body = {"model": "slow", "messages": about("Where?")}
    asked = httpx.post(f"{served.base}/v1/chat/completions", json=body, headers=HEADERS, timeout=60)
    episode = asked.json()["choices"][0]["message"]["pixelis"]["episode"]
    kept = {"episode": episode, "right": True}
    assert httpx.post(f"{served.base}/v1/feedback", json=kept, headers=HEADERS).status_code == 201
    yield schemathesis.openapi.from_url(f"{served.base}/openapi.json", headers=HEADERS)
    archive.close()


@pytest.mark.slow
def test_nothing_breaks_it(api):
    tried = set()
    for found in api.get_all_operations():
        operation = found.ok()

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def holds(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=HEADERS, checks=CHECKS)

        holds()
        tried.add(operation.label)
    assert {"POST /v1/chat/completions", "POST /v1/feedback", "GET /v1/memory"} <= tried
    assert {"GET /v1/evals", "GET /v1/evals/{name}", "GET /v1/evals/{name}/trace"} <= tried


def test_the_default_model_comes_first(serve):
    class Other(Slow):
        def __init__(self) -> None:
            super().__init__()
            self.name = "other"

    served = serve(Slow(), Other())
    assert [model.id for model in served.client().models.list()] == ["slow", "other"]
    assert served.client().models.retrieve("other").id == "other"


def test_ready_says_when_it_stops(serve):
    served = serve()
    assert httpx.get(f"{served.base}/ready").status_code == 200
    served.office.desk.stop()
    assert httpx.get(f"{served.base}/ready").status_code == 503
    body = {"model": "slow", "messages": about("Where?")}
    reply = httpx.post(f"{served.base}/v1/chat/completions", json=body, timeout=30)
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "stopping")
    assert httpx.get(f"{served.base}/health").status_code == 200


PART = {"type": "image_url", "image_url": 5}


@pytest.mark.parametrize(
    ("path", "sent", "status", "told"),
    [
        ("v1/chat/completions", {"content": b""}, 400, "the body is empty; send a JSON object"),
        ("v1/chat/completions", {"content": b"{}"}, 400, "Content-Type: application/json"),
        ("v1/chat/completions", {"json": {}}, 400, "model is missing"),
        ("v1/feedback/", {"json": {}}, 404, "start it with --store DIR"),
        ("v1/chat/completions", {"json": []}, 400, "body must be an object"),
        ("v1/chat/completions", {"json": {"model": "m", "messages": 1}}, 400, "be a list: [...]"),
        (
            "v1/chat/completions",
            {"json": {"model": "m", "messages": [{"role": "user", "content": [PART]}]}},
            400,
            "messages.0.content.0.image_url must be an object",
        ),
        (
            "v1/chat/completions",
            {"json": {"model": "m", "messages": [{"role": "me"}]}},
            400,
            "messages.0.role must be one of 'system', 'developer'",
        ),
        (
            "v1/chat/completions",
            {"json": {"model": "m", "messages": about("?"), "n": 9}},
            400,
            "n must be at most 8",
        ),
        ("chat/completions", {"json": {}}, 404, "did you mean /v1/chat/completions?"),
        ("v1/feedback", {"json": {}}, 404, "start it with --store DIR"),
        ("v1/nothing", {"json": {}}, 404, "/docs lists them"),
        ("v1/models", {"json": {}}, 405, "does not take this method"),
    ],
)
def test_mistakes_are_told_in_words(serve, path, sent, status, told):
    served = serve()
    headers = {} if "json" in sent else {"Content-Type": "text/plain"}
    reply = httpx.post(f"{served.base}/{path}", headers=headers, **sent)
    assert reply.status_code == status
    assert told in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("v1/feedback/", "leave out the slash"),
        ("v1/versions/1", "/docs lists them"),
        ("feedback", "did you mean /v1/feedback?"),
    ],
)
def test_a_server_with_a_memory_does_not_say_that_it_keeps_none(serve, tmp_path, path, told):
    archive = Archive(tmp_path / "store")
    served = serve(archive=archive)
    reply = httpx.post(f"{served.base}/{path}", json={})
    archive.close()
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
    assert told in reply.json()["error"]["message"]


def test_the_address_of_a_picture_alone_is_taken(serve):
    served = serve()
    [message] = about("Where?")
    message["content"][0]["image_url"] = message["content"][0]["image_url"]["url"]
    body = {"model": "slow", "messages": [message]}
    reply = httpx.post(f"{served.base}/v1/chat/completions", json=body, timeout=60)
    assert reply.json()["choices"][0]["message"]["content"] == "It is there."


@pytest.mark.parametrize(
    ("key", "status", "told"),
    [("ask", 413, "larger than 0.5 MiB"), ("unknown", 401, "the API key is not known")],
)
def test_who_is_refused_while_still_sending_reads_why(serve, key, status, told):
    served = serve(keys=three_keys(), max_body_mib=0.5)
    headers = {"Authorization": f"Bearer {TOKENS.get(key, key)}"}
    address = f"{served.base}/v1/chat/completions"
    request = urllib.request.Request(address, b"x" * 20_000_000, headers)
    with pytest.raises(urllib.error.HTTPError) as refused:  # and no reset of the connection
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == status
    assert told in json.load(refused.value)["error"]["message"]
    assert (served.door.held, served.door.spilling) == (0, 0)


def test_the_page_of_the_api_names_every_path(serve):
    served = serve()
    page = httpx.get(f"{served.base}/docs").text
    for path in httpx.get(f"{served.base}/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in page
    assert "//" not in page.replace("https://", "").replace("http://", "")
