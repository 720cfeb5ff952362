"""Reading one assistant turn: its thought, its calls or its answer. Nothing here raises or hangs.

Every scan is linear and no part of the text is evaluated. A call that cannot be read becomes a
`Malformed` that quotes the first bad character, so that the model can be told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

THINK, UNTHINK = "<think>", "</think>"
ANSWER, UNANSWER = "<answer>", "</answer>"
BOXED = "\\boxed{"
FENCE = re.compile(r"```\w{0,10}")
CONTROL = re.compile(r"<\|\w{1,40}\|>")
BARE = re.compile(r'\{\s{0,9}"name"\s{0,9}:')
MOST_CALLS = 32  # of one turn; also keeps reading a hostile turn linear

Ending = Literal["free", "tagged", "boxed"]


@dataclass(frozen=True)
class Named:
    """A call as written: the operation's name and its arguments, not yet translated."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Malformed:
    """A call that cannot be read; `reason` is one line for the model."""

    reason: str


@dataclass(frozen=True)
class Tag:
    """What a call stands between, and how its JSON value becomes a call.

    Attributes:
        shape: an example of the whole body, for the model whose call could not be read.
        refusal: not empty when the body is not even looked at; the reason the model is told.
    """

    open: str
    close: str
    shape: str
    call: Callable[[Any], Named | Malformed]
    refusal: str = ""


@dataclass(frozen=True)
class Parsed:
    """One turn taken apart.

    Attributes:
        text: the turn without control tokens such as `<|image_pad|>`.
        thought: what stands in `<think>` (or before the first call or answer when there is none).
        calls: in the order written.
        answer: what is said when there is no call; None when nothing is.
    """

    text: str
    thought: str = ""
    calls: tuple[Named | Malformed, ...] = ()
    answer: str | None = None


class Opening(NamedTuple):
    """Where a call begins, and its tag."""

    at: int
    tag: Tag


def clean(text: str) -> str:
    """`text` without control tokens, safe to put into a conversation."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = CONTROL.sub("", text)
    # Removing one token can put two halves of another together: then no bar may stay.
    return text.replace("|", "") if CONTROL.search(text) else text


def parse(text: str, tags: Sequence[Tag] | None = None, ending: Ending = "free") -> Parsed:
    """What a turn says. Positions in reasons count characters of the turn from 0.

    Args:
        tags: what calls may stand in; None takes `<tool_call>` alone.
        ending: how the family writes its answer: as free text, in `<answer>`, or in `\\boxed{}`.
            Free text is taken in every case when there is neither a call nor the mark.
    """
    tags = (TOOL_CALL,) if tags is None else tags
    text = clean(text).rstrip()
    thought, start = _thought(text, tags)
    if start < 0:
        return _unended(text, thought, tags, ending)
    opening = _first(text, start, tags)
    if ending == "tagged":
        answer = text.find(ANSWER, start, None if opening is None else opening.at)
        if answer >= 0:
            return Parsed(text, thought or text[start:answer].strip(), (), _tagged(text, answer))
    calls, before = _calls(text, start, opening, tags)
    if calls:
        return Parsed(text, thought or before, tuple(calls))
    box = before.rfind(BOXED) if ending == "boxed" else -1
    if box >= 0:
        return Parsed(text, thought or before[:box].strip(), (), _boxed(before, box))
    if (bare := BARE.search(text, start)) and (found := _bare_calls(text, bare.start())):
        return Parsed(text, thought or _unfenced(text[start : bare.start()]), found)
    if not before and ending == "tagged" and thought.endswith(UNANSWER) and ANSWER in thought:
        return _answered_inside(text, start)
    return Parsed(text, thought, (), before or None)


def balanced(text: str) -> bool:
    """Whether `text` comes back whole when it is written into `\\boxed{}`."""
    return _closing(text + "}", 0) == len(text) and BOXED not in text and text == _bare(text)


def _thought(text: str, tags: Sequence[Tag]) -> tuple[str, int]:
    """The thought and where the rest begins; -1 when `<think>` is never closed."""
    body = len(text) - len(text.lstrip())
    opened = text.startswith(THINK, body)
    end = text.find(UNTHINK, body)
    if opened and end < 0:
        return text[body + len(THINK) :].strip(), -1
    # Some models are prompted with the opening tag and write only the closing one.
    if not opened and (end < 0 or _calls_before(text, end, tags)):
        return "", 0
    inner = text[body + len(THINK) : end] if opened else text[body:end]
    return inner.strip(), end + len(UNTHINK)


def _unended(text: str, thought: str, tags: Sequence[Tag], ending: Ending) -> Parsed:
    """A turn whose `<think>` is never closed: only an answer that ends it counts."""
    if ending == "tagged" and text.endswith(UNANSWER) and ANSWER in text:
        return _answered_inside(text, len(text))
    if _opening(text, 0, tags) is None:
        return Parsed(text, thought)
    at = text.find(THINK)
    reason = f"{THINK} at character {at} is not closed; write {UNTHINK} before a call"
    return Parsed(text, thought, (Malformed(reason),))


def _answered_inside(text: str, end: int) -> Parsed:
    """A turn that answers at the end of its thought, which lies before `end`, and nowhere else."""
    answer = text.rfind(ANSWER, 0, end)
    told = text[:answer].lstrip().removeprefix(THINK).strip()
    return Parsed(text, told, (), _tagged(text, answer))


def _bare_calls(text: str, start: int) -> tuple[Named, ...]:
    """The calls whose JSON, without any tag around it, is the rest of the turn; none when not.

    Checkpoints that were never trained to call tools write them so, often in a code fence.
    """
    calls: list[Named] = []
    while start < len(text) and len(calls) < MOST_CALLS:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return ()
        call = _checked(named(value)) if isinstance(value, dict) and len(value) == 2 else None
        if not isinstance(call, Named):
            return ()
        calls.append(call)
        start = _skip(text, end)
    return tuple(calls)


def _tagged(text: str, start: int) -> str | None:
    """What stands in the `<answer>` at `start`; a missing closing tag at the end is forgiven."""
    end = text.find(UNANSWER, start)
    inner = text[start + len(ANSWER) : end if end >= 0 else len(text)].strip()
    # Some families box the answer inside the tags.
    boxed = inner.startswith(BOXED) and _closing(inner, len(BOXED)) == len(inner) - 1
    return (_boxed(inner, 0) if boxed else inner) or None


def _boxed(text: str, start: int) -> str | None:
    """What stands in the `\\boxed{` at `start`; a missing closing brace at the end is forgiven."""
    start += len(BOXED)
    return _bare(text[start : _closing(text, start)].strip()) or None


def _closing(text: str, start: int) -> int:
    """Where the brace opened before `start` is closed; the end when it is not."""
    depth = 1
    for index in range(start, len(text)):
        if text[index] in "{}" and (index == start or text[index - 1] != "\\"):
            depth += 1 if text[index] == "{" else -1
            if depth == 0:
                return index
    return len(text)


def _bare(text: str) -> str:
    """`red` of `\\text{red}`."""
    for mark in ("\\text{", "\\mathrm{", "\\textbf{"):
        if text.startswith(mark) and _closing(text, len(mark)) == len(text) - 1:
            return text[len(mark) : -1].strip()
    return text


def _opening(text: str, start: int, tags: Sequence[Tag]) -> Opening | None:
    """The first call at or after `start`."""
    found = [Opening(text.find(tag.open, start), tag) for tag in tags]
    return min((one for one in found if one.at >= 0), key=lambda one: one.at, default=None)


def _calls_before(text: str, end: int, tags: Sequence[Tag]) -> bool:
    """Whether a call, not the mere mention of a tag, begins before `end`."""
    opening = _opening(text, 0, tags)
    for _ in range(MOST_CALLS):
        if opening is None or opening.at >= end:
            return False
        if not _mentioned(text, opening, end):
            return True
        opening = _opening(text, opening.at + len(opening.tag.open), tags)
    return True


def _mentioned(text: str, opening: Opening, end: int) -> bool:
    """Whether the tag is only spoken of: no JSON follows it, and it is not closed before `end`."""
    start = opening.at + len(opening.tag.open)
    if opening.tag.refusal or text.find(opening.tag.close, start, end) >= 0:
        return False
    first = _skip(text, start)
    return first >= end or text[first] not in "{["


def _first(text: str, start: int, tags: Sequence[Tag]) -> Opening | None:
    """The first call at or after `start`, past tags that are only mentioned on the way to it."""
    opening = _opening(text, start, tags)
    for _ in range(MOST_CALLS):
        if opening is None:
            break
        following = _opening(text, opening.at + len(opening.tag.open), tags)
        if following is None or not _mentioned(text, opening, following.at):
            break
        opening = following
    return opening


def _calls(
    text: str, start: int, opening: Opening | None, tags: Sequence[Tag]
) -> tuple[list[Named | Malformed], str]:
    """The calls after `start` and the text before the first of them."""
    if opening is None:
        strays = [Opening(text.find(tag.close, start), tag) for tag in tags]
        stray = min((one for one in strays if one.at >= 0), default=None, key=lambda one: one.at)
        if stray is None:
            return [], text[start:].strip()
        tag = stray.tag
        reason = f"{tag.close} at character {stray.at} has no {tag.open} before it"
        return [Malformed(reason)], text[start : stray.at].strip()
    before = _unfenced(text[start : opening.at])
    calls: list[Named | Malformed] = []
    following: Opening | None = opening
    while following is not None and len(calls) < MOST_CALLS:
        call, end = _call(text, following, tags)
        calls.append(call)
        following = _first(text, end, tags)
    return calls, before


def _unfenced(text: str) -> str:
    text = text.strip()
    last = text.rfind("\n") + 1
    return text[:last].strip() if FENCE.fullmatch(text[last:]) else text


def _call(text: str, opening: Opening, tags: Sequence[Tag]) -> tuple[Named | Malformed, int]:
    """The call that opens there, and where to look for the next one."""
    tag = opening.tag
    start = opening.at + len(tag.open)
    if tag.refusal:
        after = text.find(tag.close, start)
        return Malformed(tag.refusal), after + len(tag.close) if after >= 0 else len(text)
    resume = _resume(text, start, tag, tags)
    start = _skip(text, start)
    try:
        value, end = _decode(text, start, tag, tags)
    except json.JSONDecodeError as error:
        return Malformed(_at(text, error.pos, error.msg, tag)), resume
    except RecursionError:
        return Malformed("the call is nested too deeply"), resume
    except ValueError as error:
        return Malformed(_at(text, start, str(error).split(";")[0], tag)), resume
    end = _skip(text, end)
    if end < len(text) and not text.startswith((tag.close, *(one.open for one in tags)), end):
        wrong = Malformed(_at(text, end, f"expected {tag.close}", tag))
        return wrong, _resume(text, end, tag, tags)
    return _checked(tag.call(value)), end


def _resume(text: str, start: int, tag: Tag, tags: Sequence[Tag]) -> int:
    """Where to look on after a call that cannot be read: past its closing tag, or at the next
    call where that begins before it."""
    after = text.find(tag.close, start)
    following = _opening(text, start, tags)
    if following is not None and (after < 0 or following.at < after):
        return following.at
    return after + len(tag.close) if after >= 0 else start


def _decode(text: str, start: int, tag: Tag, tags: Sequence[Tag]) -> tuple[Any, int]:
    """The JSON value at `start` and where it ends; a single trailing comma is forgiven."""
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        ends = [text.find(mark, start) for mark in (tag.close, *(one.open for one in tags))]
        stop = min((at for at in ends if at >= 0), default=len(text))
        forgiven = text[:start] + _blank_commas(text[start:stop]) + text[stop:]
        return _DECODER.raw_decode(forgiven, start)


def named(value: Any) -> Named | Malformed:
    """The call in `{"name": ..., "arguments": {...}}`; arguments in a JSON string are forgiven."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return Malformed(f'the call has no "name"; write {SHAPE}')
    arguments = value.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = _DECODER.decode(arguments)
        except (ValueError, RecursionError):
            arguments = None
    if not isinstance(arguments, dict):
        return Malformed(f'the call has no "arguments" object; write {SHAPE}')
    return Named(value["name"].strip(), arguments)


def _checked(call: Named | Malformed) -> Named | Malformed:
    """The call, unless it could not be stored as UTF-8 JSON."""
    if isinstance(call, Malformed):
        return call
    try:
        json.dumps([call.name, call.arguments], ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return Malformed("the call holds characters that are not text")
    return call


def _skip(text: str, start: int) -> int:
    """Past white space and code fences."""
    while start < len(text):
        fence = FENCE.match(text, start)
        if fence:
            start = fence.end()
        elif text[start].isspace():
            start += 1
        else:
            break
    return start


def _at(text: str, position: int, what: str, tag: Tag) -> str:
    if position >= len(text):
        return f"the call ends too early at character {len(text)}: {what}; write {tag.shape}"
    return f"bad character {text[position]!r} at {position}: {what}; write {tag.shape}"


def _blank_commas(text: str) -> str:
    """`text` with each single comma before a closing bracket, outside strings, made a space.

    The length stays, so positions in later errors are those of the turn.
    """
    characters = list(text)
    comma, quoted, escaped = -1, False, False
    for index, character in enumerate(text):
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character in "}]" and comma >= 0:
            characters[comma] = " "
            comma = -1
        elif character == ",":
            # A comma after a comma is an error the model should hear about.
            comma = -1 if comma >= 0 else index
        elif not character.isspace():
            comma = -1
            quoted = character == '"'
    return "".join(characters)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number JSON knows")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
SHAPE = '{"name": ..., "arguments": {...}}'
TOOL_CALL = Tag("<tool_call>", "</tool_call>", SHAPE, named)
