"""Errors as OpenAI's clients expect them: a status and an object with message and code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelis.errors import PixelisError

KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class RefusalError(PixelisError, RuntimeError):
    """A request that gets no answer; the text is what the client is told.

    Args:
        status: of HTTP.
        code: one word for programs, such as `queue_full`.
        param: the part of the request that is wrong.
        headers: sent along, such as `Retry-After`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON that is sent."""
        kind = KINDS.get(self.status, "server_error" if self.status >= 500 else "")
        return {
            "error": {
                "message": str(self),
                "type": kind or "invalid_request_error",
                "param": self.param,
                "code": self.code,
            }
        }


def failed(id: str) -> RefusalError:
    """A fault of ours; the log has more under the same id."""
    return RefusalError(500, f"the server failed; its log says why ({id})", "internal")


def busy(message: str, code: str, seconds: float = 1.0) -> RefusalError:
    """A 429 that says when to come again."""
    return RefusalError(429, message, code, headers={"Retry-After": str(max(1, round(seconds)))})
