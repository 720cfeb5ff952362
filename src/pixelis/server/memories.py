"""Routes of the memory: feedback, experiences, reviews."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field, FiniteFloat
from starlette.responses import Response

from pixelis.errors import ConfigError
from pixelis.memory import STATUSES, Experience
from pixelis.memory.erase import versions_of
from pixelis.memory.reviews import Review, Verdict
from pixelis.server.archive import Archive, Word, redone
from pixelis.server.episodes import find
from pixelis.server.forms import Form, Text
from pixelis.server.keys import Key
from pixelis.server.office import ERRORS, Asker, Reviewer, office_of
from pixelis.server.refusal import RefusalError

router = APIRouter(responses=ERRORS, tags=["memory"])
Id = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Most = Annotated[int, Query(ge=1, le=500)]
Status = Literal["stored", "queued", "learned", "confirmed", "corrected", "rejected", "quarantined"]
KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".mp4": "video/mp4"}
assert set(STATUSES) == set(Status.__args__)  # type: ignore[attr-defined]


class FeedbackForm(Form):
    """What a person says about an answer.

    Attributes:
        episode: `pixelis.episode` of the reply; its `id` does as well.
        right: True confirms it; then neither answer nor box is given. False without either says
            only that it is wrong. With one of them it may be left out.
        answer: the right one. With a box alone it is the one that was typed before, or else the
            one that was shown; where that was said to be wrong, it is needed. What somebody else
            typed and nobody has decided about is not taken over.
        box: the right place, x1, y1, x2, y2 in pixels of the picture.
    """

    episode: str = Field(pattern=r"^(chatcmpl-)?[0-9a-f]{16}$")
    right: bool | None = None
    answer: Text | None = Field(None, min_length=1, max_length=2000)
    box: list[FiniteFloat] | None = Field(None, min_length=4, max_length=4)


class ReviewForm(Form):
    verdict: Literal["approve", "correct", "reject"]
    correction: Text = Field("", max_length=2000)


class Thanks(BaseModel):
    """Kept: it is on the disk.

    Attributes:
        answer: the right one as it was taken; None after "that is wrong".
        versions: adapter versions that had learned from the experience before.
    """

    experience: str
    status: str
    review: int
    answer: str | None = None
    versions: list[int] = []


class Memo(BaseModel):
    """An experience as lists tell it.

    Attributes:
        correction: what a person said is right; empty when nobody did.
        likeness: to what was searched for.
    """

    id: str
    born: float
    question: str
    answer: str
    confidence: float | None
    status: str
    version: int
    user: str
    media: str | None
    pinned: bool
    seq: int
    correction: str = ""
    likeness: float | None = None


class MemoList(BaseModel):
    object: Literal["list"] = "list"
    data: list[Memo]


class Whole(Memo):
    """An experience with the episode, the votes behind it, and others like it.

    Attributes:
        versions: adapter versions that learned from it, and those that descend from them.
    """

    episode: dict[str, Any]
    provenance: dict[str, Any]
    votes: list[dict[str, Any]]
    versions: list[int]
    near: list[Memo]


class ErasedForm(BaseModel):
    """What is gone, and what was made from it and is not."""

    erased: list[str]
    versions: list[int]
    exports: list[str]
    clean: bool


class Waiting(BaseModel):
    """A question to reviewers."""

    number: int
    reason: str
    verdict: str
    correction: str
    reviewer: str
    experience: Memo


class WaitingList(BaseModel):
    object: Literal["list"] = "list"
    data: list[Waiting]


@router.post("/v1/feedback", status_code=201)
async def feedback(form: FeedbackForm, request: Request, key: Asker) -> Thanks:
    """Keeps what a person says about a recent answer.

    A key with role review decides at once; of others the experience waits for a reviewer, and
    meanwhile no vote on that question is learned.
    """
    office = office_of(request)
    archive = archive_of(request)
    kept = find(request, key, form.episode.removeprefix("chatcmpl-"), "episode")
    if kept.episode.answer is None:
        raise RefusalError(400, "that episode has no answer", "no_answer", "episode")
    verdict = _verdict(form)
    limits = office.desk.limits
    answer = form.answer
    if answer is None:
        answer = await archive.run(archive.right_answer, kept.episode.id, key)
    answer = (kept.episode.answer.text if answer is None else answer).strip()
    if verdict == "correct" and not answer:
        raise RefusalError(400, "send the right answer along, as text", "no_answer", "answer")
    better = None
    if form.box is not None:
        registry = office.desk.agents[kept.model].registry
        better = await office.desk.work(redone, kept, form.box, answer, registry, limits)
    word = Word(verdict, answer if verdict == "correct" else "", _said(form), form.box)
    heard = await archive.run(archive.hear, kept, limits, word, better, key)
    right = None if verdict == "reject" else answer
    return Thanks(**{**heard._asdict(), "versions": list(heard.versions)}, answer=right)


def _verdict(form: FeedbackForm) -> Verdict:
    """What is said; RefusalError 400 when it contradicts itself."""
    better = form.answer is not None or form.box is not None
    if form.right is None and not better:
        raise RefusalError(400, "say whether it is right: send right: true, right: false or the "
                      "right answer", "invalid", "right")  # fmt: skip
    if form.right and better:
        raise RefusalError(400, "give an answer or a box with right: false, and neither with true",
                      "contradiction", "right")  # fmt: skip
    if form.right:
        return "approve"
    return "correct" if better else "reject"


def _said(form: FeedbackForm) -> str:
    """What reviewers are told of a user's word."""
    if form.right:
        return "confirmed by its user"
    if form.answer is None and form.box is None:
        return "said to be wrong by its user"
    answer = f", who says: {form.answer.strip()}" if form.answer else ""
    place = ", ".join(f"{value:.0f}" for value in form.box or ())
    return f"corrected by its user{answer}{f' (look at {place} px)' if place else ''}"


@router.get("/v1/memory")
async def memory(
    request: Request,
    key: Asker,
    text: Annotated[str, Query(max_length=2000)] = "",
    status: Status | None = None,
    limit: Most = 50,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> MemoList:
    """Your experiences, or everyone's with role review: the newest, or those most like `text`."""
    archive = archive_of(request)
    user = _user(key)

    def read() -> list[Memo]:
        if text.strip():
            return [memo(archive, *found) for found in archive.find(text, user, limit)]
        return [memo(archive, one) for one in archive.page(user, status, limit, before)]

    return MemoList(data=await archive.run(read))


@router.get("/v1/memory/{id}")
async def experience(id: Id, request: Request, key: Asker) -> Whole:
    """One experience with its votes and neighbours."""
    archive = archive_of(request)
    one = await _one(archive, id, key)

    def read() -> Whole:
        return Whole(
            **memo(archive, one).model_dump(),
            episode=dict(one.episode),
            provenance=dict(one.provenance),
            votes=[vote._asdict() for vote in archive.memory.votes(one.id)],
            versions=list(versions_of(archive.memory, [one.id])),
            near=[memo(archive, *found) for found in archive.near(one, _user(key), 6)],
        )

    return await archive.run(read)


@router.get("/v1/memory/{id}/picture", response_class=Response)
async def picture(id: Id, request: Request, key: Asker) -> Response:
    """The picture or clip of an experience, as it is kept."""
    archive = archive_of(request)
    one = await _one(archive, id, key)
    if one.media is None:
        raise RefusalError(404, f"experience {id} has no picture", "no_picture", "id")
    data = await archive.run(archive.memory.picture, one.media)
    path = await archive.run(archive.memory.picture_path, one.media)
    return Response(data, media_type=KINDS.get(path.suffix, "application/octet-stream"))


@router.delete("/v1/memory/{id}")
async def forget(id: Id, request: Request, key: Asker) -> ErasedForm:
    """Erases an experience for good: your own, or any with role admin."""
    archive = archive_of(request)
    one = await _one(archive, id, key)
    if one.user != key.name and not key.allows("admin"):
        raise RefusalError(403, "only its user or an admin may erase it", "role")
    done = await archive.run(archive.erase, [one.id], key)
    office_of(request).recent.drop(one.id)
    return ErasedForm(
        erased=list(done.ids),
        versions=list(done.versions),
        exports=[str(path).rpartition("/")[2] for path in done.exports],
        clean=done.clean,
    )


@router.get("/v1/reviews")
async def reviews(request: Request, key: Reviewer, limit: Most = 50) -> WaitingList:
    """What waits for a person's word, the oldest first."""
    archive = archive_of(request)

    def read() -> list[Waiting]:
        waiting = archive.reviews.waiting(limit)
        pairs = [(review, archive.memory.get(review.experience)) for review in waiting]
        return [_waiting(archive, review, one) for review, one in pairs if one is not None]

    return WaitingList(data=await archive.run(read))


@router.post("/v1/reviews/{number}")
async def decide(
    number: Annotated[int, Path(ge=1, le=2**62)], form: ReviewForm, request: Request, key: Reviewer
) -> Waiting:
    """A person's word; written to the audit log with the name of the key."""
    archive = archive_of(request)
    if await archive.run(archive.reviews.get, number) is None:
        raise RefusalError(404, f"there is no review {number}", "review_not_found", "number")
    try:
        review = await archive.run(
            partial(archive.reviews.decide, number, form.verdict, form.correction, key.name)
        )
    except ConfigError as error:
        raise RefusalError(400, str(error), "invalid", "verdict") from error
    one = await _one(archive, review.experience, key)
    return await archive.run(_waiting, archive, review, one)


def memo(archive: Archive, one: Experience, likeness: float | None = None) -> Memo:
    """What a list tells of an experience; call it in the archive's thread."""
    review = archive.reviews.of(one.id) if one.status == "corrected" else None
    given = {"correction", "likeness"}
    fields = {name: getattr(one, name) for name in Memo.model_fields if name not in given}
    return Memo(
        **fields,
        correction=review.correction if review else "",
        likeness=None if likeness is None else round(likeness, 4),
    )


def _waiting(archive: Archive, review: Review, one: Experience) -> Waiting:
    return Waiting(
        number=review.number,
        reason=review.reason,
        verdict=review.verdict,
        correction=review.correction,
        reviewer=review.reviewer,
        experience=memo(archive, one),
    )


def archive_of(request: Request) -> Archive:
    """The memory; RefusalError 404 when this server keeps none."""
    archive = office_of(request).archive
    if archive is None:
        raise RefusalError(404, "this server keeps no memory; start it with --store", "no_store")
    return archive


async def _one(archive: Archive, id: str, key: Key) -> Experience:
    """The experience; RefusalError 404 when it is gone or somebody else's."""
    one = await archive.run(archive.memory.get, id)
    if one is None or _user(key) not in (None, one.user):
        raise RefusalError(404, f"experience {id} is not here", "experience_not_found", "id")
    return one


def _user(key: Key) -> str | None:
    return None if key.allows("review") else key.name
