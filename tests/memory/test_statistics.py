"""Counts are those of the tables."""

from __future__ import annotations

from pixelis.memory import Experience, Memory
from pixelis.memory.queue import Queue
from pixelis.memory.reviews import Reviews
from pixelis.memory.schema import MIGRATIONS
from pixelis.memory.statistics import statistics


def test_counts(tmp_path):
    with Memory(tmp_path) as memory:
        ids = [memory.add(Experience("q", str(n), confidence=n / 4)).id for n in range(4)]
        Queue(memory.base, memory.clock).put(ids[0], "0", 1.0, 1e-4, "vote")
        Reviews(memory).ask(ids[1], "test")
        found = statistics(memory)
        assert found["experiences"] == 4
        assert found["mean_confidence"] == 0.375
        assert found["by_status"] == {"queued": 1, "stored": 3}
        assert found["queue"]["waiting"] == found["reviews"]["waiting"] == 1
        assert memory.base.one("PRAGMA user_version") == (len(MIGRATIONS),)
