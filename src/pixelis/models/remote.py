"""A model behind an OpenAI-compatible server as a policy: `openai:BASE_URL?setting=value#MODEL`."""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx2
import tenacity

from pixelis.errors import ConfigError, ModelError, reason_of
from pixelis.models.dialects import get_dialect
from pixelis.models.dialects.pick import dialect_of, side_of
from pixelis.models.estimate import CONTEXT_SHARE, LARGE_PIXELS
from pixelis.models.policy import PartialError, Profile, Request, Sampling, Turn
from pixelis.models.wire import ToolRole, body, turn
from pixelis.ops.workspace import PixelBudget

KEY = "OPENAI_API_KEY"
CONNECT_S = 10.0
LONGEST_WAIT_S = 30.0
# Worth asking again. Not 504: the model may still be at it, and its work be paid for twice.
BUSY = frozenset({408, 409, 425, 429, 500, 502, 503})
BROKEN = (httpx2.ReadError, httpx2.RemoteProtocolError)  # the request was sent, no reply came
REFUSED = frozenset({400, 422, 500, 501})  # may mean that a part of the request is unknown


@dataclass(frozen=True)
class Address:
    """Where the model is and how it is asked.

    Attributes:
        base: URL up to and with `/v1`.
        model: as the server calls it; empty for the only one it serves.
        timeout: seconds until a reply must have come.
        retries: how often a request is sent again when the server is busy or out of reach.
        concurrency: most requests under way at once.
        tool_role: how observations are sent. `user` wraps them as Qwen's templates do; `tool` keeps
            their role and turns to `user` when the server refuses it.
        profile: `nano`, or a folder with a `pixelis.json`; empty for one that fits stock models.
    """

    base: str
    model: str = ""
    timeout: float = 300.0
    retries: int = 4
    concurrency: int = 8
    tool_role: ToolRole = "user"
    profile: str = ""

    def __post_init__(self) -> None:
        if not (self.timeout > 0 and self.retries >= 0 and self.concurrency > 0):
            raise ConfigError(
                f"{self.base}: timeout = {self.timeout}, retries = {self.retries}, concurrency = "
                f"{self.concurrency}; retries may be 0, the others must be more than 0"
            )
        if self.tool_role not in get_args(ToolRole):
            raise ConfigError(f"{self.base}: tool_role = {self.tool_role!r}; give user or tool")


def read_address(text: str) -> Address:
    """The address in `BASE_URL?setting=value#MODEL`; ConfigError says what is wrong with it."""
    try:
        url = urlsplit(text)
        named = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # brackets that do not close, a port out of range
        named = False
    if not named:
        raise ConfigError(
            f"openai:{text} names no server; write it like openai:http://127.0.0.1:8000/v1#MODEL"
        )
    base = urlunsplit((url.scheme, url.netloc, url.path.rstrip("/"), "", ""))
    types = {"timeout": float, "retries": int, "concurrency": int, "tool_role": str, "profile": str}
    given: dict[str, Any] = {}
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if name not in types:
            near = get_close_matches(name, types, 1)
            hint = f"did you mean {near[0]}?" if near else f"settings are {', '.join(types)}"
            raise ConfigError(f"openai: setting {name!r} is not known; {hint}")
        try:
            given[name] = types[name](value)
        except ValueError as error:
            raise ConfigError(f"openai: {name} = {value!r} is no {types[name].__name__}") from error
    return Address(base, url.fragment, **given)


class RemotePolicy:
    """Turns taken by a server. Nothing stays open between two calls of `generate`.

    Args:
        address: of the server.
        profile: how the model wants to be spoken to.
        key: sent as bearer token; None sends none.
    """

    def __init__(self, address: Address, profile: Profile, key: str | None = None) -> None:
        self.address = address
        self.profile = profile
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._secure = address.base.startswith("https:")
        self._verify: ssl.SSLContext | bool = httpx2.create_ssl_context() if self._secure else False
        # What this server has been found to refuse is not sent to it again.
        self._tool_role: ToolRole = address.tool_role
        self._logprobs = True

    @classmethod
    def load(cls, address: Address, profile: Profile | None = None) -> RemotePolicy:
        """The policy, once the server has been reached.

        The key is taken from OPENAI_API_KEY. ModelError says that the server is out of reach,
        refuses the key, or serves several models and none was named.
        """
        own = profile or Profile(address.model)
        policy = cls(address, own, os.environ.get(KEY) or None)
        served = policy.served()
        if not address.model:
            if len(served) != 1:
                told = f"serves {', '.join(served)}" if served else "lists no model"
                hint = "" if served else "end the URL in /v1, or "
                raise ModelError(f"{policy.where} {told}; {hint}name one: openai:URL#MODEL")
            policy.address = replace(address, model=next(iter(served)))
        name = policy.address.model
        context = served.get(name)
        room = int(context * CONTEXT_SHARE) if context else None
        policy.profile = replace(own, name=own.name or name, image_tokens=own.image_tokens or room)
        if profile is None:
            dialect = get_dialect(dialect_of(name))
            policy.profile = replace(
                policy.profile,
                dialect=dialect.name,
                system=dialect.system,
                tools_in_prompt=True,
                budget=PixelBudget(*LARGE_PIXELS, side_of(dialect.name)),
            )
        return policy

    @property
    def name(self) -> str:
        return self.profile.name

    @property
    def abreast(self) -> int:
        """How many calls of `generate` may be under way: as many as requests."""
        return self.address.concurrency

    @property
    def where(self) -> str:
        """The server for messages: without user and password."""
        url = urlsplit(self.address.base)
        return urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))

    def served(self) -> dict[str, int | None]:
        """Models the server tells of, and the tokens of their context where it tells that too.

        vLLM and SGLang call it `max_model_len`. Empty when the server tells of no model.
        """
        with self._client() as client:
            response = self._send(partial(client.get, "models"), retries=1)
        if response.status_code in (401, 403):
            raise self._complaint(response)
        try:
            listed = {
                str(each["id"]): each.get("max_model_len") for each in response.json()["data"]
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}
        return {
            name: length if isinstance(length, int) and length > 0 else None
            for name, length in listed.items()
        }

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        """One turn for each request, in order; PartialError when some of them failed."""
        if not requests:
            return []
        with self._client() as client, ThreadPoolExecutor(self.address.concurrency) as pool:
            ask = partial(self._ask, client, sampling)
            outcomes = list(pool.map(ask, requests))
        turns = [each for each in outcomes if isinstance(each, Turn)]
        if len(turns) < len(outcomes):
            raise PartialError(outcomes)
        return turns

    def _ask(
        self, client: httpx2.Client, sampling: Sampling, request: Request
    ) -> Turn | ModelError:
        try:
            response = self._dial(client, request, sampling)
            if response.status_code != 200:
                return self._complaint(response)
            return turn(response.json())
        except ModelError as error:
            return error
        except ValueError:
            return ModelError(f"{self.where} answered something that is not JSON; is it /v1?")

    def _dial(self, client: httpx2.Client, request: Request, sampling: Sampling) -> httpx2.Response:
        """The reply; what the server refuses is left out, one thing after the other."""
        first: httpx2.Response | None = None
        for tool_role, logprobs in self._ways(request):
            sent = body(request, sampling, self.address.model, self.profile.new_tokens, tool_role)
            if logprobs:
                sent["logprobs"] = True
            response = self._send(partial(client.post, "chat/completions", json=sent))
            if response.status_code == 200:
                self._tool_role, self._logprobs = tool_role, logprobs
                return response
            first = first or response
            if response.status_code not in REFUSED:
                return response
        assert first is not None
        return first

    def _ways(self, request: Request) -> list[tuple[ToolRole, bool]]:
        """How the request may be put, the fullest way first."""
        roles: list[ToolRole] = [self._tool_role]
        if self._tool_role == "tool" and any(each["role"] == "tool" for each in request.messages):
            roles.append("user")
        asked = [True, False] if self._logprobs else [False]
        return [(role, logprobs) for role in roles for logprobs in asked]

    def _client(self) -> httpx2.Client:
        return httpx2.Client(
            base_url=self.address.base + "/",
            headers=self._headers,
            timeout=httpx2.Timeout(self.address.timeout, connect=CONNECT_S),
            limits=httpx2.Limits(max_connections=self.address.concurrency),
            verify=self._verify,
        )

    def _send(self, send: Any, retries: int | None = None) -> httpx2.Response:
        """Sends until the server is no longer busy; the last response when it stays so.

        A reply that does not come in time is not asked for again: the server may still be at it.
        Nor is one that breaks off over https: such a server may be paid by the request.
        """
        attempts = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(
                1 + (self.address.retries if retries is None else retries)
            ),
            wait=_pause,
            retry=(
                tenacity.retry_if_result(lambda response: response.status_code in BUSY)
                | tenacity.retry_if_exception(partial(_passing, paid=self._secure))
            ),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        try:
            return attempts(send)
        except httpx2.TimeoutException as error:
            raise ModelError(
                f"{self.where} did not answer within {self.address.timeout:g} s; "
                "give it more: openai:URL?timeout=SECONDS#MODEL"
            ) from error
        except BROKEN as error:
            raise ModelError(f"{self.where} broke off before its reply was there") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = reason_of(error)
            hint = "does it speak https?" if "SSL" in reason else "is it running?"
            raise ModelError(f"{self.where} cannot be reached ({reason}); {hint}") from error

    def _complaint(self, response: httpx2.Response) -> ModelError:
        """What the server said was wrong, on one line."""
        code = response.status_code
        hints = {
            401: f"; set {KEY}",
            403: f"; set {KEY}",
            404: f"; is {self.address.model!r} served there, and does the URL end in /v1?",
            413: "; the images are too large for it",
            429: "; it is asked too much: lower concurrency",
            504: "; the model took longer than its gateway waits",
        }
        return ModelError(
            f"{self.where} refused with {code}: {_reason(response)}{hints.get(code, '')}"
        )


def _reason(response: httpx2.Response) -> str:
    """The server's own words from any of the usual places."""
    try:
        told = response.json()
    except ValueError:
        told = response.text
    for name in ("error", "message", "detail"):
        if isinstance(told, dict) and name in told:
            told = told[name]
    return " ".join(str(told or response.reason_phrase).split())[:300]


def _passing(error: BaseException, paid: bool) -> bool:
    """Faults of the way there, which may be gone a moment later.

    Args:
        paid: whether a request that has reached the server must not be sent again.
    """
    if isinstance(error, httpx2.TimeoutException):
        return isinstance(error, httpx2.ConnectTimeout)
    if isinstance(error, BROKEN):
        return not paid
    return isinstance(error, httpx2.TransportError)


_jitter = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_S)


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds to wait: as the server says, else a random time that grows."""
    outcome = state.outcome
    if outcome is not None and not outcome.failed:
        told = outcome.result().headers.get("Retry-After", "")
        if told.isdecimal():
            return min(float(told), LONGEST_WAIT_S)
    return _jitter(state)
