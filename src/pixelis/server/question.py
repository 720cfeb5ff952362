"""From a conversation to one question about one picture or clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pixelis.errors import MediaError
from pixelis.media import Limits, Picture, Video, open_media
from pixelis.media.source import Source, find_source
from pixelis.server.forms import ChatForm, Message, Part
from pixelis.server.refusal import RefusalError
from pixelis.server.settings import Settings

NAME = "picture"


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        source: the checked bytes of the media; not decoded yet.
        text: the question, with what was said before where the model is told it.
    """

    source: Source
    text: str


def limits_of(settings: Settings) -> Limits:
    """The caps on media that come through the server."""
    return Limits(
        max_bytes=settings.max_body,
        max_pixels=int(settings.max_megapixels * 1e6),
        max_frames=20_000,
        max_seconds=settings.max_clip_s,
        timeout_s=20.0,
        max_memory=2 * 2**30,
    )


def read_question(form: ChatForm, limits: Limits, turns: int) -> Question:
    """The last user message, about the latest picture of the conversation.

    Args:
        turns: how many earlier user turns the model is told; system messages go with them.

    Raises:
        RefusalError: there is no picture, more than one in a message, or nothing is asked.
    """
    last = form.messages[-1]
    if last.role != "user":
        raise RefusalError(
            400, "the last message must come from the user", "no_question", "messages"
        )
    text = _text(last)
    if not text:
        raise RefusalError(400, "the last message asks nothing; write a question", "no_question",
                      "messages")  # fmt: skip
    return Question(
        _media(form.messages, limits), "\n\n".join([*_before(form.messages, turns), text])
    )


def open_source(source: Source, limits: Limits) -> Picture | Video:
    """The decoded picture, or the clip in a process of its own; RefusalError 400 says why not."""
    try:
        return open_media(source, limits, isolated=True)
    except MediaError as error:
        raise RefusalError(400, str(error), "bad_media", "messages") from error


def _text(message: Message) -> str:
    if isinstance(message.content, str):
        return message.content.strip()
    pieces = (part.text or "" for part in message.content or () if part.type == "text")
    return "\n".join(pieces).strip()


def _media(messages: Sequence[Message], limits: Limits) -> Source:
    for message in reversed(messages):
        if message.role != "user" or not isinstance(message.content, list):
            continue
        addresses = list(_addresses(message.content))
        if len(addresses) > 1:
            raise RefusalError(
                400,
                f"{len(addresses)} pictures came in one message; ask about one at a time",
                "several_media",
                "messages",
            )
        if addresses:
            return _source(addresses[0], limits)
    raise RefusalError(
        400,
        "there is no picture; send one as image_url with a data URL (data:image/png;base64,...)",
        "no_media",
        "messages",
    )


def _addresses(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        for given in (part.image_url, part.video_url):
            if given is not None:
                yield given.url


def _source(url: str, limits: Limits) -> Source:
    """Only data URLs: the server opens no file and asks no other server for one."""
    if url[:5].lower() != "data:":
        raise RefusalError(
            400,
            "only data URLs are taken (data:image/png;base64,...); nothing is fetched",
            "no_data_url",
            "messages",
        )
    try:
        return find_source(url, limits, NAME)
    except MediaError as error:
        raise RefusalError(400, str(error), "bad_media", "messages") from error


def _before(messages: Sequence[Message], turns: int) -> list[str]:
    """What was said before the last message, as text; nothing when no turn is told."""
    if turns < 1:
        return []
    told = [m for m in messages[:-1] if m.role in ("system", "developer")]
    rules = [_text(message) for message in told if _text(message)]
    talk = [m for m in messages[:-1] if m.role in ("user", "assistant") and _text(m)]
    starts = [i for i, message in enumerate(talk) if message.role == "user"][-turns:]
    lines = [
        f"{'Question' if m.role == 'user' else 'Answer'}: {_text(m)}"
        for m in (talk[starts[0] :] if starts else [])
    ]
    return [*rules, *(["Earlier:\n" + "\n".join(lines) + "\nNow:"] if lines else [])]
