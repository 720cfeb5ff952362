"""Listening: uvicorn with a clock on silent connections, and a stop that lets answers end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from pixelis.errors import ConfigError
from pixelis.server.settings import Settings

IDLE_S = 15
LAST_S = 5  # for the last replies to be sent, once no answer is open any more
LINGER_S = 0.5  # for clients to read the last reply before one of theirs finds the port closed
Say = Callable[[str], None]


def silent(text: str) -> None:
    """Tells nobody."""


class Answering(Protocol):
    """What is under way behind the routes."""

    @property
    def open_answers(self) -> int:
        """How many are waited for."""

    def stop(self) -> None:
        """Nothing new is taken."""

    def cut(self) -> None:
        """What is still open ends now, and those who wait are told."""


class Patient(H11Protocol):
    """HTTP/1.1; who says nothing on a new connection, never ends a header, or reads nothing of a
    reply any more is let go."""

    head_s = 10.0
    send_s = 30.0
    _clock: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._clock = self.loop.call_later(self.head_s, self._hang_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._between():
            self._stop_clock()
        elif self._clock is None:  # the next request on a kept connection has begun
            self._clock = self.loop.call_later(self.head_s, self._hang_up)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_watching()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        self._stop_watching()
        super().connection_lost(exc)

    def _between(self) -> bool:
        """No request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _hang_up(self) -> None:
        self._clock = None
        if self._between() and not self.transport.is_closing():
            self.transport.close()

    def _watch(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(self.send_s, self._look)

    def _look(self) -> None:
        """Aborts: closing would wait for what is never read, as long as the other side lives."""
        if self.transport.get_write_buffer_size() < self._unread:
            self._watch()  # slow, but it reads
        else:
            self.transport.abort()

    def _stop_watching(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


class Server(uvicorn.Server):
    """Tells when it listens. Told to stop, it goes on listening while answers are open.

    Args:
        grace_s: longest that open answers are waited for.
        say: told in a sentence what is waited for; what it raises stops nothing.
        abandon: called by a second Ctrl+C, which waits for nothing.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        answering: Answering | None = None,
        grace_s: float = 0.0,
        say: Say = silent,
        abandon: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._ready, self._answering, self._grace_s = ready, answering, grace_s
        self._tell, self._abandon = say, abandon

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            self._abandon()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Open answers end or are ended; meanwhile who asks hears that it is stopping."""
        if self._answering is not None:
            self._answering.stop()
            await self._wait(self._answering)
            self._answering.cut()
        await super().shutdown(sockets)

    async def _wait(self, answering: Answering) -> None:
        count = answering.open_answers
        left = f"for {count} open answer{'s' * (count > 1)} up to {self._grace_s:g} s"
        self._say(f"{f'waiting {left}; ' if count else ''}a second Ctrl+C ends at once")
        loop = asyncio.get_running_loop()
        until = loop.time() + self._grace_s
        while answering.open_answers and loop.time() < until and not self.force_exit:
            await asyncio.sleep(0.05)
        if answering.open_answers:
            self._say(f"cut off: {answering.open_answers}")
        elif count:
            await asyncio.sleep(LINGER_S)

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a pipe that nobody reads, a closed one
            self._tell(text)


def listen(
    listener: socket.socket,
    app: ASGIApp,
    settings: Settings,
    ready: Callable[[str], None],
    answering: Answering | None = None,
    say: Say = silent,
    abandon: Callable[[], None] = lambda: None,
) -> None:
    """Serves until it is told to stop by SIGTERM or SIGINT, which is a good end.

    Args:
        listener: as `bound` gives it.
        ready: called with the address once requests are taken.
        answering: has `grace_s` to end when the signal comes.
        say: told in a sentence what is waited for.
        abandon: called by a second Ctrl+C, which waits for nothing.

    Raises:
        ConfigError: another program has come to listen on the address since it was bound.
    """
    try:
        listener.listen()
    except OSError as error:
        raise _taken(settings, error) from error
    with _ends_well():
        server_on(listener, app, settings, ready, answering, say, abandon).run(sockets=[listener])


def server_on(
    listener: socket.socket,
    app: ASGIApp,
    settings: Settings,
    ready: Callable[[str], None],
    answering: Answering | None = None,
    say: Say = silent,
    abandon: Callable[[], None] = lambda: None,
) -> Server:
    """The server of a bound socket; `run(sockets=[listener])` serves."""
    config = uvicorn.Config(
        app,
        http=type("Patient", (Patient,), {"head_s": settings.head_s, "send_s": settings.send_s}),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=LAST_S if answering else max(1, round(settings.grace_s)),
        h11_max_incomplete_event_size=32 * 1024,
    )
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    told = f"http://{host}:{port}/"
    return Server(config, lambda: ready(told), answering, settings.grace_s, say, abandon)


@contextlib.contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """A socket of the address, which refuses who comes before `listen`.

    Of two that bind the same before either listens, the second to listen is told.

    Raises:
        ConfigError: another program listens there, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise _taken(settings, error) from error
        yield listener
    finally:
        listener.close()


def _taken(settings: Settings, error: OSError) -> ConfigError:
    return ConfigError(
        f"{settings.host} port {settings.port} cannot be used "
        f"({(error.strerror or str(error)).lower()}); choose another --port or --host"
    )


@contextlib.contextmanager
def _ends_well() -> Iterator[None]:
    """uvicorn raises the signals that stopped it again when it is done; by then all is done."""
    before = {each: signal.signal(each, _nothing) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _nothing(sig: int, frame: FrameType | None) -> None:
    """The signal was heard and the server has ended; there is nothing left to do."""
