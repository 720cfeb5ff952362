"""Chat completions: one reply, or a stream in which every step arrives as it happens."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Literal, TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pixelis.agent import Agent, Rollout
from pixelis.episode import Episode, Media, Step
from pixelis.geometry import Size
from pixelis.models.policy import Sampling
from pixelis.ops.workspace import Workspace
from pixelis.server.desk import Asked, Desk, Played
from pixelis.server.door import GoneError
from pixelis.server.forms import ChatForm, Choice, Completion, Reply, Told, Usage
from pixelis.server.question import read_question
from pixelis.server.recent import Kept, Recent
from pixelis.server.refusal import RefusalError, failed
from pixelis.server.sight import Sight

log = logging.getLogger(__name__)
T = TypeVar("T")
TURNS = 6  # earlier turns told to a model that was not trained on single questions
BEAT_S = 10.0  # a sign of life in a stream, so that nothing between closes it
Events = asyncio.Queue[str | RefusalError | None]
CUT = ("tokens", "steps", "calls", "images")
_NOTHING = Media("picture", "", Size(0, 0), "")


class Chat:
    """One request: what it asks, and the ways to answer it.

    Args:
        owner: name of the key that asks.
        on_answer: called once for each request, with its first answer.
    """

    def __init__(
        self,
        form: ChatForm,
        desk: Desk,
        recent: Recent,
        owner: str,
        on_answer: Callable[[Kept], None] = lambda kept: None,
    ) -> None:
        self.form, self.desk, self.recent, self.owner = form, desk, recent, owner
        self.on_answer = on_answer
        self.agent = desk.agent(form.model)
        self.created = int(time.time())
        self.asked = self._read()
        self.id = f"chatcmpl-{self.asked[0].id}"

    def _read(self) -> list[Asked]:
        form, settings = self.form, self.desk.settings
        turns = settings.history
        if turns is None:
            turns = TURNS if self.agent.profile.tools_in_prompt else 0
        question = read_question(form, self.desk.limits, turns)
        seed = form.seed or 0
        sampling = Sampling(form.temperature or 0.0, 1.0 if form.top_p is None else form.top_p)
        until = time.monotonic() + settings.timeout_s
        return [
            Asked(
                form.model,
                question.source,
                question.text,
                seed + number,
                sampling,
                form.pixelis.max_steps,
                until,
                form.max_completion_tokens or form.max_tokens,
            )
            for number in range(form.n or 1)
        ]

    async def reply(self, request: Request) -> Completion:
        """The whole answer; ends its episodes when the client leaves."""
        async with self.desk.admitted(len(self.asked)):
            played = await unless_gone(request, together(map(self.desk.play, self.asked)))
            choices = [await self._choice(index, one) for index, one in enumerate(played)]
        return Completion(
            id=self.id,
            created=self.created,
            model=self.form.model,
            choices=choices,
            usage=self._usage([one.rollout for one in played]),
        )

    async def stream(self) -> AsyncGenerator[str]:
        """Events as text. Closing the iterator ends the episodes.

        Until the first event nothing has been sent, so a RefusalError is raised; later ones are
        events.
        """
        events: Events = asyncio.Queue()
        work = asyncio.create_task(self._fill(events))
        begun = False
        try:
            while True:
                try:
                    async with asyncio.timeout(BEAT_S):
                        event = await events.get()
                except TimeoutError:
                    event = ": still at work\n\n"
                if isinstance(event, RefusalError):
                    if not begun:
                        raise event
                    self.desk.metrics.refused.labels(event.code).inc()
                    event = _data(event.body())
                if event is None:
                    break
                begun = True
                yield event
            await asyncio.wait([work])
            if fault := work.exception():  # ours; the status has been sent, so it is an event
                if not begun:
                    raise fault
                log.error("chat %s failed", self.id, exc_info=fault)
                yield _data(failed(self.id).body())
            yield "data: [DONE]\n\n"
        finally:
            work.cancel()

    async def _fill(self, events: Events) -> None:
        """Plays the episodes, putting what happens into the queue, None at the end."""
        try:
            async with self.desk.admitted(len(self.asked)):
                tellers = [Teller(self, index, events) for index in range(len(self.asked))]
                played = await together(
                    self._tell(teller, asked)
                    for teller, asked in zip(tellers, self.asked, strict=True)
                )
            usage = self._usage([one.rollout for one in played])
            if self.form.stream_options and self.form.stream_options.include_usage:
                events.put_nowait(self._event([], usage.model_dump() if usage else None))
        except RefusalError as refusal:
            events.put_nowait(refusal)
        finally:
            events.put_nowait(None)

    async def _tell(self, teller: Teller, asked: Asked) -> Played:
        played = await self.desk.play(asked, teller.step, teller.open)
        await teller.caught_up()
        episode = played.rollout.episode
        self._keep(played)
        told = self._told(episode)
        if teller.sight is not None:
            told |= await self.desk.work(_pieces, teller.sight, episode)
        if episode.answer is not None:
            teller.say({"content": episode.answer.text})
        teller.say({"pixelis": told}, _reason(episode))
        return played

    async def _choice(self, index: int, played: Played) -> Choice:
        episode = played.rollout.episode
        self._keep(played)
        told = self._told(episode)
        told["steps"] = episode.to_dict()["steps"]
        if self.form.pixelis.pictures:
            sight = Sight(played.workspace)
            seen = [await self.desk.work(sight.step, step) for step in episode.steps]
            told["steps"] = [step | more for step, more in zip(told["steps"], seen, strict=True)]
            told |= _pieces(sight, episode)
        text = episode.answer.text if episode.answer else ""
        reply = Reply(content=text, pixelis=Told(**told))
        return Choice(index=index, message=reply, finish_reason=_reason(episode))

    def _keep(self, played: Played) -> None:
        episode, asked = played.rollout.episode, played.asked
        kept = Kept(episode, asked.source, self.owner, self.form.model, played.version)
        self.recent.add(kept)
        if asked is self.asked[0] and episode.answer is not None:
            self.on_answer(kept)

    def _told(self, episode: Episode) -> dict[str, Any]:
        answer = episode.answer
        return {
            "episode": episode.id,
            "ended": episode.ended,
            "known": answer.known if answer else None,
            "confidence": answer.confidence if answer else None,
            "evidence": list(answer.evidence) if answer else [],
            "seconds": round(episode.seconds, 3),
        }

    def _usage(self, rollouts: list[Rollout]) -> Usage | None:
        counts = [tokens_of(self.agent, rollout) for rollout in rollouts]
        if any(count is None for count in counts):
            return None
        # With n answers the question is read once for all, as OpenAI counts it.
        prompt = max(count[0] for count in counts if count)
        written = sum(count[1] for count in counts if count)
        for kind, number in (("prompt", prompt), ("completion", written)):
            self.desk.metrics.tokens.labels(self.form.model, kind).inc(number)
        total = prompt + written
        return Usage(prompt_tokens=prompt, completion_tokens=written, total_tokens=total)

    def _event(self, choices: list[dict[str, Any]], usage: Mapping | None = None) -> str:
        chunk = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.form.model,
            "choices": choices,
        }
        return _data(chunk if usage is None else {**chunk, "usage": usage})


class Stream(StreamingResponse):
    """The events as they come; what makes them ends as soon as the client is gone."""

    def __init__(self, first: str, events: AsyncGenerator[str]) -> None:
        self._told = _with(first, events)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._told, 200, headers, "text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._told):
            await super().__call__(scope, receive, send)


async def _with(first: str, events: AsyncGenerator[str]) -> AsyncGenerator[str]:
    async with aclosing(events):
        yield first
        async for event in events:
            yield event


class Teller:
    """Puts the steps of one answer into the stream, in order; pictures are made beside the loop."""

    def __init__(self, chat: Chat, index: int, events: Events) -> None:
        self.chat, self.index, self.events = chat, index, events
        self.sight: Sight | None = None
        self._last: asyncio.Task[None] | None = None

    def open(self) -> None:
        """The media can be used and the model is at work."""
        self.say({"role": "assistant", "content": ""})

    def say(self, delta: dict[str, Any], reason: str | None = None) -> None:
        """Adds a piece of the answer to the stream."""
        choice = {"index": self.index, "delta": delta, "finish_reason": reason}
        self.events.put_nowait(self.chat._event([choice]))

    def step(self, step: Step, workspace: Workspace) -> None:
        """Called on the loop for each step; what takes time is done after the step before it."""
        if self.chat.form.pixelis.pictures and self.sight is None:
            self.sight = Sight(workspace)
        self._last = asyncio.create_task(self._show(step, self._last))

    async def caught_up(self) -> None:
        """Returns when every step has been said."""
        if self._last is not None:
            await self._last

    async def _show(self, step: Step, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        told = plain(step)
        if self.sight is not None:
            told |= await self.chat.desk.work(self.sight.step, step)
        self.say({"pixelis": {"step": told}})


def plain(step: Step) -> dict[str, Any]:
    """A step as in a saved episode."""
    alone = Episode("", _NOTHING, steps=(step,))
    return alone.to_dict()["steps"][0]


def tokens_of(agent: Agent, rollout: Rollout) -> tuple[int, int] | None:
    """Tokens shown and written over the whole conversation; None when the model cannot tell."""
    count = getattr(getattr(agent.policy, "processor", None), "count", None)
    if count is None or not rollout.messages:
        return None
    sizes = [image.size for image in rollout.images]
    total, _ = count(rollout.messages, sizes, rollout.tools)
    written = sum(len(turn.token_ids) for turn in rollout.turns)
    return max(total - written, 0), written


async def together(work: Any) -> list[Any]:
    """Results in order; the first failure cancels the others and is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the client leaves; then GoneError is raised."""
    doing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait([doing, leaving], return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise GoneError
    finally:
        leaving.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait([doing])


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _pieces(sight: Sight, episode: Episode) -> dict[str, Any]:
    return {"parts": sight.answer(episode), "behind": sight.evidence(episode)}


def _reason(episode: Episode) -> Literal["stop", "length"]:
    return "length" if episode.ended in CUT else "stop"


def _data(value: Any) -> str:
    return f"data: {json.dumps(value)}\n\n"
