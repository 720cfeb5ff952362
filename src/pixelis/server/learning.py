"""Routes of what was learned: versions, the decisions behind them, promotion and rollback."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from pixelis.errors import ConfigError
from pixelis.memory.queue import Queue
from pixelis.online.versions import Version, Versions
from pixelis.server.forms import Form, Text
from pixelis.server.memories import Memo, Most, archive_of, memo
from pixelis.server.office import ERRORS, Admin, Reviewer, office_of
from pixelis.server.refusal import RefusalError

router = APIRouter(responses=ERRORS, tags=["learning"])
Number = Annotated[int, Path(ge=1, le=2**31)]
BY_HAND = "by hand"


class ReasonForm(Form):
    reason: Text = Field(BY_HAND, min_length=1, max_length=500)


class VersionForm(BaseModel):
    """One adapter version; `figures` is what was measured when it was made and tried."""

    number: int
    parent: int
    state: str
    sha256: str
    born: float
    reason: str
    figures: dict[str, Any]
    experiences: int


class VersionList(BaseModel):
    """All versions, the oldest first.

    Attributes:
        promoted: the one that should answer; 0 is the model without adapters.
        answering: the one that answers now; None when this server does not follow versions.
        learning: whether this server learns; `learner`: whether its process lives.
        queue: how many experiences wait to be learned from, by state.
    """

    object: str = "list"
    promoted: int
    answering: int | None
    learning: bool
    learner: bool
    queue: dict[str, int]
    data: list[VersionForm]


class DecisionForm(BaseModel):
    """What the gate decided about an experience, and why."""

    action: str
    reason: str
    rate: float
    born: float
    experience: Memo


class DecisionList(BaseModel):
    object: str = "list"
    counts: dict[str, int]
    data: list[DecisionForm]


@router.get("/v1/versions")
async def versions(request: Request, key: Reviewer) -> VersionList:
    """The adapter versions and how the learner stands."""
    return await _listed(request)


@router.post("/v1/versions/{number}/promote")
async def promote(
    number: Number, request: Request, key: Admin, form: ReasonForm | None = None
) -> VersionList:
    """Makes a version the one that answers; written to the audit log."""
    reason = form.reason if form else BY_HAND
    await _change(request, number, lambda v: v.promote(number, reason), key.name)
    return await _listed(request)


@router.post("/v1/versions/{number}/rollback")
async def rollback(
    number: Number, request: Request, key: Admin, form: ReasonForm | None = None
) -> VersionList:
    """Takes a version and all that descend from it out of use; what they learned from is
    quarantined. Written to the audit log."""
    reason = form.reason if form else BY_HAND
    await _change(request, number, lambda v: v.roll_back(number, reason), key.name)
    return await _listed(request)


@router.get("/v1/decisions")
async def decisions(request: Request, key: Reviewer, limit: Most = 50) -> DecisionList:
    """What the gate decided lately, the newest first."""
    archive = archive_of(request)

    def read() -> DecisionList:
        base = archive.memory.base
        rows = base.rows(
            "SELECT experience, action, reason, rate, born FROM decisions"
            " ORDER BY born DESC LIMIT ?",
            (limit,),
        )
        counts = base.rows("SELECT action, COUNT(*) FROM decisions GROUP BY action")
        found = [(archive.memory.get(row[0]), row) for row in rows]
        told = [
            DecisionForm(action=row[1], reason=row[2], rate=row[3], born=row[4],
                         experience=memo(archive, one))
            for one, row in found if one is not None
        ]  # fmt: skip
        return DecisionList(counts={str(a): int(n) for a, n in counts}, data=told)

    return await archive.run(read)


async def _change(request: Request, number: int, change: Any, who: str) -> None:
    archive = archive_of(request)

    def work() -> None:
        found = Versions(archive.memory, who)
        try:
            found.get(number)
        except ConfigError as error:
            raise RefusalError(
                404, f"there is no version {number}", "version_not_found", "number"
            ) from error
        try:
            change(found)
        except ConfigError as error:
            raise RefusalError(400, str(error), "version_unusable", "number") from error

    await archive.run(work)


async def _listed(request: Request) -> VersionList:
    archive, keeper = archive_of(request), office_of(request).keeper

    def read() -> VersionList:
        found = Versions(archive.memory, "server")
        return VersionList(
            promoted=found.promoted,
            answering=None if keeper is None else keeper.version,
            learning=keeper is not None and keeper.config.learn,
            learner=keeper is not None and keeper.learner_runs,
            queue=Queue(archive.memory.base, archive.memory.clock).sizes(),
            data=[_told(found, one) for one in found.all()],
        )

    return await archive.run(read)


def _told(found: Versions, one: Version) -> VersionForm:
    return VersionForm(**one._asdict(), experiences=len(found.lineage(one.number)))
