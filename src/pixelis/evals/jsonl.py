"""Anybody's own questions: one JSON object per line, pictures and videos beside the file.

    {"id": "door-1", "image": "media/door.jpg", "question": "What does the sign say?",
     "answer": "Closed", "answer_type": "text", "family": "signs"}

`image` or `video` is a path relative to the file; `answer` is a string, a number, or a list (any
of them counts; for `list` they are the entries); `answer_type` is one of the scorer's types or
`unknown` (right when the agent says that it cannot know); `choices` belongs to `option`; `family`
groups the results (default: the answer type).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from pixelis.answers import normalize
from pixelis.errors import DataError
from pixelis.evals.question import QUESTION_TYPES, UNKNOWN, Benchmark, Question

FIELDS = (
    *("id", "image", "video", "question", "answer", "answer_type", "choices", "family"),
    *("kind", "difficulty", "domain", "source"),
)


def read_jsonl(path: Path, limit: int | None = None) -> Benchmark:
    """The benchmark in a file, its first `limit` questions.

    Raises DataError naming file, line and field; every record is checked before anything is asked.
    """
    try:
        raw = path.read_bytes()
        # Not splitlines: it would also cut at U+2028 and the like, which JSON allows in a text.
        lines = raw.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give a JSONL file") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    questions = [
        _Record(path, number, line).question()
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not questions:
        raise DataError(f"{path}: holds no questions; one JSON object per line is needed")
    twice = [name for name, count in Counter(one.id for one in questions).items() if count > 1]
    if twice:
        raise DataError(f"{path}: id: {twice[0]!r} stands more than once; ids must differ")
    chosen = questions[:limit]
    settings = {"file": path.name, "sha256": hashlib.sha256(raw).hexdigest(), "limit": limit}
    ids = tuple(question.id for question in chosen)
    return Benchmark("jsonl", ids, chosen.__getitem__, settings, frozen=True)


class _Record:
    """One line on its way to a question; errors name file, line and field."""

    def __init__(self, path: Path, number: int, line: str) -> None:
        self.path, self.number = path, number
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            reason = f"not JSON ({error.msg} at character {error.pos})"
            raise DataError(f"{path}:{number}: {reason}") from error
        except RecursionError as error:
            raise DataError(f"{path}:{number}: not a record (nested too deeply)") from error
        if not isinstance(record, dict):
            raise DataError(f"{path}:{number}: came {type(record).__name__}; an object is needed")
        self.record: dict[str, Any] = record
        for name in record:
            if name not in FIELDS:
                raise self.wrong(name, f"unknown field; fields are {', '.join(FIELDS)}")

    def wrong(self, name: str, reason: str) -> DataError:
        return DataError(f"{self.path}:{self.number}: {name}: {reason}")

    def question(self) -> Question:
        allowed = ", ".join(QUESTION_TYPES)
        if "answer_type" not in self.record:
            raise self.wrong("answer_type", f"is missing; give one of {allowed}")
        kind = self.text("answer_type")
        if kind not in QUESTION_TYPES:
            raise self.wrong("answer_type", f"came {kind!r}; allowed are {allowed}")
        media = self.media()
        choices = self.choices(kind)
        gold = self.gold(kind)
        self.check_readable(gold, kind, choices)
        return Question(
            id=self.name("id"),
            media=media,
            text=self.text("question"),
            gold=gold,
            answer_type=kind,
            family=self.optional("family") or kind,
            picture=Path(self.record.get("image") or self.record["video"]).as_posix(),
            choices=choices,
            difficulty=self.optional("difficulty"),
            domain=self.optional("domain"),
        )

    def text(self, name: str) -> str:
        value = self.record.get(name)
        if name not in self.record:
            raise self.wrong(name, "is missing")
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, f"came {_short(value)}; a text is needed")
        return value

    def name(self, field: str) -> str:
        value = self.record.get(field)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(field)

    def optional(self, name: str) -> str:
        return self.text(name) if self.record.get(name) is not None else ""

    def media(self) -> Path:
        given = [name for name in ("image", "video") if self.record.get(name) is not None]
        if len(given) != 1:
            raise self.wrong("image", "exactly one of 'image' and 'video' is needed")
        found = self.path.parent / self.text(given[0])
        if not found.is_file():
            raise self.wrong(given[0], f"{found} is no file; paths are relative to the JSONL file")
        return found

    def gold(self, kind: str) -> str | tuple[str, ...]:
        value = self.record.get("answer")
        if kind == UNKNOWN:
            return UNKNOWN
        if kind == "box" and isinstance(value, list) and all(map(_is_number, value)):
            value = json.dumps(value)
        if isinstance(value, list) and value:
            return tuple(self.one_gold(entry) for entry in value)
        return self.one_gold(value)

    def check_readable(
        self, gold: str | tuple[str, ...], kind: str, choices: tuple[str, ...] | None
    ) -> None:
        """Refuses a gold answer that only the very same wrong words could meet."""
        for text in [gold] if isinstance(gold, str) else gold:
            if kind == "number" and normalize.number(text) is None:
                raise self.wrong("answer", f"came {_short(text)}; a number is needed")
            if kind == "box" and normalize.box(text) is None:
                raise self.wrong("answer", f"came {_short(text)}; a box [x1, y1, x2, y2] is needed")
            if kind == "option" and choices and not _among(text, choices):
                raise self.wrong("answer", f"came {_short(text)}; it is none of the choices")

    def one_gold(self, value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if _is_number(value):
            return f"{value}"
        if not isinstance(value, str) or not value.strip():
            raise self.wrong("answer", f"came {_short(value)}; a text, number or list is needed")
        return value

    def choices(self, kind: str) -> tuple[str, ...] | None:
        value = self.record.get("choices")
        if value is None:
            return None
        if kind != "option":
            raise self.wrong("choices", f"belongs to answer_type 'option', not {kind!r}")
        if not isinstance(value, list) or not 2 <= len(value) <= 26:
            raise self.wrong("choices", f"came {_short(value)}; a list of 2 to 26 texts is needed")
        return tuple(self.one_gold(entry) for entry in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _among(text: str, choices: tuple[str, ...]) -> bool:
    index = normalize.option(text, choices)
    return index is not None and index < len(choices)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
