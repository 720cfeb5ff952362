from __future__ import annotations

import threading
import time

import pytest

from pixelis.ops.watchdog import Overtime, Watchdog


def spin(seconds: float) -> int:
    """Python work that looks at no clock of ours; the number of rounds done."""
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        rounds += 1
    return rounds


def test_work_within_the_limit_is_left_alone() -> None:
    watchdog = Watchdog()
    for _ in range(3):
        with watchdog.limit(30):
            assert spin(0.01) > 0


def test_work_beyond_the_limit_is_stopped() -> None:
    watchdog = Watchdog()
    start = time.monotonic()
    with pytest.raises(Overtime), watchdog.limit(0.05):
        spin(60)
    assert time.monotonic() - start < 20
    spin(0.3)  # and what comes after is not


def test_only_the_late_thread_is_stopped() -> None:
    watchdog = Watchdog()
    ends: dict[str, str] = {}

    def work(name: str, limit_s: float, seconds: float) -> None:
        try:
            with watchdog.limit(limit_s):
                spin(seconds)
            ends[name] = "done"
        except Overtime:
            ends[name] = "stopped"

    threads = [
        threading.Thread(target=work, args=("quick", 60, 0.5)),
        threading.Thread(target=work, args=("slow", 0.05, 60)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == {"quick": "done", "slow": "stopped"}


def test_an_interrupt_that_comes_too_late_stays_inside() -> None:
    watchdog = Watchdog()
    stopped = 0
    for _ in range(8):
        try:
            with watchdog.limit(0.05):
                time.sleep(0.15)  # one call of C code, over the limit when it returns
        except Overtime:
            stopped += 1
        spin(0.02)
    assert stopped > 0
