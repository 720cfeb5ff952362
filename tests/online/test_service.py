"""The service: acknowledged means kept, asked once, gone on with after a crash."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from pixelis.agent import Agent
from pixelis.errors import ConfigError, DataError, StoreError
from pixelis.evolve.calibration import fit
from pixelis.memory import Filter
from pixelis.memory.verify import verify
from pixelis.online.service import CONTRADICTED, Service, tokenizer_of
from pixelis.online.settings import EvolveConfig
from pixelis.online.stream import read_stream

CONFIG = EvolveConfig(
    model="counting", votes=5, cold=2, review=0.0, low=0.3, doubt=0.1, high=0.99, support=0.0
)


def serve(agent, tmp_path, config=CONFIG):
    return Service(agent, tmp_path / "store", config)


def test_every_reply_is_kept_with_votes_decision_and_provenance(agent, stream, tmp_path):
    with serve(agent, tmp_path) as service:
        replies = list(service.run(read_stream(stream(4))))
        assert [reply.request_id for reply in replies] == ["r0", "r1", "r2", "r3"]
        for number, reply in enumerate(replies):
            one = service.memory.get(reply.experience_id)
            assert one.question == f"Which digit is {number}, no. {number}?"
            assert (one.answer, one.confidence) == (reply.answer, reply.confidence)
            assert service.memory.votes(one.id)[0].source == "greedy"
            assert len(one.provenance["sources"]) == len(service.memory.votes(one.id))
            assert one.provenance["calibration"]
            assert service.memory.picture(one.media)
        actions = [reply.decision for reply in replies]
        assert actions[:2] == ["store_only", "store_only"], "cold start"
        assert service.queue.sizes()["waiting"] == actions.count("learn")


def test_a_second_run_goes_on_after_the_last_acknowledged_request(agent, stream, tmp_path):
    path = stream(5)
    with serve(agent, tmp_path) as service:
        running = service.run(read_stream(path))
        first = [next(running), next(running)]  # then the process is gone
        running.close()
    with Agent(agent.policy) as fresh, serve(fresh, tmp_path) as service:
        rest = list(service.run(read_stream(path)))
        assert [reply.request_id for reply in first + rest] == [f"r{n}" for n in range(5)]
        assert list(service.run(read_stream(path))) == []
        assert len(service.memory) == 5
        assert verify(service.memory).ok


def test_nobody_is_stopped_when_no_other_version_is_promoted(agent, stream, tmp_path):
    held = []

    @contextmanager
    def still():
        held.append(True)
        yield

    with serve(agent, tmp_path) as service:
        service.still = still
        assert service.follow() == service.version == 0
        [reply] = service.run(read_stream(stream(1)))
        assert service.memory.get(reply.experience_id).provenance["version"] == reply.version == 0
    assert held == []


def test_an_id_that_comes_back_with_another_question_is_refused(agent, stream, tmp_path):
    path = stream(2)
    with serve(agent, tmp_path) as service:
        list(service.run(read_stream(path)))
        changed = json.loads(path.read_text().splitlines()[0]) | {"question": "Another one?"}
        path.write_text(json.dumps(changed) + "\n")
        with pytest.raises(DataError, match="used before"):
            list(service.run(read_stream(path)))
        assert len(service.memory) == 2


def test_erased_experiences_are_not_asked_again_and_leave_nothing(agent, stream, tmp_path):
    from pixelis.memory.erase import erase

    path = stream(3)
    with serve(agent, tmp_path) as service:
        list(service.run(read_stream(path)))
        erase(service.memory, everything=True)
        assert list(service.run(read_stream(path))) == []
    for file in (tmp_path / "store").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"Which digit" not in data
            assert b'"r1"' not in data


def test_a_broken_picture_is_told_and_the_stream_goes_on(agent, stream, tmp_path):
    path = stream(3)
    (tmp_path / "media" / "1.png").write_bytes(b"no picture")
    (tmp_path / "media" / "2.png").unlink()
    with serve(agent, tmp_path) as service:
        replies = list(service.run(read_stream(path)))
        assert [bool(reply.answer) for reply in replies] == [True, False, False]
        assert replies[1].decision == "store_only"
        assert "error" in service.memory.get(replies[1].experience_id).provenance


def test_questions_without_pictures_and_with_embeddings_of_their_own(agent, tmp_path):
    path = tmp_path / "s.jsonl"
    lines = [
        {"request_id": str(n), "question": f"Say {n}", "embedding": [1.0, n]} for n in range(3)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with serve(agent, tmp_path) as service:
        replies = list(service.run(read_stream(path)))
        assert service.memory.spaces.counts() == {"given:2": 3}
        last = service.memory.get(replies[-1].experience_id)
        assert len(last.provenance["neighbours"]) == 2
        assert last.media is None


def test_one_service_per_store(agent, tmp_path):
    with serve(agent, tmp_path), pytest.raises(StoreError, match="another service"):
        serve(agent, tmp_path)
    serve(agent, tmp_path).close()


def test_the_calibration_in_the_file_is_the_one_used(agent, stream, tmp_path):
    file = tmp_path / "calibration.json"
    known = fit([0.2, 0.9, 0.9, 0.95], [False, True, False, False])
    file.write_text(json.dumps(known.to_dict()))
    config = CONFIG.model_copy(update={"calibration": file})
    with serve(agent, tmp_path, config) as service:
        (reply,) = service.run(read_stream(stream(1)))
        one = service.memory.get(reply.experience_id)
        assert one.provenance["calibration"] == known.id
        assert reply.confidence == pytest.approx(known(one.provenance["raw_confidence"]))


@pytest.mark.parametrize(("name", "value"), [("votes", 4), ("policy", "another")])
def test_a_calibration_of_another_setting_is_refused(agent, tmp_path, name, value):
    file = tmp_path / "calibration.json"
    record = fit([0.2, 0.9], [False, True]).to_dict() | {"of": {"votes": 5, "policy": "counting"}}
    config = CONFIG.model_copy(update={"calibration": file})
    file.write_text(json.dumps(record))
    serve(agent, tmp_path, config).close()
    record["of"][name] = value
    file.write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=f"fitted with {name} {value}"):
        serve(agent, tmp_path, config)
    for broken in ("{", "[]", "{}"):
        file.write_text(broken)
        with pytest.raises(ConfigError, match="calibration"):
            serve(agent, tmp_path, config)
    serve(agent, tmp_path).close()


def test_the_same_question_confirmed_by_a_person_votes_again(agent, stream, tmp_path):
    path = stream(2)
    with serve(agent, tmp_path) as service:
        first, _ = service.run(read_stream(path))
        service.memory.set_status([first.experience_id], "confirmed")
        line = json.loads(path.read_text().splitlines()[0]) | {"request_id": "again"}
        path.write_text(json.dumps(line) + "\n")
        (again,) = service.run(read_stream(path))
        sources = [vote.source for vote in service.memory.votes(again.experience_id)]
        assert sources.count("memory") == 1
        assert service.memory.get(first.experience_id).retrievals > 0


def test_a_corrected_answer_votes_as_it_was_corrected(agent, stream, tmp_path):
    path = stream(2)
    with serve(agent, tmp_path) as service:
        first, _ = service.run(read_stream(path))
        reviews = service.reviews
        reviews.ask(first.experience_id, "test")
        reviews.decide(reviews.of(first.experience_id).number, "correct", "six", "ann")
        line = json.loads(path.read_text().splitlines()[0]) | {"request_id": "again"}
        path.write_text(json.dumps(line) + "\n")
        (again,) = service.run(read_stream(path))
        votes = service.memory.votes(again.experience_id)
        assert [vote.canonical for vote in votes if vote.source == "memory"] == ["6"]


@pytest.mark.parametrize("first_type", ["", "number"])
def test_what_a_person_said_votes_in_the_form_of_the_question_that_is_asked(
    agent, stream, tmp_path, first_type
):
    path = stream(1)
    line = json.loads(path.read_text()) | {"answer_type": first_type}
    path.write_text(json.dumps(line) + "\n")
    with serve(agent, tmp_path) as service:
        [first] = service.run(read_stream(path))
        service.reviews.ask(first.experience_id, "test")
        number = service.reviews.of(first.experience_id).number
        service.reviews.decide(number, "correct", "There are 6.", "ann")
        other = {"": "number", "number": ""}[first_type]
        path.write_text(json.dumps(line | {"request_id": "again", "answer_type": other}) + "\n")
        [again] = service.run(read_stream(path))
        votes = service.memory.votes(again.experience_id)
        form = {"": "there are 6", "number": "6"}[other]
        assert [vote.canonical for vote in votes if vote.source == "memory"] == [form]


@pytest.mark.parametrize("verdict", ["reject", "correct", "approve"])
def test_votes_that_a_person_spoke_against_are_not_learned_however_often_it_is_asked(
    agent, stream, tmp_path, verdict
):
    path = stream(3)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    config = CONFIG.model_copy(update={"cold": 0, "neighbours": 0})
    with serve(agent, tmp_path, config) as service:
        first, *_ = replies = list(service.run(read_stream(path)))
        assert [reply.decision for reply in replies] == ["learn"] * 3
        service.reviews.ask(first.experience_id, "test")
        number = service.reviews.of(first.experience_id).number
        service.reviews.decide(number, verdict, "six" if verdict == "correct" else "", "ann")
        again = [line | {"request_id": f"again {line['request_id']}"} for line in lines]
        path.write_text("".join(json.dumps(line) + "\n" for line in again))
        told = list(service.run(read_stream(path)))
        learned = "learn" if verdict == "approve" else "store_only"
        assert [reply.decision for reply in told] == [learned, "learn", "learn"]
        one = service.memory.get(told[0].experience_id)
        (reason,) = service.memory.base.one(
            "SELECT reason FROM decisions WHERE experience = ?", (one.id,)
        )
        assert one.provenance["reason"] == reason
        assert (reason == CONTRADICTED) == (verdict != "approve")
        assert one.status == ("queued" if verdict == "approve" else "stored")


def test_the_learner_may_be_dead(agent, stream, tmp_path):
    class Never:
        starts = 0

        def look(self):
            self.starts += 1
            return False

        def stop(self):
            pass

    watch = Never()
    with Service(agent, tmp_path / "store", CONFIG, watch) as service:
        assert len(list(service.run(read_stream(stream(3))))) == 3
        assert len(service.memory.ids(Filter(status="queued"))) == 1
    assert watch.starts == 3


def test_a_policy_without_a_tokenizer_reads_no_ids(agent):
    assert tokenizer_of(agent) is None


def test_text_ready_records_are_decoded_with_the_tokenizer_of_the_model():
    from types import SimpleNamespace

    from pixelis.models.load import bundled
    from pixelis.models.processor import PixelProcessor

    processor = PixelProcessor.load(bundled("nano"))
    decode = tokenizer_of(SimpleNamespace(policy=SimpleNamespace(processor=processor)))
    question = "What color is the sign?"
    chat = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    for text in (question, chat):
        ids = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert decode(ids) == question


def test_learning_that_cannot_be_guarded_is_refused_before_anything_is_answered(tmp_path):
    with Agent.load("nano") as agent:
        for canary, model, says in (
            ("exam:worlds-test", "nano", "exam:canary"),
            (None, "hf:any", "exam:canary"),
            (tmp_path / "nowhere.jsonl", "nano", "nowhere"),
        ):
            config = EvolveConfig(model=model, learn=True, canary=canary)
            with pytest.raises((ConfigError, DataError), match=says):
                Service(agent, tmp_path / "store", config)
        Service(agent, tmp_path / "store", EvolveConfig(learn=True, canary="exam:canary")).close()
