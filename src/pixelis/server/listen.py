"""Listening: uvicorn with a clock on silent connections, and a stop that lets answers end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from pixelis.errors import ConfigError
from pixelis.server.settings import Settings

IDLE_S = 15


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
    """Tells when it listens, and when it begins to stop."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready, self._stopping = ready, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping()
        super().handle_exit(sig, frame)


def listen(
    app: ASGIApp,
    settings: Settings,
    ready: Callable[[str], None],
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serves until it is told to stop by SIGTERM or SIGINT, which is a good end.

    Args:
        ready: called with the address once requests are taken.
        stopping: called when the signal comes; open answers have `grace_s` to end.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    with bound(settings) as listener, _ends_well():
        server_on(listener, app, settings, ready, stopping).run(sockets=[listener])


def server_on(
    listener: socket.socket,
    app: ASGIApp,
    settings: Settings,
    ready: Callable[[str], None],
    stopping: Callable[[], None] = lambda: None,
) -> Server:
    """The server of a listening socket; `run(sockets=[listener])` serves."""
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
        timeout_graceful_shutdown=max(1, round(settings.grace_s)),
        h11_max_incomplete_event_size=32 * 1024,
    )
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return Server(config, lambda: ready(f"http://{host}:{port}/"), stopping)


@contextlib.contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """A listening socket; ConfigError when the address is taken or not of this machine."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigError(
                f"{settings.host} port {settings.port} cannot be used "
                f"({(error.strerror or str(error)).lower()}); choose another --port or --host"
            ) from error
        yield listener
    finally:
        listener.close()


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
