"""The learner's order of work, with weights that are one number and a canary that is a list."""

from __future__ import annotations

import io
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from pixelis.errors import ConfigError
from pixelis.memory import Experience, Memory
from pixelis.memory.audit import Audit
from pixelis.memory.erase import erase
from pixelis.memory.queue import MOST_ATTEMPTS, Queue
from pixelis.memory.reviews import Reviews
from pixelis.online.exam import Mark
from pixelis.online.learner import PATIENCE_S, Learner
from pixelis.online.settings import EvolveConfig
from pixelis.online.versions import WEIGHTS, Versions

RIGHT = "3"


class NumberTrainer:
    """Its weight is the share of right answers; lessons pull it towards their labels."""

    def __init__(self, start=0.6, rate=0.05):
        self.promoted = self.current = start
        self.rate = rate
        self.seen = []

    def learn(self, lessons):
        for lesson in lessons:
            good = (lesson.ticket.label == RIGHT) == (lesson.ticket.weight > 0)
            pull = self.rate * abs(lesson.ticket.weight)
            self.current = min(1.0, max(0.0, self.current + (pull if good else -pull)))
            self.seen.append(lesson.experience.id)
        return {"used": bool(lessons)}

    @contextmanager
    def using(self, which):
        mine = self.current
        self.current = mine if which == "candidate" else self.promoted
        try:
            yield
        finally:
            self.current = mine

    def write(self, folder):
        save_file({"w": np.array([self.current], np.float32)}, folder / WEIGHTS)

    def settle(self, promoted):
        self.promoted = self.current = self.current if promoted else self.promoted


class Exam:
    """Question n is answered rightly by weights above n / count."""

    def __init__(self, trainer, count=400):
        self.trainer = trainer
        self.ids = [str(number) for number in range(count)]
        order = np.random.default_rng(0).permutation(count)
        self.level = {name: order[place] / count for place, name in enumerate(self.ids)}

    def look(self, ids):
        return [
            Mark(self.level[n] < self.trainer.current, self.trainer.current, 0.3, 1, 0) for n in ids
        ]


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory(tmp_path, clock):
    with Memory(tmp_path, clock=clock) as memory:
        yield memory


CONFIG = EvolveConfig(batch=4, updates=1, canary_size=400, canary=None)


def learner(memory, trainer, name="run", config=CONFIG):
    return Learner(memory, trainer, Exam(trainer), config, name)


def feed(memory, count, label=RIGHT, source="vote"):
    queue, ids = Queue(memory.base, memory.clock), []
    for number in range(count):
        one = memory.add(Experience(f"q{number} {label}", label, label))
        queue.put(one.id, label, 1.0, 1e-4, source)
        ids.append(one.id)
    return ids


def test_good_lessons_are_promoted_with_their_lineage(memory):
    trainer = NumberTrainer()
    run = learner(memory, trainer)
    ids = feed(memory, 4)
    assert run.step() == "promoted"
    versions = Versions(memory)
    assert versions.promoted == 1
    assert versions.lineage(1) == sorted(ids)
    assert versions.get(1).figures["canary"]["difference"] > 0
    assert {memory.get(one).status for one in ids} == {"learned"}
    assert Queue(memory.base, memory.clock).sizes() == {"waiting": 0, "leased": 0, "failed": 0}
    assert trainer.promoted > 0.6


def test_poison_is_rolled_back_and_quarantined_and_does_damage_without_the_canary(memory):
    trainer = NumberTrainer()
    ids = feed(memory, 4, "7")
    assert learner(memory, trainer).step() == "rolled-back"
    versions = Versions(memory)
    assert versions.promoted == 0
    assert trainer.promoted == trainer.current == 0.6
    assert {memory.get(one).status for one in ids} == {"quarantined"}
    assert [e.event for e in Audit(memory.folder, memory.base, memory.clock).entries()] == [
        "candidate",
        "rollback",
    ]
    off = CONFIG.model_copy(update={"canaries": False})
    feed(memory, 4, "7")
    assert learner(memory, trainer, "off", off).step() == "promoted"
    assert trainer.promoted < 0.45


def test_a_crash_gives_every_ticket_back(memory):
    feed(memory, 8)
    config = CONFIG.model_copy(update={"updates": 2})
    first = learner(memory, NumberTrainer(), "first", config)
    assert first.step() == "learned"
    queue = Queue(memory.base, memory.clock)
    assert queue.sizes()["leased"] == 4
    trainer = NumberTrainer()  # the first run is gone without a word
    second = learner(memory, trainer, "second", config)
    assert queue.sizes() == {"waiting": 8, "leased": 0, "failed": 0}
    assert [second.step(), second.step()] == ["learned", "promoted"]
    assert len(set(trainer.seen)) == 8


def test_a_lesson_that_kills_the_learner_is_left_out_in_the_end(memory):
    feed(memory, 4)
    for number in range(MOST_ATTEMPTS):
        run = learner(memory, NumberTrainer(), str(number))
        assert len(run._take()) == 4
    run = learner(memory, NumberTrainer(), "last")
    assert run.step() == "idle"
    assert run.queue.sizes()["failed"] == 4


def test_a_polite_end_gives_back_without_counting_an_attempt(memory):
    feed(memory, 4)
    config = CONFIG.model_copy(update={"updates": 2})
    for number in range(5):
        run = learner(memory, NumberTrainer(), str(number), config)
        run.step()
        run.close()
    assert run.queue.sizes() == {"waiting": 4, "leased": 0, "failed": 0}


def test_a_small_batch_is_taken_after_some_patience_even_if_the_clock_goes_back(memory, clock):
    feed(memory, 2)
    run = learner(memory, NumberTrainer())
    assert run.step() == "idle"
    clock.now -= 500
    assert run.step() == "idle"
    clock.now += PATIENCE_S
    assert run.step() == "learned"
    assert run.step() == "idle"
    clock.now += PATIENCE_S
    assert run.step() == "promoted"


def test_erased_and_quarantined_experiences_teach_nothing(memory):
    ids = feed(memory, 4)
    memory.set_status([ids[0]], "quarantined")
    memory.remove([ids[1]])
    trainer = NumberTrainer()
    run = learner(memory, trainer, config=CONFIG.model_copy(update={"batch": 3}))
    assert run.step() == "promoted"
    assert set(trainer.seen) == set(ids[2:])


def test_what_is_damaged_is_left_out_and_ends_nothing(memory):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(stream, "PNG")
    one = memory.add(Experience("q", RIGHT, RIGHT), stream.getvalue())
    Queue(memory.base, memory.clock).put(one.id, RIGHT, 1.0, 1e-4, "vote")
    ids = feed(memory, 3)
    memory.picture_path(one.media).unlink()
    trainer = NumberTrainer()
    assert learner(memory, trainer).step() == "promoted"
    assert trainer.seen == ids
    assert memory.base.rows("SELECT * FROM queue") == []


def test_nobody_asks_the_canarys_questions_only_when_it_is_off(memory):
    off = CONFIG.model_copy(update={"canaries": False})
    with pytest.raises(ConfigError, match="canary"):
        Learner(memory, NumberTrainer(), None, CONFIG, "run")
    feed(memory, 4)
    assert Learner(memory, NumberTrainer(), None, off, "run").step() == "promoted"


def test_what_people_say_reaches_the_learner_with_its_own_weight(memory):
    reviews = Reviews(memory)
    ids = [memory.add(Experience("q", "7", "7", "number")).id for _ in range(3)]
    for one in ids:
        reviews.ask(one, "test")
    first, second, third = reviews.waiting()
    reviews.decide(first.number, "approve", reviewer="ann")
    reviews.decide(second.number, "correct", "three", "ann")
    reviews.decide(third.number, "reject", reviewer="ann")
    tickets = Queue(memory.base, memory.clock).lease("x", 9)
    assert [(t.label, t.weight, t.source) for t in tickets] == [
        ("7", 2.0, "confirmed"),
        ("3", 3.0, "corrected"),
        ("7", -1.0, "rejected"),
    ]
    assert [memory.get(one).status for one in ids] == ["confirmed", "corrected", "rejected"]


def test_twenty_poisoned_streams_promote_nothing_that_loses_more_than_the_margin(tmp_path):
    lost, damaged = 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels = [RIGHT if rng.random() < 0.25 else "7" for _ in range(24)]
        finals = []
        for guarded in (True, False):
            config = CONFIG.model_copy(update={"canaries": guarded})
            with Memory(tmp_path / f"{seed}{guarded}") as memory:
                trainer = NumberTrainer(rate=0.02)
                run = learner(memory, trainer, "run", config)
                for label in labels:
                    feed(memory, 1, label)
                while run.queue.sizes()["waiting"]:
                    run.step()
                finals.append(trainer.promoted)
        lost += finals[0] < 0.6 - config.margin
        damaged += finals[1] < 0.6 - config.margin
    assert lost == 0
    assert damaged >= 18, "the same streams must do damage without the guardrail"


def during(trainer, what):
    """Lets something happen while the canary is asked."""

    class Meanwhile(Exam):
        asked = False

        def look(self, ids):
            if not self.asked:
                self.asked = True
                what()
            return super().look(ids)

    return Meanwhile(trainer)


def test_a_child_of_a_version_that_was_taken_back_meanwhile_is_not_promoted(memory):
    trainer = NumberTrainer()
    run = learner(memory, trainer)
    feed(memory, 4)
    assert run.step() == "promoted"
    by_hand = Versions(memory, "ann")
    ids = feed(memory, 4)
    run.asker = during(trainer, lambda: by_hand.roll_back(1, "a person knows better"))
    run._marks = {}
    assert run.step() == "rolled-back"
    assert by_hand.promoted == 0
    assert [one.state for one in by_hand.all()] == ["rolled-back", "rolled-back"]
    assert {memory.get(one).status for one in ids} == {"quarantined"}
    assert run.queue.sizes() == {"waiting": 0, "leased": 0, "failed": 0}


def test_a_candidate_that_was_compared_with_another_version_is_set_aside(memory):
    trainer = NumberTrainer()
    by_hand = Versions(memory, "ann")
    by_hand.add(trainer.write, 0, [])
    run = learner(memory, trainer)
    ids = feed(memory, 4)
    run.asker = during(trainer, lambda: by_hand.promote(1, "chosen by hand"))
    assert run.step() == "overtaken"
    assert by_hand.promoted == 1
    assert [one.state for one in by_hand.all()] == ["promoted", "retired"]
    assert {memory.get(one).status for one in ids} == {"queued"}, "nothing is held against them"
    assert run.queue.sizes() == {"waiting": 4, "leased": 0, "failed": 0}


@pytest.mark.parametrize("change", ["promote", "roll back"])
def test_what_was_learned_from_a_version_that_answers_no_more_is_no_candidate(memory, change):
    """Its parent would be named wrongly, so that it escaped the rollback of what it comes from."""
    trainer = NumberTrainer()
    by_hand = Versions(memory, "ann")
    for number in (1, 2):
        by_hand.add(trainer.write, number - 1, [])
    by_hand.promote(1, "by the test")
    if change == "roll back":
        by_hand.promote(2, "by the test")
    run, learn = learner(memory, trainer), trainer.learn

    def slowly(lessons):
        by_hand.promote(2, "by hand") if change == "promote" else by_hand.roll_back(2, "by hand")
        return learn(lessons)

    trainer.learn = slowly
    ids = feed(memory, 4)
    assert run.step() == "overtaken"
    assert by_hand.promoted == (2 if change == "promote" else 1)
    assert len(by_hand.all()) == 2
    assert {memory.get(one).status for one in ids} == {"queued"}
    assert run.queue.sizes() == {"waiting": 4, "leased": 0, "failed": 0}


def test_a_learner_that_began_before_another_promotion_knows_where_it_began(memory):
    trainer = NumberTrainer()
    Versions(memory).add(trainer.write, 0, [])
    Versions(memory).promote(1, "while the model was loaded")
    run = Learner(memory, trainer, Exam(trainer), CONFIG, "run", start=0)
    feed(memory, 4)
    assert run.step() == "overtaken"
    assert Versions(memory).promoted == 1


def test_what_was_erased_while_it_was_learned_is_never_promoted(memory):
    trainer = NumberTrainer()
    run = learner(memory, trainer)
    ids = feed(memory, 4)
    run.asker = during(trainer, lambda: erase(memory, ids[:1]))
    assert run.step() == "rolled-back"
    assert Versions(memory).promoted == 0
    assert "erased" in Versions(memory).get(1).reason
    assert trainer.current == 0.6
    feed(memory, 4)
    run.asker = during(trainer, lambda: memory.remove(memory.ids()[:1]))
    assert run.step() == "promoted", "one that was evicted may have been learned from"


def test_a_persons_word_outlives_the_version_that_was_wrong(memory):
    reviews = Reviews(memory)
    (one,) = feed(memory, 1, "7")
    versions = Versions(memory)
    versions.add(NumberTrainer().write, 0, [one])
    versions.promote(1, "good")
    memory.set_status([one], "learned")
    reviews.ask(one, "doubted")
    reviews.decide(reviews.waiting()[0].number, "correct", RIGHT, "ann")
    versions.roll_back(1, "it had learned 7")
    assert memory.get(one).status == "corrected"
    (ticket,) = Queue(memory.base, memory.clock).lease("x", 9)
    assert (ticket.label, ticket.source) == (RIGHT, "corrected")


def heard(memory, one, verdict, correction=""):
    reviews = Reviews(memory)
    reviews.ask(one, "test")
    reviews.decide(reviews.of(one).number, verdict, correction, "ann")


@pytest.mark.parametrize(
    ("verdict", "correction", "label", "weight"),
    [("reject", "", RIGHT, -1.0), ("correct", "4", "4", 3.0)],
)
def test_an_answer_that_a_person_speaks_against_while_it_is_learned_is_not_promoted(
    memory, verdict, correction, label, weight
):
    trainer = NumberTrainer()
    run = learner(memory, trainer)
    ids = feed(memory, 4)
    run.asker = during(trainer, lambda: heard(memory, ids[0], verdict, correction))
    assert run.step() == "overtaken"
    versions = Versions(memory)
    assert (versions.promoted, trainer.current) == (0, 0.6)
    assert "spoke against 1 answers" in versions.get(1).reason
    assert run._marks == {}, "what was measured is that of a candidate nobody wears"
    assert {memory.get(one).status for one in ids[1:]} == {"queued"}, "they are learned from again"
    waiting = {t.experience: (t.label, t.weight) for t in run.queue.lease("next", 9)}
    assert waiting == {**dict.fromkeys(ids[1:], (RIGHT, 1.0)), ids[0]: (label, weight)}


def test_what_is_spoken_against_before_there_is_a_version_costs_no_exam(memory):
    trainer = NumberTrainer()
    run = learner(memory, trainer, config=CONFIG.model_copy(update={"updates": 2}))
    ids = feed(memory, 8)
    assert run.step() == "learned"
    heard(memory, ids[0], "reject")
    assert run.step() == "overtaken"
    assert Versions(memory).all() == []
    assert trainer.current == 0.6
    assert run.queue.sizes() == {"waiting": 8, "leased": 0, "failed": 0}


def test_a_person_who_agrees_stops_nothing(memory):
    trainer = NumberTrainer()
    run = learner(memory, trainer)
    ids = feed(memory, 4)
    run.asker = during(trainer, lambda: heard(memory, ids[0], "approve"))
    assert run.step() == "promoted"
    assert memory.get(ids[0]).status == "confirmed"
    assert run.queue.sizes()["waiting"] == 1, "the word counts for itself"
