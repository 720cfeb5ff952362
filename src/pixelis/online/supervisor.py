"""Keeps the learner running: starts it at low priority, restarts it with growing patience."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

MODULE = "pixelis.online.worker"
HEALTHY_S = 120.0  # a run that lived that long was a good one
STOP_S = 10.0


@dataclass(frozen=True)
class Backoff:
    """When to start again: at once, then after 1, 2, 4, ... seconds up to `most`.

    Attributes:
        failures: runs in a row that ended too soon.
        due: time from which the next start is allowed, in seconds of the caller's clock.
    """

    failures: int = 0
    due: float = 0.0
    base: float = 1.0
    most: float = 300.0

    def ended(self, lived_s: float, now: float) -> Backoff:
        """After a run ended that had lived for so long."""
        failures = 1 if lived_s >= HEALTHY_S else self.failures + 1
        wait = min(self.most, self.base * 2.0 ** min(failures - 1, 30))
        return replace(self, failures=failures, due=now + wait)


class Process(Protocol):
    """What is needed of `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Supervisor:
    """The learner of a store as a process of its own.

    `look` is called between requests: it never waits. The service answers with or without it.

    Attributes:
        starts: how often the learner was started.
    """

    def __init__(
        self,
        start: Callable[[], Process],
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
    ) -> None:
        self._start, self.clock = start, clock
        self.backoff = backoff or Backoff()
        self.process: Process | None = None
        self.starts = 0
        self._since = 0.0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def look(self) -> bool:
        """Starts the learner when it is not running and its time has come; gives if it runs."""
        now = self.clock()
        if self.process is not None and self.process.poll() is not None:
            self.backoff = self.backoff.ended(now - self._since, now)
            self.process = None
        if self.process is None and now >= self.backoff.due:
            self.process, self._since = self._start(), now
            self.starts += 1
        return self.process is not None

    def stop(self) -> None:
        """Ends the learner: politely, then not; what it leased goes back to the queue."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def learner(store: Path, config: Path) -> subprocess.Popen[bytes]:
    """Starts the learner of a store, quiet, with one thread, at the lowest priority."""
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    log = (store / "learner.log").open("ab")
    try:
        return subprocess.Popen(
            [sys.executable, "-m", MODULE, str(store), str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **threads},
            start_new_session=True,  # the terminal's Ctrl-C is for the service
        )
    finally:
        log.close()
