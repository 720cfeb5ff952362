"""The door: everything a request must pass before any route sees it.

In this order: a request id, the host it names, its key, where it comes from, how often it comes,
and its body, which is read here with a cap and a clock. What is refused here costs no memory; of a
few at a time what they still send is read for a moment, so that they get to read why.
Each request leaves one line in the log and its numbers in the metrics.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import time
import uuid
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixelis.server.bucket import Buckets
from pixelis.server.keys import OWNER, Key, Keys
from pixelis.server.metrics import Metrics
from pixelis.server.refusal import RefusalError, busy, failed
from pixelis.server.settings import Settings

log = logging.getLogger(__name__)
access = logging.getLogger("pixelis.access")

ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
OPEN = re.compile(r"/|/health|/studio/[\w.-]+")  # what holds no data, for everyone
READING = ("GET", "HEAD")
METHODS = frozenset((*READING, "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))  # counted by name
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SPILL_BYTES = 32 * 2**20  # read on and thrown away after a refusal
SPILL_S = 5.0
MOST_SPILLING = 4  # at once; the connections of more are closed as they are
WRONG_KEYS_PER_MINUTE = 30
SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class GoneError(Exception):
    """The client reads no more; nobody is left to tell."""


class Door:
    """ASGI middleware, the outermost.

    Args:
        hosts: names besides this machine's own that a request may be sent to while no key is set.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        keys: Keys,
        metrics: Metrics,
        hosts: Iterable[str] = (),
    ) -> None:
        self.app, self.settings, self.keys, self.metrics = app, settings, keys, metrics
        self.hosts = {*LOOPBACK, settings.host, *hosts}
        self.held = 0  # bytes of the bodies of all requests under way
        self.spilling = 0  # refused requests that still send
        self._calls = Buckets(settings.rate)
        self._wrong = Buckets(WRONG_KEYS_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        visit = Visit(scope, send, self.settings.send_s)
        try:
            await self._let_in(visit, scope, receive)
        except RefusalError as refusal:
            self.metrics.refused.labels(refusal.code).inc()  # before anyone can know of it
            await self._hear_out(visit, Headers(scope=scope), receive, refusal)
            await visit.refuse(refusal)
        except GoneError:
            visit.status = visit.status or 499
        except Exception:  # named door: the client gets one sentence, the log the traceback
            if not visit.gone:  # else the application only found that it cannot go on
                log.exception("request %s failed", visit.id)
            await visit.refuse(failed(visit.id))
        finally:
            self._note(visit, scope)

    async def _let_in(self, visit: Visit, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self._check_host(headers)
        key = visit.key = self._check_key(scope, headers)
        scope["state"] = {**scope.get("state", {}), "key": key, "request_id": visit.id}
        if scope["method"] not in READING:
            _check_origin(headers)
        if not OPEN.fullmatch(scope["path"]):
            caller = key.name if self.keys else _client(scope)
            if wait := self._calls.take(caller, time.monotonic()):
                raise busy(
                    f"more than {self.settings.rate} requests a minute; wait {wait:.0f} s",
                    "rate_limited",
                    wait,
                )
        try:
            body = await self._read(visit, headers, receive)
            await self.app(scope, _again(body, receive), visit.send)
        finally:
            self.held -= visit.read

    async def _hear_out(
        self, visit: Visit, headers: Headers, receive: Receive, refusal: RefusalError
    ) -> None:
        """Lets the client end what it sends: one that is cut off while sending sees a reset and
        not the reply."""
        waits = headers.get("expect", "").lower() == "100-continue"  # it sends nothing yet
        if visit.heard or waits or refusal.status == 408 or self.spilling >= MOST_SPILLING:
            return
        self.spilling += 1
        try:
            await _spill(receive)
        finally:
            self.spilling -= 1

    def _check_host(self, headers: Headers) -> None:
        """Without a key only names of this machine: another page must not reach it by its own."""
        if self.keys:
            return
        if _host(f"//{headers.get('host', '')}").hostname not in self.hosts:
            raise RefusalError(403, "the request names another host; use 127.0.0.1", "wrong_host")

    def _check_key(self, scope: Scope, headers: Headers) -> Key:
        if not self.keys:
            return OWNER
        told = headers.get("authorization", "")
        token = told[7:].strip() if told[:7].lower() == "bearer " else headers.get("x-api-key", "")
        key = self.keys.find(token) if token else None
        if key is not None:
            return key
        if scope["method"] in READING and OPEN.fullmatch(scope["path"]):
            return Key("nobody", "ask", "")
        if token and (wait := self._wrong.take(_client(scope), time.monotonic())):
            raise busy(f"too many wrong keys; wait {wait:.0f} s", "rate_limited", wait)
        told = "the API key is not known" if token else "an API key is needed"
        raise RefusalError(
            401,
            f"{told}; send it as 'Authorization: Bearer KEY'",
            "invalid_api_key",
            headers={"WWW-Authenticate": "Bearer"},
        )

    async def _read(self, visit: Visit, headers: Headers, receive: Receive) -> bytes:
        """The whole body; RefusalError when it is too large or too slow, or too many are open."""
        most = self.settings.max_body
        told = headers.get("content-length", "")
        if told.isdigit() and int(told) > most:
            raise _too_large(self.settings)
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(self.settings.body_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise GoneError
                    pieces.append(message.get("body", b""))
                    visit.read += len(pieces[-1])
                    self.held += len(pieces[-1])
                    more = message.get("more_body", False)
                    if visit.read > most:
                        raise _too_large(self.settings)
                    if self.held > self.settings.max_held:
                        raise busy("too many large requests are under way; try again", "too_much")
        except TimeoutError as error:
            reason = f"the request took longer than {self.settings.body_s:g} s to come in"
            raise RefusalError(408, reason, "too_slow", headers={"Connection": "close"}) from error
        visit.heard = True
        return b"".join(pieces)

    def _note(self, visit: Visit, scope: Scope) -> None:
        seconds = time.monotonic() - visit.started
        route = getattr(scope.get("route"), "path", None) or "other"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.metrics.requests.labels(route, method, str(visit.status)).inc()
        self.metrics.request_s.labels(route).observe(seconds)
        facts = {
            "id": visit.id,
            "method": method,
            "path": scope["path"][:200],
            "status": visit.status,
            "seconds": round(seconds, 4),
            "read": visit.read,
            "written": visit.written,
            "key": visit.key.name if visit.key else None,
            "client": _client(scope),
        }
        access.info("request", extra={"facts": facts})


class Visit:
    """One request and what has been sent back so far."""

    def __init__(self, scope: Scope, send: Send, patience_s: float) -> None:
        given = Headers(scope=scope).get("x-request-id", "")
        self.id = given if ID.match(given) else uuid.uuid4().hex[:16]
        self.started = time.monotonic()
        self.key: Key | None = None
        self.status = self.read = self.written = 0
        self.heard = False  # the whole body
        self._send, self._patience_s, self.gone = send, patience_s, False

    async def send(self, message: Message) -> None:
        """Passes a part of the reply on; GoneError when the client does not read for too long."""
        if self.gone:
            raise GoneError
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.id
            for name, value in SAFETY.items():
                headers.setdefault(name, value)
            if headers.get("content-type", "").startswith("text/html"):
                headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        elif message["type"] == "http.response.body":
            self.written += len(message.get("body", b""))
        try:
            async with asyncio.timeout(self._patience_s):
                await self._send(message)
        except TimeoutError as error:
            self.gone = True
            raise GoneError from error

    async def refuse(self, refusal: RefusalError) -> None:
        """Sends the refusal, unless a reply is on its way already."""
        if self.status or self.gone:
            return
        body = json.dumps(refusal.body()).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **{name.lower(): value for name, value in refusal.headers.items()},
        }
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})


def _check_origin(headers: Headers) -> None:
    """A page of another site must not send anything in its visitor's name."""
    origin = headers.get("origin")
    if origin is None:
        return
    if _host(origin).netloc != headers.get("host", ""):
        raise RefusalError(403, "requests from pages of other sites are refused", "wrong_origin")


def _host(address: str) -> SplitResult:
    """The address in parts; of one that is none, nothing."""
    try:
        return urlsplit(address)
    except ValueError:  # such as half an IPv6 address
        return urlsplit("")


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read, and then what comes after it: the client leaving."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _spill(receive: Receive) -> None:
    """Reads on and keeps nothing, up to the end or the limits."""
    left = SPILL_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SPILL_S):
            more = True
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)


def _too_large(settings: Settings) -> RefusalError:
    most = f"{settings.max_body_mib:g} MiB"
    told = f"the request is larger than {most}; send a smaller picture"
    return RefusalError(413, told, "too_large", headers={"Connection": "close"})


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
