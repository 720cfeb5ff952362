"""Episodes of the last while: a list, one as JSON, its trace as a page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse

from pixelis.agent import restore
from pixelis.media import Limits
from pixelis.ops.registry import Registry
from pixelis.server.forms import EpisodeCard, EpisodeList
from pixelis.server.keys import Key
from pixelis.server.office import ERRORS, Asker, office_of
from pixelis.server.question import open_source
from pixelis.server.recent import Kept
from pixelis.server.refusal import RefusalError

router = APIRouter(responses=ERRORS, tags=["episodes"])
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


@router.get("/v1/episodes")
async def listed(
    request: Request, key: Asker, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> EpisodeList:
    """The newest first: your own, or everyone's with role review."""
    recent = office_of(request).recent
    owner = None if key.allows("review") else key.name
    return EpisodeList(data=[_card(kept) for kept in recent.newest(owner, limit)])


@router.get("/v1/episodes/{id}")
async def one(id: Id, request: Request, key: Asker) -> dict[str, Any]:
    """The whole episode, as `pixelis ask --trace FILE.json` writes it; it can be replayed."""
    return find(request, key, id).episode.to_dict()


@router.get("/v1/episodes/{id}/trace", response_class=HTMLResponse)
async def trace(id: Id, request: Request, key: Asker) -> HTMLResponse:
    """The trace as a page of its own: what was looked at, step by step."""
    kept = find(request, key, id)
    office = office_of(request)
    desk = office.desk
    registry = desk.agents[kept.model].registry
    async with desk.admitted(1):
        page, policy = await desk.work(_page, kept, registry, desk.limits)
    name = f'inline; filename="pixelis-{id}.html"'
    headers = {"Content-Security-Policy": policy, "Content-Disposition": name}
    return HTMLResponse(page, headers=headers)


@router.delete("/v1/episodes/{id}", status_code=204)
async def forget(id: Id, request: Request, key: Asker) -> None:
    """Forgets the episode and its picture here; what was remembered from it stays."""
    find(request, key, id)
    office_of(request).recent.drop(id)


def find(request: Request, key: Key, id: str, param: str = "id") -> Kept:
    """The kept episode; RefusalError 404 when it is gone or belongs to another key.

    Args:
        param: where in the request the id is.
    """
    kept = office_of(request).recent.get(id)
    if kept is None or not (kept.owner == key.name or key.allows("review")):
        raise RefusalError(404, f"episode {id} is not kept here", "episode_not_found", param)
    return kept


def _page(kept: Kept, registry: Registry, limits: Limits) -> tuple[str, str]:
    """The page and the policy it may run under; the calls that worked are run again for it."""
    from pixelis.trace.page import asset, policy, render

    with (
        open_source(kept.source, limits) as media,
        restore(kept.episode, media) as workspace,
    ):
        for step in kept.episode.steps:
            if step.call and step.observation and step.observation.error is None:
                registry.run(step.call, workspace)
        page = render(kept.episode, workspace)
    return page, policy((asset("trace.css"),), (asset("trace.js"),))


def _card(kept: Kept) -> EpisodeCard:
    episode = kept.episode
    return EpisodeCard(
        id=episode.id,
        created=int(kept.created),
        model=kept.model,
        question=episode.question,
        answer=episode.answer.text if episode.answer else "",
        ended=episode.ended,
        seconds=round(episode.seconds, 3),
        media=episode.media.kind,
    )
