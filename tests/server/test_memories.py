"""Feedback becomes experience: confirmed, corrected by drawing, reviewed, found, erased."""

from __future__ import annotations

import httpx
import pytest
from server_rig import JSON, QUESTION, SCENE, TOKENS, about, three_keys

from pixelis.agent import replay
from pixelis.episode import Episode
from pixelis.media import open_media
from pixelis.memory import Memory
from pixelis.memory.audit import Audit
from pixelis.memory.verify import verify
from pixelis.server.archive import MOST_WORDS, Archive


@pytest.fixture
def remembering(serve, tmp_path):
    archive = Archive(tmp_path / "store")
    served = serve(keys=three_keys(), archive=archive)
    yield served, tmp_path / "store", archive
    archive.close()


def http(served, role: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {TOKENS[role]}"}
    return httpx.Client(base_url=served.base, headers=headers, timeout=60)


def ask(client: httpx.Client, question: str = QUESTION) -> str:
    reply = client.post("/v1/chat/completions", json={"model": "slow", "messages": about(question)})
    return reply.json()["choices"][0]["message"]["pixelis"]["episode"]


def test_a_reviewers_yes_is_confirmed_at_once(remembering):
    served, store, _ = remembering
    with http(served, "review") as client:
        episode = ask(client)
        told = client.post("/v1/feedback", json={"episode": episode, "right": True})
        assert told.status_code == 201
        assert told.json()["status"] == "confirmed"
        assert client.get("/v1/reviews").json()["data"] == []
        whole = client.get(f"/v1/memory/{episode}").json()
        assert whole["question"] == QUESTION
        kept = client.get(f"/v1/memory/{episode}/picture")
    with open_media(SCENE) as source, open_media(kept.content) as media:
        assert media.image.tobytes() == source.image.tobytes()
    with Memory(store, must_exist=True) as memory:  # another reader sees it on the disk
        assert memory.get(episode).status == "confirmed"
        audit = Audit(memory.folder, memory.base, memory.clock)
        assert [entry.event for entry in audit.entries()] == ["review"]
        assert not audit.verify().damage


def test_drawing_makes_an_episode_that_replays(remembering):
    served, store, _ = remembering
    box = [566, 509, 672, 595]
    with http(served, "review") as client:
        episode = ask(client)
        body = {"episode": episode, "right": False, "answer": "3", "box": box}
        assert client.post("/v1/feedback", json=body).json()["status"] == "corrected"
        assert client.get(f"/v1/memory/{episode}").json()["correction"] == "3"
    with Memory(store, must_exist=True) as memory:
        stored = memory.get(episode)
    better = Episode.from_dict(stored.provenance["corrected"])
    assert better.answer.text == "3"
    seen = better.steps[0].observation
    assert all(abs(a - b) <= 1 for a, b in zip(seen.box, box, strict=True))
    with open_media(SCENE) as media:
        assert replay(better, media).same


def test_the_newest_word_and_box_stand_and_those_before_are_history(remembering):
    served, store, _ = remembering
    boxes = [[100, 100, 200, 200], [566, 509, 672, 595]]
    with http(served, "review") as client:
        episode = ask(client)
        for answer, box in zip(("2", "3"), boxes, strict=True):
            body = {"episode": episode, "right": False, "answer": answer, "box": box}
            assert client.post("/v1/feedback", json=body).status_code == 201
        whole = client.get(f"/v1/memory/{episode}").json()
        assert (whole["status"], whole["correction"]) == ("corrected", "3")
        told = whole["provenance"]
        assert (told["feedback"]["answer"], told["feedback"]["box"]) == ("3", boxes[1])
        [older] = told["feedback_before"]
        assert (older["answer"], older["box"]) == ("2", boxes[0])
        better = Episode.from_dict(told["corrected"])
        assert better.answer.text == "3"
        seen = better.steps[0].observation
        assert all(abs(a - b) <= 1 for a, b in zip(seen.box, boxes[1], strict=True))
        with open_media(SCENE) as media:
            assert replay(better, media).same
        client.post("/v1/feedback", json={"episode": episode, "right": True})
        whole = client.get(f"/v1/memory/{episode}").json()
        assert (whole["status"], whole["correction"]) == ("confirmed", "")
        assert "corrected" not in whole["provenance"], "the drawn one is history"
        history = [one["box"] for one in whole["provenance"]["feedback_before"]]
        assert history == boxes
        for _ in range(MOST_WORDS + 3):
            client.post("/v1/feedback", json={"episode": episode, "right": False})
        told = client.get(f"/v1/memory/{episode}").json()["provenance"]
        assert len(told["feedback_before"]) == MOST_WORDS
    with Memory(store, must_exist=True) as memory:
        assert verify(memory).ok


def test_a_box_after_a_typed_answer_keeps_that_answer(remembering):
    served, _, _ = remembering
    box = [566, 509, 672, 595]
    with http(served, "review") as client:
        episode = ask(client)
        client.post("/v1/feedback", json={"episode": episode, "right": False, "answer": "Tom"})
        drawn = client.post("/v1/feedback", json={"episode": episode, "right": False, "box": box})
        assert drawn.json()["status"] == "corrected"
        whole = client.get(f"/v1/memory/{episode}").json()
        assert whole["correction"] == "tom"
        better = Episode.from_dict(whole["provenance"]["corrected"])
        assert (better.answer.text, len(better.steps)) == ("Tom", 2)
        client.post("/v1/feedback", json={"episode": episode, "right": False})
        bare = client.post("/v1/feedback", json={"episode": episode, "right": False, "box": box})
        assert bare.status_code == 400  # the answer shown was said to be wrong
        assert "send the right answer along" in bare.json()["error"]["message"]
        client.post("/v1/feedback", json={"episode": episode, "right": True})
        client.post("/v1/feedback", json={"episode": episode, "right": False, "box": box})
        assert client.get(f"/v1/memory/{episode}").json()["correction"] == "it is there"


def test_a_reviewers_box_does_not_confirm_what_somebody_else_typed(remembering):
    served, _, _ = remembering
    box = [566, 509, 672, 595]
    with http(served, "ask") as asker, http(served, "review") as reviewer:
        episode = ask(asker)
        typed = asker.post("/v1/feedback", json={"episode": episode, "answer": "evil"}).json()
        assert (typed["status"], typed["answer"]) == ("stored", "evil")
        drawn = {"episode": episode, "box": box}
        assert reviewer.post("/v1/feedback", json=drawn).status_code == 400
        asker_drawn = asker.post("/v1/feedback", json=drawn).json()
        assert (asker_drawn["status"], asker_drawn["answer"]) == ("stored", "evil")
        told = reviewer.post("/v1/feedback", json={**drawn, "answer": "3"}).json()
        assert (told["status"], told["answer"]) == ("corrected", "3")


def test_the_id_of_the_reply_and_an_answer_alone_will_do(remembering):
    served, _, _ = remembering
    with http(served, "review") as client:
        episode = ask(client)
        said = {"episode": f"chatcmpl-{episode}", "answer": "3"}
        told = client.post("/v1/feedback", json=said).json()
        assert (told["experience"], told["status"]) == (episode, "corrected")
        nothing = client.post("/v1/feedback", json={"episode": episode})
        assert "send right: true, right: false" in nothing.json()["error"]["message"]
        gone = client.post("/v1/feedback", json={"episode": "0" * 16, "right": True})
        assert (gone.status_code, gone.json()["error"]["param"]) == (404, "episode")
        turned = {"episode": episode, "answer": "3", "box": [600, 500, 500, 600]}
        assert "x1 < x2" in client.post("/v1/feedback", json=turned).json()["error"]["message"]


def test_wrong_is_enough_to_say(remembering):
    served, _, archive = remembering
    with http(served, "ask") as asker, http(served, "review") as reviewer:
        first, second = ask(asker), ask(asker)
        body = {"episode": first, "right": False}
        assert asker.post("/v1/feedback", json=body).json()["status"] == "stored"
        [waiting] = reviewer.get("/v1/reviews").json()["data"]
        assert "wrong" in waiting["reason"]
        told = reviewer.post("/v1/feedback", json={"episode": second, "right": False})
        assert told.json()["status"] == "rejected"
    [ticket] = archive.reviews.queue.lease("test", 9)
    assert (ticket.experience, ticket.source, ticket.weight < 0) == (second, "rejected", True)


def test_versions_that_had_learned_from_it_are_named_and_written_down(remembering):
    served, _, archive = remembering
    with http(served, "review") as client:
        episode = ask(client)
        said = {"episode": episode, "right": True}
        assert client.post("/v1/feedback", json=said).json()["versions"] == []

        def learned() -> None:
            with archive.memory.writing() as base:
                for number in (1, 2):
                    base.execute(
                        "INSERT INTO versions VALUES (?, ?, 'retired', '', 0, '', '{}')",
                        (number, number - 1),
                    )
                base.execute("INSERT INTO lineage VALUES (1, ?)", (episode,))

        archive._thread.submit(learned).result()
        body = {"episode": episode, "right": False, "answer": "3"}
        assert client.post("/v1/feedback", json=body).json()["versions"] == [1, 2]
        whole = client.get(f"/v1/memory/{episode}").json()
        assert whole["versions"] == [1, 2]
        assert whole["provenance"]["feedback"]["versions"] == [1, 2]
        assert whole["provenance"]["feedback_before"][0]["versions"] == []
    log = archive.reviews.audit.entries()
    assert [entry.facts["versions"] for entry in log] == [[], [1, 2]]


def test_an_askers_word_waits_for_a_reviewer(remembering):
    served, _, _ = remembering
    with http(served, "ask") as asker, http(served, "review") as reviewer:
        episode = ask(asker)
        body = {"episode": episode, "right": False, "answer": "three"}
        told = asker.post("/v1/feedback", json=body).json()
        assert told["status"] == "stored"
        assert asker.get("/v1/reviews").status_code == 403
        waiting = reviewer.get("/v1/reviews").json()["data"]
        assert [one["experience"]["id"] for one in waiting] == [episode]
        wrong = {"verdict": "correct", "correction": ""}
        assert reviewer.post(f"/v1/reviews/{told['review']}", json=wrong).status_code == 400
        right = {"verdict": "correct", "correction": "three"}
        done = reviewer.post(f"/v1/reviews/{told['review']}", json=right).json()
        assert done["experience"]["status"] == "corrected"
        assert done["reviewer"] == "review"
        assert reviewer.post("/v1/reviews/999", json=right).status_code == 404


def test_reviewers_read_what_the_asker_says(remembering):
    served, _, _ = remembering
    with http(served, "ask") as asker, http(served, "review") as reviewer:
        body = {"episode": ask(asker), "right": False, "answer": "three hearts"}
        asker.post("/v1/feedback", json=body)
        [waiting] = reviewer.get("/v1/reviews").json()["data"]
        assert "three hearts" in waiting["reason"]
        better = {**body, "answer": "four hearts", "box": [566, 509, 672, 595]}
        asker.post("/v1/feedback", json=better)
        [waiting] = reviewer.get("/v1/reviews").json()["data"]
        assert "four hearts" in waiting["reason"]
        assert "566, 509, 672, 595" in waiting["reason"]


def test_what_others_asked_hides_nobodys_own(remembering):
    served, _, _ = remembering
    with http(served, "ask") as asker, http(served, "review") as reviewer:
        mine = ask(asker, "Where is the harbour?")
        asker.post("/v1/feedback", json={"episode": mine, "right": True})
        for _ in range(3):
            said = {"episode": ask(reviewer, "What is at the top?"), "right": True}
            reviewer.post("/v1/feedback", json=said)
        like = {"text": "What is at the top?", "limit": 2}
        assert [one["id"] for one in asker.get("/v1/memory", params=like).json()["data"]] == [mine]
        assert mine not in [m["id"] for m in reviewer.get("/v1/memory", params=like).json()["data"]]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "-1e999"])
def test_a_box_without_a_place_is_refused(remembering, text):
    served, _, archive = remembering
    with http(served, "admin") as client:
        raw = f'{{"episode": "{ask(client)}", "right": false, "box": [1, 2, 30, {text}]}}'
        reply = client.post("/v1/feedback", content=raw, headers=JSON)
    assert reply.status_code == 400, reply.text
    assert "finite" in reply.json()["error"]["message"]
    assert len(archive.memory) == 0


@pytest.mark.parametrize("body", [
    '{"episode": "%s", "right": false, "answer": "\\ud800"}',
    '{"episode": "%s", "right": true, "\\udfff": 1}',
])  # fmt: skip
def test_halves_of_characters_are_refused(remembering, body):
    served, _, archive = remembering
    with http(served, "admin") as client:
        reply = client.post("/v1/feedback", content=body % ask(client), headers=JSON)
        assert reply.status_code == 400, reply.text
        message = reply.json()["error"]["message"]
        assert "half of a character" in message or "unicode" in message
    assert len(archive.memory) == 0


def test_people_see_their_own_and_erase_it_for_good(remembering):
    served, _, archive = remembering
    with http(served, "ask") as asker, http(served, "review") as reviewer:
        mine, theirs = ask(asker), ask(reviewer, "What is at the top?")
        asker.post("/v1/feedback", json={"episode": mine, "right": True})
        reviewer.post("/v1/feedback", json={"episode": theirs, "right": True})
        seen = [one["id"] for one in asker.get("/v1/memory").json()["data"]]
        assert seen == [mine]
        assert asker.get(f"/v1/memory/{theirs}").status_code == 404
        assert {one["id"] for one in reviewer.get("/v1/memory").json()["data"]} == {mine, theirs}
        found = reviewer.get("/v1/memory", params={"text": "What is at the top?"}).json()["data"]
        assert found[0]["id"] == theirs
        near = reviewer.get(f"/v1/memory/{mine}").json()["near"]
        assert [one["id"] for one in near] == [theirs]
        assert reviewer.delete(f"/v1/memory/{mine}").status_code == 403
        gone = asker.delete(f"/v1/memory/{mine}").json()
        assert gone["erased"] == [mine]
        assert asker.get(f"/v1/memory/{mine}").status_code == 404
        assert asker.get(f"/v1/episodes/{mine}").status_code == 404
    assert len(archive.memory) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"right": True, "answer": "3"},
        {"right": True, "box": [1, 2, 30, 40]},
        {"right": False, "box": [1, 2, 3]},
        {"right": False, "box": [5000, 5000, 6000, 6000]},
        {"right": False, "box": [10, 10, 10, 10]},
        {"right": False, "answer": "  "},
        {"right": "maybe"},
    ],
)
def test_feedback_that_cannot_be_meant_is_refused(remembering, body):
    served, _, archive = remembering
    with http(served, "admin") as client:
        reply = client.post("/v1/feedback", json={"episode": ask(client), **body})
    assert reply.status_code == 400
    assert reply.json()["error"]["message"]
    assert len(archive.memory) == 0


def test_without_a_store_there_is_no_memory(serve):
    served = serve()
    assert httpx.get(f"{served.base}/v1/memory").status_code == 404
    assert "/v1/memory" not in httpx.get(f"{served.base}/openapi.json").json()["paths"]
