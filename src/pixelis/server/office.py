"""What all routes share, and who may use which."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Depends, Request

from pixelis.agent import Agent
from pixelis.server.archive import Archive
from pixelis.server.desk import Desk
from pixelis.server.forms import ErrorForm
from pixelis.server.keeper import Keeper
from pixelis.server.keys import Key, Role
from pixelis.server.metrics import Metrics
from pixelis.server.recent import Kept, Recent
from pixelis.server.refusal import RefusalError
from pixelis.server.runs import Runs
from pixelis.server.settings import Settings

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorForm, "description": told}
    for status, told in {
        400: "The request is wrong; the message says what to change.",
        401: "No key, or an unknown one.",
        403: "The key does not allow this, or the request came from another site.",
        404: "There is no such thing.",
        408: "The request took too long to come in.",
        409: "Somebody else has settled this already; the message says who to ask.",
        413: "The request is too large.",
        429: "Too many requests, or the queue is full; Retry-After says when to come again.",
        500: "The server failed; its log says why.",
        502: "The model failed.",
        503: "The server is stopping.",
        504: "No answer within the time.",
    }.items()
}


class Office:
    """Everything the routes share.

    Attributes:
        archive: the memory; None when the server keeps none.
        keeper: follows adapter versions and learns; None when nothing is followed.
        runs: finished evaluation runs; None when none are shown.
        ready: False while it stops; open answers still get their end.
    """

    def __init__(
        self,
        agents: Mapping[str, Agent],
        settings: Settings,
        metrics: Metrics,
        archive: Archive | None = None,
        keeper: Keeper | None = None,
        runs: Runs | None = None,
    ) -> None:
        self.settings, self.metrics = settings, metrics
        self.archive, self.keeper, self.runs = archive, keeper, runs
        self.desk = Desk(agents, settings, metrics, self._version)
        self.recent = Recent(settings.keep, int(settings.keep_mib * 2**20))
        self.started = int(time.time())

    def learn(self, kept: Kept) -> None:
        """Lets the keeper learn from an answer of the default model."""
        keeper = self._keeper(kept.model)
        if keeper is not None and keeper.config.learn:
            outcome = "taken" if keeper.learn(kept) else "left_out"
            self.metrics.learning.labels(outcome).inc()

    def _keeper(self, model: str) -> Keeper | None:
        """Who follows versions of that model; only the default one has any."""
        return self.keeper if model == next(iter(self.desk.agents)) else None

    def _version(self, model: str) -> int:
        keeper = self._keeper(model)
        return 0 if keeper is None else keeper.version

    @property
    def ready(self) -> bool:
        return not self.desk.stopping


def office_of(request: Request) -> Office:
    return request.app.state.office


def key_of(request: Request) -> Key:
    return request.scope["state"]["key"]


def needs(role: Role) -> Callable[[Request], Key]:
    """A dependency: the key, or RefusalError 403 when it does not allow that much."""

    def check(request: Request) -> Key:
        key = key_of(request)
        if not key.allows(role):
            raise RefusalError(
                403, f"this needs a key with role {role}; yours has {key.role}", "role"
            )
        return key

    return check


Asker = Annotated[Key, Depends(needs("ask"))]
Reviewer = Annotated[Key, Depends(needs("review"))]
Admin = Annotated[Key, Depends(needs("admin"))]
