"""Versions through the server: listed, promoted, rolled back, and really worn by the model."""

from __future__ import annotations

import time

import httpx
import pytest
import torch
from peft import LoraConfig
from server_rig import QUESTION, TOKENS, about, running, three_keys

from pixelis.agent import Agent
from pixelis.memory import Memory
from pixelis.models.adapter import renamed_attributes
from pixelis.models.load import load_policy
from pixelis.online.settings import EvolveConfig
from pixelis.online.versions import WEIGHTS, Versions
from pixelis.online.wear import Wearer
from pixelis.server.archive import Archive
from pixelis.server.keeper import LOOK_S, Keeper
from pixelis.server.settings import Settings


def headers(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[role]}"}


def loud_adapters(folder) -> None:
    """Adapters that change every answer: large random weights on the attention."""
    torch.manual_seed(0)
    wearer = Wearer(load_policy("nano"))
    wearer.begin(LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    for name, value in wearer.wrapped.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(value, std=0.5)
    with renamed_attributes():
        wearer.wrapped.save_pretrained(folder)


@pytest.fixture
def learned(tmp_path):
    """nano behind a server whose store has one version, a candidate."""
    store = tmp_path / "store"
    agent = Agent.load("nano")
    with Memory(store) as memory:
        made = Versions(memory).add(loud_adapters, 0, [], {"updates": [{"kl": 0.01}]})
    (store / "inbox").mkdir()
    (store / "inbox" / "left").write_bytes(b"the picture of a server that was killed")
    keeper = Keeper(agent, store, EvolveConfig(model="nano"))
    assert not (store / "inbox").exists()
    archive = Archive(store)
    parts = {"archive": archive, "keeper": keeper}
    with running({"nano": agent}, Settings(port=0, rate=0), three_keys(), **parts) as served:
        yield served, made, keeper
    archive.close()


def ask(served) -> dict:
    body = {"model": "nano", "messages": about(QUESTION)}
    reply = httpx.post(
        f"{served.base}/v1/chat/completions", json=body, headers=headers("ask"), timeout=120
    )
    return reply.json()["choices"][0]["message"]["pixelis"]["steps"]


def until(keeper: Keeper, number: int) -> None:
    late = time.monotonic() + 60
    while keeper.version != number and time.monotonic() < late:
        time.sleep(0.1)
    assert keeper.version == number


@pytest.mark.slow
def test_promotion_changes_the_answers_and_rollback_restores_them(learned):
    served, made, keeper = learned
    before = ask(served)
    path = f"{served.base}/v1/versions"
    assert httpx.get(path, headers=headers("ask")).status_code == 403
    assert httpx.post(f"{path}/1/promote", json={}, headers=headers("review")).status_code == 403
    assert httpx.post(f"{path}/7/promote", json={}, headers=headers("admin")).status_code == 404
    told = httpx.post(f"{path}/1/promote", headers=headers("admin")).json()
    assert told["promoted"] == made.number
    assert told["data"][0]["figures"]["updates"] == [{"kl": 0.01}]
    until(keeper, 1)
    assert ask(served) != before
    assert version_kept(served) == 1
    reason = {"reason": "it answers nonsense"}
    told = httpx.post(f"{path}/1/rollback", json=reason, headers=headers("admin")).json()
    assert (told["promoted"], told["data"][0]["state"]) == (0, "rolled-back")
    until(keeper, 0)
    assert ask(served) == before
    assert version_kept(served) == 0


def version_kept(served) -> int:
    """The version of the last answer, as the memory has it once somebody says it is right."""
    with httpx.Client(base_url=served.base, headers=headers("review"), timeout=60) as client:
        episode = client.get("/v1/episodes?limit=1").json()["data"][0]["id"]
        told = client.post("/v1/feedback", json={"episode": episode, "right": True})
        return client.get(f"/v1/memory/{told.json()['experience']}").json()["version"]


@pytest.mark.slow
def test_damaged_adapters_are_told_of_once_and_stop_nobody(learned, caplog):
    served, made, keeper = learned
    before = ask(served)
    versions = keeper.service.versions

    def promote_and_spoil() -> None:
        versions.promote(made.number, "for the test")
        (versions.path(made.number) / WEIGHTS).write_bytes(b"no weights")

    keeper._thread.submit(promote_and_spoil).result()
    time.sleep(3 * LOOK_S)
    told = [one for one in caplog.records if "promote another" in one.message]
    assert len(told) == 1
    assert keeper.version == 0
    assert ask(served) == before
    with httpx.Client(base_url=served.base, headers=headers("admin"), timeout=60) as client:
        again = client.post("/v1/versions/1/promote", json={})
        assert (again.status_code, again.json()["error"]["code"]) == (400, "version_unusable")
        client.post("/v1/versions/1/rollback", json={"reason": "damaged"})
    late = time.monotonic() + 30
    while keeper._refused is not None and time.monotonic() < late:
        time.sleep(0.1)
    assert keeper._refused is None


@pytest.mark.slow
def test_what_is_asked_is_voted_on_decided_and_kept(tmp_path):
    store = tmp_path / "store"
    agent = Agent.load("nano")
    config = EvolveConfig(model="nano", learn=True, votes=3, cold=0)
    keeper, archive = Keeper(agent, store, config), None
    try:
        archive = Archive(store)
        parts = {"archive": archive, "keeper": keeper}
        with running({"nano": agent}, Settings(port=0), three_keys(), **parts) as served:
            ask(served)
            late = time.monotonic() + 90
            found: dict = {"data": []}
            while not found["data"] and time.monotonic() < late:
                time.sleep(0.2)
                found = httpx.get(
                    f"{served.base}/v1/decisions", headers=headers("review"), timeout=30
                ).json()
            [decision] = found["data"]
            assert decision["experience"]["question"] == QUESTION
            assert decision["experience"]["user"] == "ask"
            assert decision["action"] in ("learn", "review", "store_only")
            assert decision["reason"]
            one = decision["experience"]["id"]
            whole = httpx.get(f"{served.base}/v1/memory/{one}", headers=headers("review")).json()
            assert len(whole["votes"]) >= 2
            said = {"episode": one, "right": False, "answer": "three"}
            with httpx.Client(base_url=served.base, headers=headers("review"), timeout=60) as c:
                assert c.post("/v1/feedback", json=said).json()["experience"] == one
                [kept] = c.get("/v1/memory").json()["data"]
                assert (kept["id"], kept["status"]) == (one, "corrected")
                assert len(c.get(f"/v1/memory/{one}").json()["votes"]) >= 2
            [ticket] = keeper.service.memory.base.rows("SELECT experience, source FROM queue")
            assert ticket == (one, "corrected")
    finally:
        if archive is not None:
            archive.close()
