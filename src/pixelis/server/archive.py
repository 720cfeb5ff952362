"""The memory behind the server: what people said about answers, kept before they are thanked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

from pixelis.agent import restore
from pixelis.answers import canonical
from pixelis.episode import Answer, Call, Episode, Step
from pixelis.geometry import Box
from pixelis.media import Limits, Picture, Video
from pixelis.memory import Experience, Filter, Memory, PlainEmbedder, Probe
from pixelis.memory.embedding import Embedder
from pixelis.memory.erase import Erased, erase, versions_of
from pixelis.memory.media import fingerprint
from pixelis.memory.reviews import Review, Reviews, Verdict
from pixelis.memory.words import standing
from pixelis.ops.registry import Registry
from pixelis.server.keys import Key
from pixelis.server.question import open_source
from pixelis.server.recent import Kept
from pixelis.server.refusal import RefusalError

P = ParamSpec("P")
T = TypeVar("T")
LEAST_SIDE_PX = 2  # of a drawn box
MOST_LOOKED_AT = 2000  # experiences of everybody, to find those of one user
MOST_WORDS = 20  # said before the newest one about one answer, that are kept
SHOWN = ("answer", "canonical", "version", "policy", "episode")


class Word(NamedTuple):
    """What a person says of an answer.

    Attributes:
        correction: the right answer; empty unless the verdict is `correct`.
        reason: for the reviewers, when it waits for them.
        box: the right place, x1, y1, x2, y2 in source pixels.
    """

    verdict: Verdict
    correction: str
    reason: str
    box: Sequence[float] | None = None


class Heard(NamedTuple):
    """A word that was kept; `versions` are those that had learned from the experience by then."""

    experience: str
    status: str
    review: int
    versions: tuple[int, ...]


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

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(...)` in the store's thread. What has begun is finished even when nobody waits."""
        return await asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))

    def close(self) -> None:
        """Ends once what was begun is on the disk."""
        self._thread.submit(self.memory.close).result()
        self._thread.shutdown()

    # what follows runs in the store's thread ---------------------------------------------------
    def hear(
        self, kept: Kept, limits: Limits, word: Word, better: Episode | None, key: Key
    ) -> Heard:
        """Keeps an episode with what a person says of it, all of it or nothing.

        Args:
            better: the episode as it should have been, None when no place was shown.

        Raises:
            RefusalError: a reviewer has decided already, and this key is none.
        """
        shown = self._shown(kept, limits)
        with self.memory.writing():
            review = self.reviews.of(shown.id)
            if review is not None and review.verdict and not key.allows("review"):
                reason = "a reviewer has decided about this answer; ask one to look again"
                raise RefusalError(409, reason, "decided")
            told = self._told(shown.id, word, better, key)
            self._put(shown, kept.source.data, told)
            review = self._judge(shown.id, word, key)
            one = self.memory.get(shown.id)
        assert one is not None, "it was just kept"
        return Heard(one.id, one.status, review.number, tuple(told["feedback"]["versions"]))

    def _put(self, shown: Experience, data: bytes | None, told: dict[str, Any]) -> Experience:
        """Adds an experience with more provenance, or makes the one of its id that."""
        with self.memory.writing():
            there = self.memory.get(shown.id)
            if there is None:
                provenance = {**shown.provenance, **told}
                return self.memory.add(replace(shown, provenance=provenance), data)
            before = dict(there.provenance)
            before.pop("corrected", None)  # of a word that is the newest no more
            fields: dict[str, Any] = {name: getattr(shown, name) for name in SHOWN}
            fields["provenance"] = {**before, **shown.provenance, **told}
            fields |= standing(shown.answer, there)._asdict()
            return self.memory.revise(replace(there, **fields))

    def _shown(self, kept: Kept, limits: Limits) -> Experience:
        """What its user was shown, as an experience."""
        episode = kept.episode
        answer = episode.answer or Answer("")
        with open_source(kept.source, limits) as media:
            image = media.frame(0) if isinstance(media, Video) else media.image
            embedding, likeness = self._embed(episode.question, image), fingerprint(image)
        return Experience(
            episode.question,
            answer.text,
            canonical(answer.text, "word"),
            user=kept.owner,
            likeness=likeness,
            version=kept.version,
            policy=episode.model,
            episode=episode.to_dict(),
            provenance={"by": "server", "model": kept.model},
            space=self.embedder.space,
            embedding=embedding,
            id=episode.id,
        )

    def _told(self, id: str, word: Word, better: Episode | None, key: Key) -> dict[str, Any]:
        """What provenance says of a word: the newest, and those before it.

        `versions` are those that had learned from the experience by then.
        """
        there = self.memory.get(id)
        before = {} if there is None else there.provenance
        older = [*before.get("feedback_before", ()), *filter(None, [before.get("feedback")])]
        feedback = {
            "by": key.name, "at": self.memory.clock(), "right": word.verdict == "approve",
            "versions": list(versions_of(self.memory, [id])),
            **({"answer": word.correction} if word.correction else {}),
            **({"box": list(word.box)} if word.box else {}),
        }  # fmt: skip
        return {
            "feedback": feedback,
            **({"feedback_before": older[-MOST_WORDS:]} if older else {}),
            **({"corrected": better.to_dict()} if better is not None else {}),
        }

    def right_answer(self, id: str, key: Key) -> str | None:
        """What people said last: the right answer, empty when only that it is wrong, None when
        they confirmed it or said nothing.

        Of what nobody has decided about only the key's own words count, so that a reviewer's box
        confirms nothing the reviewer has not read.
        """
        one, review = self.memory.get(id), self.reviews.of(id)
        said = {} if one is None else one.provenance.get("feedback", {})
        typed = said.get("answer", "")
        if review is None or not review.verdict:
            if said.get("right", True):
                return None
            return typed if said.get("by") == key.name else ""
        if review.verdict != "correct":
            return "" if review.verdict == "reject" else None
        said = {} if one is None else one.provenance
        return str(said.get("said", review.correction))

    def _judge(self, id: str, word: Word, key: Key) -> Review:
        """Puts an experience before reviewers; a reviewer's own word is final at once."""
        hook = self.memory.hook
        reason = hook(word.reason) if hook else word.reason
        if not key.allows("review"):
            self.reviews.hear(id, reason)
        else:
            self.reviews.ask(id, reason)
        review = self.reviews.of(id)
        assert review is not None, "it was just asked"
        if key.allows("review"):
            review = self.reviews.decide(review.number, word.verdict, word.correction, key.name)
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
    if box[0] >= box[2] or box[1] >= box[3]:
        raise RefusalError(400, "the box is x1, y1, x2, y2 in px with x1 < x2 and y1 < y2",
                      "bad_box", "box")  # fmt: skip
    clipped = Box(*box).clip(media.size)
    if clipped.x2 - clipped.x1 < LEAST_SIDE_PX or clipped.y2 - clipped.y1 < LEAST_SIDE_PX:
        width, height = media.size
        raise RefusalError(400, f"the box lies outside the picture of {width} x {height} px",
                      "bad_box", "box")  # fmt: skip
    return clipped
