"""Routes of evaluations: the runs in a folder, one with its failures, its report and traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import HTMLResponse

from pixelis.errors import DataError
from pixelis.server.forms import MOST_LETTERS
from pixelis.server.office import ERRORS, Reviewer, office_of
from pixelis.server.refusal import RefusalError
from pixelis.server.runs import Failure, Run, Runs, Summary
from pixelis.trace.page import asset, policy

router = APIRouter(responses=ERRORS, tags=["evals"])
Name = Annotated[str, Path(min_length=1, max_length=1000)]
MOST_FAILURES = 1000


class RunCard(BaseModel):
    """One line of the list of runs.

    Attributes:
        name: its folder; one within another is `table:none`.
        accuracy: in [0, 1]; `ci95` is its 95 % interval, `n` how many answers.
        finished: when its figures were written, in seconds since 1970.
        report: whether there is a page of it.
    """

    name: str
    benchmark: str
    model: str
    control: str
    accuracy: float
    ci95: tuple[float, float]
    n: int
    frozen: bool
    finished: float
    report: bool


class RunList(BaseModel):
    """The newest first; `unreadable` names runs whose figures are damaged."""

    object: Literal["list"] = "list"
    data: list[RunCard]
    unreadable: list[str]


class RunForm(Summary):
    """One run: its figures, and its failures by falling confidence.

    Attributes:
        failed: how many there are; the list may be shorter.
        unreadable: results that are damaged and left out.
    """

    name: str
    finished: float
    report: bool
    failures: list[Failure]
    failed: int
    unreadable: int


@router.get("/v1/evals")
async def evals(request: Request, key: Reviewer) -> RunList:
    """Finished evaluation runs, the newest first."""
    runs = _runs_of(request)
    found, broken = await runs.run(runs.all)
    return RunList(data=[_card(one) for one in found], unreadable=broken)


@router.get("/v1/evals/{name}")
async def one(
    name: Name,
    request: Request,
    key: Reviewer,
    limit: Annotated[int, Query(ge=0, le=MOST_FAILURES)] = 100,
    family: Annotated[str | None, Query(max_length=200)] = None,
) -> RunForm:
    """A run's figures, with intervals, and the failures it was surest of."""
    runs = _runs_of(request)

    def read() -> RunForm:
        run = _find(runs, name)
        found = runs.failures(run, limit, family)
        return RunForm(
            **run.summary.model_dump(),
            name=run.name,
            finished=run.finished,
            report=run.has_report,
            failures=found.worst,
            failed=found.count,
            unreadable=found.unreadable,
        )

    return await runs.run(read)


@router.get("/v1/evals/{name}/report", response_class=HTMLResponse)
async def report(name: Name, request: Request, key: Reviewer) -> HTMLResponse:
    """The run's page, as `pixelis eval` wrote it."""
    from pixelis.evals.page import STYLE

    runs = _runs_of(request)
    page = await runs.run(_whole, lambda: runs.report(_find(runs, name)))
    if page is None:
        raise RefusalError(404, f"run {name} has no report", "no_report", "name")
    return _shown(page, policy((STYLE,), ()))


@router.get("/v1/evals/{name}/trace", response_class=HTMLResponse)
async def trace(
    name: Name,
    request: Request,
    key: Reviewer,
    question: Annotated[str, Query(min_length=1, max_length=MOST_LETTERS)],
    seed: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> HTMLResponse:
    """The trace of one answer, for the failures that have one."""
    runs = _runs_of(request)
    page = await runs.run(_whole, lambda: runs.trace(_find(runs, name), question, seed))
    if page is None:
        raise RefusalError(404, "that answer has no trace", "no_trace", "question")
    return _shown(page, policy((asset("trace.css"),), (asset("trace.js"),)))


def _runs_of(request: Request) -> Runs:
    runs = office_of(request).runs
    assert runs is not None  # without them there are no such routes
    return runs


def _find(runs: Runs, name: str) -> Run:
    """The run; RefusalError 404 when there is none or its figures are damaged."""
    try:
        run = runs.find(name)
    except DataError as error:
        raise RefusalError(404, f"run {error}", "run_unreadable", "name") from error
    if run is None:
        raise RefusalError(404, f"there is no run {name[:200]!r}", "run_not_found", "name")
    return run


def _whole(read: Callable[[], bytes | None]) -> bytes | None:
    """A page of a run; RefusalError 413 when it is too large to be sent."""
    try:
        return read()
    except DataError as error:
        raise RefusalError(413, f"{error}; open it where it lies", "too_large", "name") from error


def _shown(page: bytes, allowed: str) -> HTMLResponse:
    """Somebody's file: only the styles and scripts of our own pages work in it."""
    return HTMLResponse(page, headers={"Content-Security-Policy": allowed})


def _card(run: Run) -> RunCard:
    told = run.summary.model_dump(include=set(RunCard.model_fields))
    return RunCard(**told, name=run.name, finished=run.finished, report=run.has_report)
