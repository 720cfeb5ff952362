"""One question is one experience, whoever is first: its user or the learner's votes."""

from __future__ import annotations

import io
from contextlib import ExitStack, closing

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pixelis.agent import Agent
from pixelis.answers import canonical
from pixelis.media import Limits
from pixelis.media.source import Source
from pixelis.memory.erase import erase
from pixelis.memory.verify import verify
from pixelis.models.policy import Profile, Turn
from pixelis.online.service import SPOKEN, Service
from pixelis.online.settings import EvolveConfig
from pixelis.online.stream import Record
from pixelis.ops.workspace import PixelBudget
from pixelis.server.archive import Archive, Word
from pixelis.server.keys import Key
from pixelis.server.recent import Kept
from pixelis.server.refusal import RefusalError

CONFIG = EvolveConfig(
    model="torn", votes=5, cold=0, review=0.0, low=0.3, doubt=0.1, high=0.99, support=0.0
)
SAYS = {
    "right": Word("approve", "", "confirmed by its user"),
    "wrong": Word("reject", "", "said to be wrong by its user"),
    "corrected": Word("correct", "nine", "corrected by its user"),
}
ASKER, REVIEWER = (Key(role, role, "") for role in ("ask", "review"))


class Torn:
    """Shows `seven` and, whenever it samples, is for `three`; or always for `seven`."""

    name = "torn"
    profile = Profile("torn", system="S", budget=PixelBudget(64 * 64, 64 * 64, 32))

    def __init__(self, sampled):
        self.sampled = sampled

    def generate(self, requests, sampling):
        text = f"{self.sampled if sampling.temperature else 'seven'}"
        return [Turn(text, tuple(text.encode()), None, 0.7) for _ in requests]


@pytest.fixture(params=["three", "seven"])
def desk(request, tmp_path):
    """An answer that was shown, with the service and the archive on one store."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    data = stream.getvalue()
    (tmp_path / "picture").write_bytes(data)
    with Agent(Torn(request.param)) as agent:
        episode = agent.ask(data, "Which number?")
        assert episode.answer.text == "seven"
        archive = Archive(tmp_path / "store")
        with Service(agent, tmp_path / "store", CONFIG) as service:
            kept = Kept(episode, Source("data", "data", None, data), "ann", "torn", version=2)
            yield service, archive, kept, tmp_path / "picture"
        archive.close()


def vote(desk):
    service, _, kept, path = desk
    name = kept.episode.id
    return service.answer([Record(name, "Which number?", path, user="ann", experience=name)])[0]


def say(desk, what, key=REVIEWER):
    _, archive, kept, _ = desk
    work = (archive.hear, kept, Limits(), SAYS[what], None, key)
    return archive._thread.submit(*work).result()


def tickets(service):
    found = service.memory.base.rows("SELECT experience, label, weight, source FROM queue")
    return [tuple(row) for row in found]


@pytest.mark.parametrize("what", SAYS)
@pytest.mark.parametrize("first", ["votes", "word"])
def test_a_persons_word_is_what_is_learned_whoever_was_first(desk, what, first):
    service, _, kept, _ = desk
    if first == "votes":
        assert vote(desk).decision == "learn"
        [(id, _, _, source)] = tickets(service)
        assert (id, source) == (kept.episode.id, "vote")
        heard = say(desk, what)
    else:
        heard = say(desk, what)
        assert vote(desk).decision == "store_only"
    expected = {
        "right": ("seven", 2.0, "confirmed"),
        "wrong": ("seven", -1.0, "rejected"),
        "corrected": ("nine", 3.0, "corrected"),
    }[what]
    told = service.memory.get(heard.experience)
    assert service.memory.ids() == [heard.experience] == [kept.episode.id]
    assert (told.answer, told.version, told.user) == ("seven", 2, "ann"), "what was shown"
    assert told.episode["steps"] == kept.episode.to_dict()["steps"]
    assert told.episode["media"]["sha256"] == told.media
    assert told.status == expected[2]
    assert len(service.memory.votes(told.id)) == len(told.provenance["sources"]) >= 3
    assert told.provenance["feedback"]["by"] == "review"
    [(id, learned, weight, source)] = tickets(service)
    assert (id, learned, weight, source) == (told.id, canonical(expected[0], "word"), *expected[1:])
    assert verify(service.memory).ok
    if first == "word":
        assert told.provenance["reason"] == SPOKEN


@pytest.mark.parametrize("first", ["votes", "word"])
def test_until_a_reviewer_decides_on_an_askers_word_nothing_is_learned(desk, first):
    service, archive, kept, _ = desk
    if first == "votes":
        vote(desk)
        heard = say(desk, "wrong", ASKER)
    else:
        heard = say(desk, "wrong", ASKER)
        vote(desk)
    assert tickets(service) == []
    assert service.memory.get(heard.experience).status == heard.status == "stored"
    again = Record("later", "Which number?", desk[3], user="bob")
    assert service.answer([again])[0].decision == "store_only"
    archive._thread.submit(archive.reviews.decide, heard.review, "approve").result()
    [(id, _, _, source)] = tickets(service)
    assert (id, source) == (kept.episode.id, "confirmed")


@pytest.mark.parametrize("what", SAYS)
def test_what_a_reviewer_has_decided_no_asker_changes(desk, what):
    service, _, kept, _ = desk
    vote(desk)
    say(desk, "wrong")
    before, waiting = service.memory.get(kept.episode.id).to_dict(), tickets(service)
    with pytest.raises(RefusalError, match="a reviewer has decided") as refused:
        say(desk, what, ASKER)
    assert refused.value.status == 409
    assert service.memory.get(kept.episode.id).to_dict() == before
    assert tickets(service) == waiting
    assert say(desk, "corrected").status == "corrected", "a reviewer may look again"


def test_what_was_erased_before_its_votes_were_counted_is_not_kept(desk):
    service, archive, kept, path = desk
    say(desk, "right")
    archive._thread.submit(erase, archive.memory, [kept.episode.id]).result()
    assert vote(desk).decision == "erased"
    assert len(service.memory) == 0
    assert tickets(service) == []
    other = Record("other", "Which number?", path, experience="0123456789abcdef")
    assert service.answer([other])[0].experience_id == "0123456789abcdef"


def test_what_cannot_be_kept_whole_is_not_kept(desk):
    service, archive, _, _ = desk
    vote(desk)
    before = tickets(service)
    (service.memory.folder / "audit").write_text("no folder")
    with pytest.raises(OSError, match="cannot be written"):
        say(desk, "corrected")
    assert tickets(service) == before
    [one] = archive.page(None, None, 9, None)
    assert "feedback" not in one.provenance


@pytest.mark.parametrize("first", ["votes", "word"])
def test_a_word_leaves_the_confidence_and_reward_of_the_votes_and_takes_none_of_another_answer(
    desk, first
):
    service, _, kept, _ = desk
    assert kept.episode.answer.confidence == pytest.approx(0.7), "what the model itself says"
    if first == "word":
        heard = say(desk, "wrong", ASKER)
        assert service.memory.get(heard.experience).confidence is None, "nobody has calibrated it"
        reply = vote(desk)
    else:
        reply = vote(desk)
        heard = say(desk, "wrong", ASKER)
    for _ in range(2):
        one = service.memory.get(heard.experience)
        voted = [said.canonical for said in service.memory.votes(one.id)]
        assert one.canonical == "7"
        if reply.answer == "seven":
            assert one.confidence == pytest.approx(reply.confidence) != pytest.approx(0.7)
        else:
            assert one.confidence is None
        assert one.reward == pytest.approx(2 * voted.count("7") / len(voted) - 1)
        say(desk, "right", ASKER)
    say(desk, "wrong", REVIEWER)
    assert service.memory.get(heard.experience).reward == -1


@pytest.mark.parametrize("redacted", [True, False])
@pytest.mark.parametrize("order", ["archive", "service"])
def test_feedback_is_kept_as_the_learner_keeps_what_was_asked(tmp_path, redacted, order):
    """The same texts and the same file, so that a word holds for the question."""
    question = "Is this jo@example.org?"
    plain, stream = Image.new("RGB", (40, 30), "red"), io.BytesIO()
    about = PngInfo()
    about.add_text("place", "at home")
    plain.save(stream, "PNG", pnginfo=about)
    data, path = stream.getvalue(), tmp_path / "picture"
    path.write_bytes(data)
    config = CONFIG.model_copy(update={"redact": redacted, "originals": not redacted})
    with ExitStack() as stack:
        agent = stack.enter_context(Agent(Torn("seven")))
        episode = agent.ask(data, question)
        kept = Kept(episode, Source("data", "data", None, data), "ann", "torn")

        def archive():
            return stack.enter_context(closing(Archive(tmp_path / "store")))

        found = archive() if order == "archive" else None
        service = stack.enter_context(Service(agent, tmp_path / "store", config))
        desk = service, found or archive(), kept, path
        word = Word("correct", "no, bo@example.org", "corrected by its user")
        key = REVIEWER
        heard = desk[1]._thread.submit(desk[1].hear, kept, Limits(), word, None, key).result()
        told = service.memory.get(heard.experience)
        expected = "Is this [EMAIL]?" if redacted else question
        assert told.question == told.episode["question"] == expected
        assert ("bo@example.org" in str(told.provenance)) is not redacted
        assert (service.memory.picture(told.media) == data) is not redacted
        again = service.answer([Record("later", question, path, user="bob")])[0]
        assert service.memory.get(again.experience_id).media == told.media
        assert again.decision == "store_only"
