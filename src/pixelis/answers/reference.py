"""Answers written by reference: `{text_1}`, `{mask_2.color}`, `{text_1.line_3}`, `[crop_1]`.

`{text_1.first}` and `{text_1.last}` are its first and last line, without counting.

A reference stands for what an operation found, a citation at the end names what the answer rests
on. Expanding them gives the text for display and scoring and says which pixels each part came
from. What is not a reference to something known stays as it is written, so JSON is safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pixelis.answers.types import CANNOT
from pixelis.episode import Answer, Observation
from pixelis.geometry import Box

Handles = Mapping[str, Mapping[str, Any]]

REFERENCE = re.compile(r"\{([a-z]+_\d{1,4})((?:\.\w{1,40}){0,4})\}")
CITATION = re.compile(r"\[([a-z]+_\d{1,4}(?:, ?[a-z]+_\d{1,4}){0,15})\]\Z")
NUMBERED = re.compile(r"([a-z]+)_(\d{1,4})\Z")


class Span(NamedTuple):
    """Part of an expanded answer and where it came from.

    Attributes:
        start: first character in `Expansion.text`.
        end: one past the last character.
        handle: for example `text_1`.
        field: path below the handle, `line_3` (also where `last` was written); empty for the
            handle itself.
        box: in source pixels, None when the place is not known.
    """

    start: int
    end: int
    handle: str
    field: str
    box: Box | None


class Expansion(NamedTuple):
    """An answer ready for display.

    Attributes:
        text: references replaced, citations taken off.
        evidence: handles it refers to or cites, each once, in order of mention.
        spans: one for each replaced reference, in order.
        unknown: references and citations to nothing known, as written.
    """

    text: str
    evidence: tuple[str, ...]
    spans: tuple[Span, ...]
    unknown: tuple[str, ...]

    @property
    def hollow(self) -> bool:
        """It is made of references alone, and nothing was found behind any of them."""
        if any(self.text[span.start : span.end].strip() for span in self.spans):
            return False
        rest = CITATION.sub("", self.text.rstrip())
        said = re.search(r"\w", REFERENCE.sub("", rest))
        return bool(self.spans or self.unknown) and not said


def answered(raw: str, handles: Handles) -> tuple[Answer, Expansion]:
    """The answer that a text is, and how its references were expanded.

    What refers to nothing that was found says that it cannot be known, as a refusal does.
    """
    found = expand(raw, handles)
    text = CANNOT if found.hollow else found.text
    known = not (found.hollow or refuses(raw))
    return Answer(text, raw, found.evidence, known=known), found


def refuses(raw: str) -> bool:
    """True for an answer that says it cannot be known from the picture."""
    return raw.lstrip().replace("’", "'").startswith(CANNOT)


def expand(raw: str, handles: Handles) -> Expansion:
    """The answer with its references replaced by what the handles say.

    Args:
        raw: as the model wrote it.
        handles: fields by handle name; `box` among them is x1, y1, x2, y2 in source pixels.
    """
    body, cited, unknown_cited = _citations(raw.strip(), handles)
    parts: list[str] = []
    spans: list[Span] = []
    unknown: list[str] = []
    length = end = 0
    for match in REFERENCE.finditer(body):
        path = _numbered(match[1], match[2].lstrip("."), handles)
        value, box = _look_up(match[1], path, handles)
        if value is None:
            unknown.append(match[0])
            continue
        before = body[end : match.start()]
        length += len(before)
        spans.append(Span(length, length + len(value), match[1], path, box))
        parts += [before, value]
        length += len(value)
        end = match.end()
    parts.append(body[end:])
    evidence = tuple(dict.fromkeys([*(span.handle for span in spans), *cited]))
    return Expansion("".join(parts), evidence, tuple(spans), (*unknown, *unknown_cited))


def _numbered(handle: str, path: str, handles: Handles) -> str:
    """`first` and `last` of a text as `line_1` and `line_9`; any other path as it is."""
    lines = handles.get(handle, {}).get("lines")
    if path not in ("first", "last") or not isinstance(lines, Sequence) or not lines:
        return path
    return f"line_{1 if path == 'first' else len(lines)}"


def handles_of(observations: Iterable[Observation]) -> dict[str, dict[str, Any]]:
    """The handles that observations introduced, with their fields and box."""
    found: dict[str, dict[str, Any]] = {}
    for seen in observations:
        if seen.handle is not None:
            place = {} if seen.box is None else {"box": list(seen.box)}
            found[seen.handle] = {**place, **seen.data}
    return found


def _citations(body: str, handles: Handles) -> tuple[str, list[str], list[str]]:
    """The answer without the citations at its end, the handles cited, and unknown citations."""
    cited: list[str] = []
    unknown: list[str] = []
    while body.endswith("]"):
        match = CITATION.search(body[body.rfind("[") :]) if "[" in body else None
        if match is None:
            break
        names = [name.strip() for name in match[1].split(",")]
        missing = [name for name in names if name not in handles]
        if missing:
            unknown += [f"[{name}]" for name in missing]
            break
        cited = names + cited
        body = body[: body.rfind("[")].rstrip()
    return body, cited, unknown


def _look_up(name: str, path: str, handles: Handles) -> tuple[str | None, Box | None]:
    fields = handles.get(name)
    if fields is None:
        return None, None
    value: Any = fields
    box = _box(fields)
    for key in path.split(".") if path else ():
        value = _member(value, key)
        box = _box(value) or box
    return _shown(value), box


def _member(value: Any, key: str) -> Any:
    """`key` of a mapping; `line_3` also finds the third of `lines`."""
    if not isinstance(value, Mapping):
        return None
    if key in value:
        return value[key]
    match = NUMBERED.match(key)
    if match is None:
        return None
    listed = value.get(match[1] + "s")
    number = int(match[2])
    if isinstance(listed, Sequence) and not isinstance(listed, str) and 1 <= number <= len(listed):
        return listed[number - 1]
    return None


def _shown(value: Any) -> str | None:
    """How a field reads in an answer; None when it has no short reading."""
    if isinstance(value, Mapping):
        return next((value[k] for k in ("text", "name") if isinstance(value.get(k), str)), None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, Sequence):
        shown = [_shown(item) for item in value]
        return None if None in shown or not shown else ", ".join(item for item in shown if item)
    return None


def _box(value: Any) -> Box | None:
    box = value.get("box") if isinstance(value, Mapping) else None
    if not isinstance(box, Sequence) or isinstance(box, str) or len(box) != 4:
        return None
    return Box(*box) if all(isinstance(side, int | float) for side in box) else None
