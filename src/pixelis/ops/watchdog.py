"""Stops an operation that has had its time and does not look at the clock itself."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_POLL_S = 0.1


class Overtime(BaseException):
    """Raised inside an operation by the watchdog; not an Exception, so operations let it pass."""


class Watchdog:
    """One thread that watches all running operations.

    Operations run in their caller's thread: handing each to a thread of its own was measured at
    0.1 ms on an idle machine but 3.5 to 24 ms on a busy one, watching costs about 0.01 ms. The
    price is that C code is stopped only once it returns to Python; what may hang in there
    (decoders of files that are not trusted) belongs in a process of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadlines: dict[int, float] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Raises Overtime in the body, once, when it runs longer; not to be nested."""
        ident = threading.get_ident()
        with self._lock:
            self._deadlines[ident] = time.monotonic() + seconds
            self._wake()
        try:
            yield
        finally:
            with self._lock:
                if self._deadlines.pop(ident, None) is None:
                    _interrupt(ident, None)  # it was fired too late to be of use

    def _wake(self) -> None:
        """Starts the watching thread where there is none (also after a fork)."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._watch, name="op watchdog", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while True:
            time.sleep(_POLL_S)
            now = time.monotonic()
            with self._lock:
                late = [ident for ident, deadline in self._deadlines.items() if now > deadline]
                for ident in late:
                    # Forgotten as it is fired, so it can never hit what the thread does next.
                    del self._deadlines[ident]
                    _interrupt(ident, Overtime)


def _interrupt(ident: int, error: type[BaseException] | None) -> None:
    """Raises `error` in a thread at its next step; None takes back one not yet raised."""
    raised = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), raised)


WATCHDOG = Watchdog()
