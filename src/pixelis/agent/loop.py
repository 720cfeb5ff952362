"""The one agent loop: think, act, look, until there is an answer or a limit is met.

Whatever happens, an episode comes back that says why it ended: operations that fail and calls that
cannot be read are observations, a failing policy ends this one episode as `failed`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from PIL import Image

from pixelis.agent.batcher import Batcher
from pixelis.agent.budget import ANSWER_NOW, REPEATED, Budget, notice
from pixelis.agent.confidence import combine, supports
from pixelis.agent.prompt import schemas
from pixelis.agent.room import run_call, too_many
from pixelis.answers.reference import Span, answered
from pixelis.episode import Answer, Call, Ended, Episode, Media, Observation, Step
from pixelis.errors import ModelError, PixelisError
from pixelis.media import Picture, Video
from pixelis.models.dialects import Dialect, Malformed, Messages
from pixelis.models.dialects.dialect import count_images
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.models.resize import fit_image
from pixelis.ops.registry import Registry
from pixelis.ops.workspace import Workspace

log = logging.getLogger(__name__)
OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class Task:
    """A question about media.

    Attributes:
        media: what `open_media` takes, or an opened picture or video (which is not closed; an
            opened video may be used by one episode at a time only).
        seed: makes sampled turns repeatable.
        budget: None takes the agent's.
        sampling: None takes the agent's.
        id: of the episode; None derives one from the media, question, model and seed.
        meta: kept in the episode's `meta`.
        workspace: one from `Agent.workspace`, for a caller who wants to look at the images, masks
            and frames afterwards; None makes one for the episode alone.
        opening: turns put into the model's mouth before it takes over, to see how it goes on from
            them; `meta["opening"]` of the episode says how many.
    """

    media: Any
    question: str
    seed: int = 0
    budget: Budget | None = None
    sampling: Sampling | None = None
    id: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    workspace: Workspace | None = None
    opening: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rollout:
    """An episode with what the model was shown and wrote.

    Attributes:
        messages: the whole conversation; assistant messages carry `token_ids` when known.
        images: one for each placeholder of the messages, resized for the model.
        turns: as the policy gave them, one for each assistant message.
        tools: schemas printed into the prompt, None when the profile prints none.
    """

    episode: Episode
    messages: Messages = field(default_factory=list)
    images: tuple[Image.Image, ...] = ()
    turns: tuple[Turn, ...] = ()
    tools: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Parts:
    """What every episode of an agent shares."""

    batcher: Batcher
    registry: Registry
    dialect: Dialect
    profile: Profile
    budget: Budget
    sampling: Sampling


def describe(media: Picture | Video) -> Media:
    """What an episode keeps of its media."""
    if isinstance(media, Video):
        return Media(
            "video", media.name, media.size, media.sha256, media.frames, float(media.seconds)
        )
    return Media("picture", media.name, media.size, media.sha256)


def fresh_workspace(media: Picture | Video, profile: Profile, dialect: Dialect) -> Workspace:
    """A workspace in which a model of this profile and dialect can work on the media."""
    return Workspace(media, profile.budget, dialect.convention, profile.text_limit)


async def roll_out(
    parts: Parts, task: Task, media: Picture | Video, on_step: OnStep | None = None
) -> Rollout:
    """Plays one episode to its end; raises nothing but cancellation."""
    return await Run(parts, task, media, on_step).play()


class Run:
    """One episode under way. `play` once."""

    def __init__(
        self, parts: Parts, task: Task, media: Picture | Video, on_step: OnStep | None
    ) -> None:
        self.parts = parts
        self.media = media
        self.on_step = on_step
        self.budget = task.budget or parts.budget
        sampling = task.sampling or parts.sampling
        self.sampling = replace(
            sampling, max_new_tokens=self.budget.new_tokens or sampling.max_new_tokens
        )
        self.image_tokens = self.budget.image_tokens or parts.profile.image_tokens
        self.given_workspace = task.workspace
        self.opening = task.opening
        self.episode = _begin(parts, task, describe(media), self.budget, self.sampling)
        video = isinstance(media, Video)
        self.tools = schemas(parts.profile, parts.dialect, parts.registry, video)
        self.images: list[Image.Image] = []
        self.turns: list[Turn] = []
        self.asked: Counter[str] = Counter()
        self.last_chance: Ended | None = None

    async def play(self) -> Rollout:
        started = time.monotonic()
        self.until = started + self.budget.seconds
        try:
            async with asyncio.timeout(self.budget.seconds) as limit:
                await self._prepare()
                while self.episode.ended == "running":
                    await self._take(await self._think())
        except Exception as error:  # named door: a failed episode is a result
            if isinstance(error, TimeoutError) and limit.expired():
                self._end("time")
            else:
                log.info("episode %s failed", self.episode.id, exc_info=True)
                ours = isinstance(error, PixelisError)
                self._note(error=str(error) if ours else f"{type(error).__name__}: {error}")
                self._end("failed")
        self.episode = replace(self.episode, seconds=time.monotonic() - started)
        messages = self._messages() if self.episode.ended != "failed" else []
        return Rollout(self.episode, messages, tuple(self.images), tuple(self.turns), self.tools)

    # thinking ---------------------------------------------------------------------------------
    async def _prepare(self) -> None:
        def open_workspace() -> Workspace:
            given = self.given_workspace
            work = given or fresh_workspace(self.media, self.parts.profile, self.parts.dialect)
            if refused := too_many(work, 0, self.image_tokens):
                raise ModelError(f"the picture is too large: {refused}; lower MAX_PIXELS")
            self._show(work)
            return work

        self.workspace = await self.parts.batcher.operate(open_workspace)
        self.last_chance = self.budget.spent(0, 0, len(self.images))

    async def _think(self) -> Turn:
        if len(self.turns) < len(self.opening):
            self.turns.append(Turn(self.opening[len(self.turns)]))
            return self.turns[-1]
        episode = self.episode
        key = f"{episode.seed}/{len(self.turns)}/{episode.question}"
        seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:6])
        request = Request(self._messages(), tuple(self.images), self.tools, seed)
        turn = await self.parts.batcher.turn(request, self.sampling)
        self.turns.append(turn)
        return turn

    def _messages(self) -> Messages:
        """The conversation so far, with the exact tokens the model wrote."""
        messages = self.parts.dialect.messages(self.episode, self.parts.profile.system)
        written = [message for message in messages if message["role"] == "assistant"]
        for message, turn in zip(written, self.turns, strict=True):
            if turn.token_ids and message["content"] == turn.text.rstrip():
                message["token_ids"] = turn.token_ids
        return messages

    async def _take(self, turn: Turn) -> None:
        """One turn: its calls, its answer, or the reason to stop."""
        reading = self.parts.dialect.read(turn.text)
        cut = turn.ended == "length"
        step = Step(
            thought=reading.thought,
            text=reading.text,
            tokens=len(turn.token_ids),
            confidence=turn.confidence,
        )
        if reading.calls:
            await self._act(step, list(reading.calls), cut)
        elif reading.answer is None:
            self._record(step)
            self._end("tokens" if cut else "empty")
        else:
            answer = self._answer(reading.answer, turn)
            self._record(replace(step, answer=answer))
            self.episode = replace(self.episode, answer=answer)
            self._end("tokens" if cut else "answered")

    # acting -----------------------------------------------------------------------------------
    async def _act(self, step: Step, calls: list[Call | Malformed], cut: bool) -> None:
        """Runs a turn's calls in order, as far as the budget goes."""
        for index, call in enumerate(calls):
            asked = call.key() if isinstance(call, Call) else call.reason
            self.asked[asked] += 1
            step = step if isinstance(call, Malformed) else replace(step, call=call)
            if self.last_chance or self.asked[asked] > 2:
                self._record(step)
                self._end(self.last_chance or "loop")
                return
            last = index == len(calls) - 1
            seen = None
            try:
                seen = await self._observe(call, cut and last)
            finally:
                if seen is None:  # out of time or failed: what was asked is kept
                    self._record(step)
            self.last_chance = self._spent(call, last)
            reasons = [REPEATED] if self.asked[asked] == 2 else []
            reasons += [ANSWER_NOW] if self.last_chance else []
            self._record(replace(step, observation=seen, notice=notice(*reasons)))
            if self.last_chance:
                return
            step = Step()

    async def _observe(self, call: Call | Malformed, cut: bool) -> Observation:
        if isinstance(call, Malformed):
            reason = call.reason + (" (the turn was cut off for its length)" if cut else "")
            return Observation(reason, error=reason)
        return await self.parts.batcher.operate(self._operate, call)

    def _operate(self, call: Call) -> Observation:
        """Runs in a worker thread; new images are made ready for the model there too."""
        before = len(self.workspace.images)
        left = self.until - time.monotonic()
        self.workspace.time_limit_s = min(self.workspace.time_limit_s, max(left, 0.0))
        seen = run_call(self.parts.registry, call, self.workspace, self.image_tokens)
        added = len(self.workspace.images) - before
        if added != count_images(seen) or (added and seen.image != before):
            raise ModelError(
                f"{call.op} added {added} images from number {before} and reported "
                f"{count_images(seen)} from {seen.image}; they must be the same"
            )
        self._show(self.workspace)
        return seen

    def _show(self, workspace: Workspace) -> None:
        new = workspace.images[len(self.images) :]
        self.images += [fit_image(image, self.parts.profile.budget) for image in new]

    def _spent(self, call: Call | Malformed, last: bool) -> Ended | None:
        """The limit met after a call; steps count only once the turn's last call is done."""
        turns = len(self.turns) if last else 0
        calls = len(self.episode.calls) + isinstance(call, Call)
        return self.budget.spent(turns, calls, len(self.images))

    # ending -----------------------------------------------------------------------------------
    def _answer(self, raw: str, turn: Turn) -> Answer:
        handles = {
            name: {**({} if handle.box is None else {"box": list(handle.box)}), **handle.data}
            for name, handle in self.workspace.handles.items()
        }
        answer, expansion = answered(raw, handles)
        if expansion.spans and not expansion.hollow:
            self._note(spans=[_plain(span) for span in expansion.spans])
        if expansion.unknown:
            self._note(unknown_references=list(expansion.unknown))
        # What names nothing that was found has no support at all.
        leaning = supports(self.episode.observations, expansion.evidence)
        leaning += [0.0] * len(expansion.unknown)
        return replace(answer, confidence=combine(turn.confidence, leaning))

    def _record(self, step: Step) -> None:
        self.episode = self.episode.with_step(step)
        if self.on_step is not None:
            self.on_step(step)

    def _end(self, reason: Ended) -> None:
        self.episode = replace(self.episode, ended=reason)

    def _note(self, **facts: Any) -> None:
        self.episode = replace(self.episode, meta={**self.episode.meta, **facts})


def _begin(parts: Parts, task: Task, media: Media, budget: Budget, sampling: Sampling) -> Episode:
    profile = parts.profile
    key = f"{media.sha256}/{task.question}/{profile.name}/{task.seed}"
    settings = {
        "budget": asdict(budget),
        "sampling": asdict(sampling),
        "pixels": asdict(profile.budget),
        "text_limit": profile.text_limit,
        "image_tokens": budget.image_tokens or profile.image_tokens,
    }
    if task.opening:
        settings["opening"] = len(task.opening)
    return Episode(
        task.question,
        media,
        id=task.id or hashlib.sha256(key.encode()).hexdigest()[:16],
        model=profile.name,
        dialect=profile.dialect,
        seed=task.seed,
        meta={**task.meta, **settings},
    )


def _plain(span: Span) -> dict[str, Any]:
    """A span as JSON values, equal to what is read back."""
    return {**span._asdict(), "box": None if span.box is None else list(span.box)}
