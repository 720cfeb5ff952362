"""The memory behind the server: what people said about answers, kept before they are thanked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from pixelis.agent import restore
from pixelis.answers import canonical
from pixelis.episode import Answer, Call, Episode, Step
from pixelis.geometry import Box
from pixelis.media import Limits, Picture, Video
from pixelis.memory import Experience, Filter, Memory, PlainEmbedder, Probe
from pixelis.memory.audit import Audit
from pixelis.memory.embedding import Embedder
from pixelis.memory.erase import Erased, erase
from pixelis.memory.media import fingerprint
from pixelis.memory.reviews import Review, Reviews, Verdict
from pixelis.ops.registry import Registry
from pixelis.server.keys import Key
from pixelis.server.question import open_source
from pixelis.server.recent import Kept
from pixelis.server.refusal import RefusalError

P = ParamSpec("P")
T = TypeVar("T")
LEAST_SIDE_PX = 2  # of a drawn box
MOST_LOOKED_AT = 2000  # experiences of everybody, to find those of one user


class Archive:
    """One store, reached from one thread, so that calls wait for one another and not for the loop.

    Args:
        folder: of the store; made when it is not there.
    """

    def __init__(self, folder: Path, embedder: Embedder | None = None) -> None:
        self._thread = ThreadPoolExecutor(1, "pixelis-memory")
        self.embedder = embedder or PlainEmbedder()
        self.memory = self._thread.submit(Memory, folder).result()
        self.reviews = Reviews(self.memory)
        self.audit = Audit(self.memory.folder, self.memory.base, self.memory.clock)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(...)` in the store's thread. What has begun is finished even when nobody waits."""
        return await asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))

    def close(self) -> None:
        """Ends once what was begun is on the disk."""
        self._thread.submit(self.memory.close).result()
        self._thread.shutdown()

    # what follows runs in the store's thread ---------------------------------------------------
    def keep(self, kept: Kept, limits: Limits, status: str = "stored", **facts: Any) -> Experience:
        """Stores an episode under its own id, with its picture; gives what is stored by then."""
        there = self.memory.get(kept.episode.id)
        if there is not None:
            return there
        episode = kept.episode
        answer = episode.answer or Answer("")
        with open_source(kept.source, limits) as media:
            image = media.frame(0) if isinstance(media, Video) else media.image
            embedding, likeness = self._embed(episode.question, image), fingerprint(image)
        experience = Experience(
            episode.question,
            answer.text,
            canonical(answer.text, "word"),
            user=kept.owner,
            likeness=likeness,
            confidence=answer.confidence,
            status=status,  # type: ignore[arg-type]
            version=kept.version,
            policy=episode.model,
            episode=episode.to_dict(),
            provenance={"by": "server", "model": kept.model, **facts},
            space=self.embedder.space,
            embedding=embedding,
            id=episode.id,
        )
        return self.memory.add(experience, kept.source.data)

    def judge(
        self, one: Experience, verdict: Verdict, correction: str, reason: str, key: Key
    ) -> Review:
        """Puts an experience before reviewers; a reviewer's own word is final at once.

        Args:
            reason: what its user says, for the reviewers; the latest word stands while it waits.
        """
        hook = self.memory.hook
        reason = hook(reason) if hook else reason
        with self.memory.writing() as base:
            self.reviews.ask(one.id, reason)
            base.execute(
                "UPDATE reviews SET reason = ? WHERE experience = ? AND verdict = ''",
                (reason, one.id),
            )
        review = self.reviews.of(one.id)
        assert review is not None
        if key.allows("review"):
            review = self.reviews.decide(review.number, verdict, correction, key.name)
            self.audit.append("review", key.name, experience=one.id, verdict=verdict)
        return review

    def find(self, text: str, user: str | None, most: int) -> list[tuple[Experience, float]]:
        """Experiences whose questions are like a text, best first, with their likeness."""
        probe = Probe(text, self._embed(text, None), self.embedder.space)
        found = self.memory.search(probe, self._enough(user, most)).neighbours
        return [
            (near.experience, near.likeness)
            for near in found
            if user in (None, near.experience.user)
        ][:most]

    def near(self, one: Experience, user: str | None, most: int) -> list[tuple[Experience, float]]:
        """Other experiences like this one."""
        if one.embedding is None:
            return []
        found = self.memory.nearest(one.embedding, one.space, self._enough(user, most + 1))
        return [
            (other, likeness)
            for other, likeness in found
            if other.id != one.id and user in (None, other.user)
        ][:most]

    def page(self, user: str | None, status: str | None, most: int, before: int | None) -> list:
        """Experiences, the newest first."""
        return self.memory.page(Filter(user=user, status=status), most, before)

    def erase(self, ids: Sequence[str], key: Key) -> Erased:
        """Erases for good; the audit log says who did it."""
        return erase(self.memory, ids, who=key.name)

    def _enough(self, user: str | None, most: int) -> int:
        """How many to look at, so that those of one user are among them."""
        return most if user is None else min(max(len(self.memory), 1), max(most, MOST_LOOKED_AT))

    def _embed(self, question: str, image: Any) -> np.ndarray:
        hook = self.memory.hook
        return self.embedder.embed(hook(question) if hook else question, image)


def redone(
    kept: Kept, box: Sequence[float], answer: str, registry: Registry, limits: Limits
) -> Episode:
    """The episode as it should have been: a look at the drawn box, then the answer.

    The look is really taken, so that the episode can be replayed and learned from. A clip's first
    frame is what is looked at. RefusalError 400 for a box outside the picture.

    Args:
        box: x1, y1, x2, y2 in source pixels.
    """
    with open_source(kept.source, limits) as media, restore(kept.episode, media) as workspace:
        place = _inside(box, media)
        numbers = workspace.convention.numbers(place, workspace.view(0), workspace.shown_size(0))
        call = Call("zoom_in", {"bbox_2d": [float(value) for value in numbers]})
        seen = registry.run(call, workspace)
        if seen.error is not None:
            raise RefusalError(400, f"the box cannot be looked at: {seen.error}", "bad_box", "box")
    raw = f"{answer} [{seen.handle}]"
    told = Answer(answer, raw, (seen.handle,) if seen.handle else ())
    steps = (Step(call=call, observation=seen), Step(answer=told, text=raw))
    return replace(kept.episode, steps=steps, answer=told, ended="answered")


def _inside(box: Sequence[float], media: Picture | Video) -> Box:
    clipped = Box(*box).clip(media.size)
    if clipped.x2 - clipped.x1 < LEAST_SIDE_PX or clipped.y2 - clipped.y1 < LEAST_SIDE_PX:
        width, height = media.size
        raise RefusalError(400, f"the box lies outside the picture of {width} x {height} px",
                      "bad_box", "box")  # fmt: skip
    return clipped
