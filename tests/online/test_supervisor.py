"""The learner is started, restarted with patience, and ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pixelis.online.supervisor import Backoff, Supervisor


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def sleeper():
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_waits_grow_and_a_healthy_run_starts_over():
    backoff, waits = Backoff(), []
    for _ in range(12):
        backoff = backoff.ended(lived_s=1.0, now=0.0)
        waits.append(backoff.due)
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == 300
    assert backoff.ended(lived_s=1000.0, now=0.0).due == 1


def test_a_killed_learner_is_started_again_when_its_time_has_come():
    clock = Clock()
    watch = Supervisor(sleeper, clock)
    try:
        assert watch.look()
        first = watch.process
        first.kill()
        first.wait()
        assert not watch.look(), "not at once"
        clock.now = 0.9
        assert not watch.look()
        clock.now = 1.1
        assert watch.look()
        assert watch.process.pid != first.pid
        assert watch.starts == 2
        last = watch.process
    finally:
        watch.stop()
    assert last.poll() is not None
    assert not watch.running


def test_a_learner_that_cannot_start_does_not_spin():
    clock = Clock()
    watch = Supervisor(
        lambda: subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"]), clock
    )
    for _ in range(200):
        if watch.look():
            watch.process.wait()
        clock.now += 0.5
    assert watch.starts == pytest.approx(7, abs=1), "1, 2, 4, ... in a hundred seconds"
