"""Evaluations through the server: what was measured, for those who may see it, nothing else."""

from __future__ import annotations

import json

import httpx
import pytest
from server_rig import TOKENS, three_keys

from pixelis.server.runs import Runs


def headers(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[role]}"}


@pytest.fixture
def served(serve, evaluated):
    return serve(keys=three_keys(), runs=Runs(evaluated), rate=0)


def get(served, path: str, role: str = "review", **params) -> httpx.Response:
    return httpx.get(f"{served.base}{path}", headers=headers(role), params=params, timeout=30)


def test_the_figures_are_those_that_were_written(served, evaluated):
    wrote = json.loads((evaluated / "small" / "summary.json").read_text())
    [card] = get(served, "/v1/evals").json()["data"]
    assert card["name"] == "small"
    for name in ("accuracy", "ci95", "n", "model", "benchmark", "control", "frozen"):
        assert card[name] == wrote[name]
    run = get(served, "/v1/evals/small").json()
    for name in ("by_family", "by_difficulty", "by_op", "notes", "score", "command"):
        assert run[name] == wrote[name]
    assert run["failed"] == round(wrote["n"] * (1 - wrote["accuracy"])) == len(run["failures"])
    one = get(served, "/v1/evals/small", limit=1).json()
    assert one["failures"] == run["failures"][:1]
    assert one["failed"] == run["failed"]


def test_report_and_trace_run_only_what_is_ours(served):
    page = get(served, "/v1/evals/small/report")
    assert "Worst failures" in page.text
    assert "script-src" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    failures = get(served, "/v1/evals/small").json()["failures"]
    kept = next(one for one in failures if one["trace"])
    which = {"question": kept["id"], "seed": kept["seed"]}
    trace = get(served, "/v1/evals/small/trace", **which)
    assert kept["question"] in trace.text
    assert trace.headers["content-type"].startswith("text/html")
    missing = get(served, "/v1/evals/small/trace", question="another")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "no_trace")


@pytest.mark.parametrize("path", ["", "/small", "/small/report", "/small/trace?question=x"])
def test_only_reviewers_see_them(served, path):
    address = f"{served.base}/v1/evals{path}"
    assert httpx.get(address).status_code == 401
    assert httpx.get(address, headers=headers("ask")).status_code == 403
    assert httpx.get(address, headers=headers("admin")).status_code in (200, 404)


@pytest.mark.parametrize(
    "name", ["..", "../small", "..%2fsmall", "%2e%2e%2fevaluated", "small%2f..%2f..", "/etc",
             "small%00", ":small", "..:..:etc", "%2fetc%2fpasswd", "small%5c.."],
)  # fmt: skip
@pytest.mark.parametrize("rest", ["", "/report", "/trace?question=..%2f..%2fsummary"])
def test_no_name_leads_out_of_the_folder(served, evaluated, name, rest):
    (evaluated.parent / "summary.json").write_text("{}")
    with httpx.Client(base_url=served.base, headers=headers("admin")) as client:
        request = client.build_request("GET", "/v1/evals")
        raw = f"/v1/evals/{name}{rest}".encode()
        request.url = request.url.copy_with(raw_path=raw)
        reply = client.send(request)
    assert reply.status_code in (400, 404), reply.text
    assert "passwd" not in reply.text.replace("'/etc/passwd'", "")


def test_without_a_folder_there_is_no_such_path(serve):
    assert httpx.get(f"{serve().base}/v1/evals").status_code == 404


def test_a_damaged_run_is_told_and_not_shown(serve, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "summary.json").write_text("{")
    served = serve(runs=Runs(tmp_path))
    assert httpx.get(f"{served.base}/v1/evals").json()["unreadable"] == ["bad"]
    reply = httpx.get(f"{served.base}/v1/evals/bad")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "run_unreadable")
    assert str(tmp_path) not in reply.text
