"""Reading one assistant turn: its thought, its calls or its answer. Nothing here raises or hangs.

Every scan is linear and no part of the text is evaluated. A call that cannot be read becomes a
`Malformed` that quotes the first bad character, so that the model can be told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPEN, CLOSE = "<tool_call>", "</tool_call>"
THINK, UNTHINK = "<think>", "</think>"
FENCE = re.compile(r"```\w{0,10}")
CONTROL = re.compile(r"<\|\w{1,40}\|>")
MOST_CALLS = 32  # of one turn; also keeps reading a hostile turn linear
SHAPE = '{"name": ..., "arguments": {...}}'


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
class Parsed:
    """One turn taken apart.

    Attributes:
        text: the turn without control tokens such as `<|image_pad|>`.
        thought: what stands in `<think>` (or before the first call when there is none).
        calls: in the order written.
        answer: what is said when there is no call; None when nothing is.
    """

    text: str
    thought: str = ""
    calls: tuple[Named | Malformed, ...] = ()
    answer: str | None = None


def clean(text: str) -> str:
    """`text` without control tokens, safe to put into a conversation."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = CONTROL.sub("", text)
    # Removing one token can put two halves of another together: then no bar may stay.
    return text.replace("|", "") if CONTROL.search(text) else text


def parse(text: str) -> Parsed:
    """What a turn says. Positions in reasons count characters of the turn from 0."""
    text = clean(text).rstrip()
    thought, start = _thought(text)
    if start < 0:
        return Parsed(text, thought, (Malformed(_unclosed(text)),) if OPEN in text else ())
    calls, before = _calls(text, start)
    if not calls:
        return Parsed(text, thought, (), before or None)
    return Parsed(text, thought or before, tuple(calls))


def _thought(text: str) -> tuple[str, int]:
    """The thought and where the rest begins; -1 when `<think>` is never closed."""
    body = len(text) - len(text.lstrip())
    opened = text.startswith(THINK, body)
    end = text.find(UNTHINK, body)
    if opened and end < 0:
        return text[body + len(THINK) :].strip(), -1
    # Some models are prompted with the opening tag and write only the closing one.
    if not opened and (end < 0 or 0 <= text.find(OPEN) < end):
        return "", 0
    inner = text[body + len(THINK) : end] if opened else text[body:end]
    return inner.strip(), end + len(UNTHINK)


def _unclosed(text: str) -> str:
    return f"{THINK} at character {text.find(THINK)} is not closed; write {UNTHINK} before a call"


def _calls(text: str, start: int) -> tuple[list[Named | Malformed], str]:
    """The calls after `start` and the text before the first of them."""
    opening = text.find(OPEN, start)
    if opening < 0:
        stray = text.find(CLOSE, start)
        if stray < 0:
            return [], text[start:].strip()
        reason = f"{CLOSE} at character {stray} has no {OPEN} before it"
        return [Malformed(reason)], text[start:stray].strip()
    before = _unfenced(text[start:opening])
    calls: list[Named | Malformed] = []
    while opening >= 0 and len(calls) < MOST_CALLS:
        call, end = _call(text, opening + len(OPEN))
        calls.append(call)
        opening = text.find(OPEN, end)
    return calls, before


def _unfenced(text: str) -> str:
    text = text.strip()
    last = text.rfind("\n") + 1
    return text[:last].strip() if FENCE.fullmatch(text[last:]) else text


def _call(text: str, start: int) -> tuple[Named | Malformed, int]:
    """The call whose body starts at `start`, and where to look for the next one."""
    after = text.find(CLOSE, start)
    resume = after + len(CLOSE) if after >= 0 else start
    start = _skip(text, start)
    try:
        value, end = _decode(text, start)
    except json.JSONDecodeError as error:
        return Malformed(_at(text, error.pos, error.msg)), resume
    except RecursionError:
        return Malformed("the call is nested too deeply"), resume
    except ValueError as error:
        return Malformed(_at(text, start, str(error).split(";")[0])), resume
    end = _skip(text, end)
    if end < len(text) and not text.startswith((CLOSE, OPEN), end):
        return Malformed(_at(text, end, f"expected {CLOSE}")), max(resume, end)
    return _named(value), end


def _decode(text: str, start: int) -> tuple[Any, int]:
    """The JSON value at `start` and where it ends; a single trailing comma is forgiven."""
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        ends = [at for at in (text.find(OPEN, start), text.find(CLOSE, start)) if at >= 0]
        stop = min(ends, default=len(text))
        forgiven = text[:start] + _blank_commas(text[start:stop]) + text[stop:]
        return _DECODER.raw_decode(forgiven, start)


def _named(value: Any) -> Named | Malformed:
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
    try:
        json.dumps([value["name"], arguments], ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return Malformed("the call holds characters that are not text")
    return Named(value["name"].strip(), arguments)


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


def _at(text: str, position: int, what: str) -> str:
    if position >= len(text):
        return f"the call ends too early at character {len(text)}: {what}; write {SHAPE}"
    return f"bad character {text[position]!r} at {position}: {what}; write {SHAPE}"


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
