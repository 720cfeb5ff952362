"""The learner's queue: leased once, given back, never doubled, and a later word counts."""

from __future__ import annotations

import pytest

from pixelis.memory import Experience, Memory
from pixelis.memory.queue import MOST_ATTEMPTS, Queue


@pytest.fixture
def memory(tmp_path):
    with Memory(tmp_path) as memory:
        yield memory


@pytest.fixture
def queue(memory):
    return Queue(memory.base, memory.clock)


def fill(memory, queue, count):
    ids = [memory.add(Experience(f"q{n}", "a", "a")).id for n in range(count)]
    for one in ids:
        queue.put(one, "a", 1.0, 1e-4, "vote")
    return ids


def test_nothing_is_leased_twice_and_the_first_come_first(memory, queue):
    ids = fill(memory, queue, 5)
    first, second = queue.lease("run", 3), queue.lease("run", 3)
    assert [one.experience for one in [*first, *second]] == ids
    assert queue.lease("run", 3) == []
    assert queue.sizes() == {"waiting": 0, "leased": 5, "failed": 0}


def test_a_run_takes_back_what_others_held_and_leaves_its_own(memory, queue):
    fill(memory, queue, 4)
    queue.lease("before", 2)
    queue.lease("now", 1)
    assert queue.reclaim("now") == 2
    assert queue.sizes() == {"waiting": 3, "leased": 1, "failed": 0}


def test_leases_that_ended_in_a_crash_are_counted_and_those_given_back_are_not(memory, queue):
    fill(memory, queue, 1)
    for number in range(MOST_ATTEMPTS):
        for _ in range(3):
            queue.give_back(queue.lease(str(number), 1))
        (ticket,) = queue.lease(str(number), 1)
        assert ticket.attempts == number + 1
        queue.reclaim("another")
    assert queue.lease("last", 1) == []
    assert queue.sizes() == {"waiting": 0, "leased": 0, "failed": 1}


def test_a_later_word_takes_the_place_of_a_ticket_that_is_being_learned(memory, queue):
    (one,) = fill(memory, queue, 1)
    old = queue.lease("run", 1)
    queue.put(one, "b", 3.0, 1.0, "corrected")
    queue.acknowledge(old)
    (new,) = queue.lease("run", 9)
    assert (new.label, new.weight, new.source, new.attempts) == ("b", 3.0, "corrected", 1)


def test_queueing_does_not_hide_what_a_person_said(memory, queue):
    one = memory.add(Experience("q", "a", "a"))
    memory.set_status([one.id], "confirmed")
    queue.put(one.id, "a", 2.0, 1.0, "confirmed")
    assert memory.get(one.id).status == "confirmed"
    (other,) = fill(memory, queue, 1)
    assert memory.get(other).status == "queued"


def test_what_was_taken_out_or_answered_otherwise_overrules_a_leased_ticket(memory, queue):
    ids = fill(memory, queue, 6)
    leased = queue.lease("run", 6)
    queue.withdraw([ids[0], ids[1]])
    queue.put(ids[1], "b", 3.0, 1.0, "corrected")
    queue.put(ids[2], "a", -1.0, 1.0, "rejected")
    queue.put(ids[3], "a", 2.0, 1.0, "confirmed")  # the same answer
    memory.remove([ids[4]])  # as when there is no room
    assert [one.experience for one in queue.overruled(leased)] == ids[:3]
    assert memory.get(ids[0]).status == "stored"
    queue.withdraw([ids[1]])
    assert "b" in {one.label for one in queue.lease("run", 9)}, "only votes are withdrawn"
