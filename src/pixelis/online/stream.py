"""Streams of questions: one JSON object a line.

    {"request_id": "q1", "question": "How many cars?", "image": "media/car.png",
     "answer_type": "number"}

`image` or `video` is a path relative to the file; `answer_type`, `choices`, `family`, `user` and
`embedding` (a list of numbers) are optional. Other fields, gold answers among them, are not read.
A text-ready record brings `input_ids` (with `attention_mask` and `labels`, if it has them) in place
of `question`: what is not masked and not labelled is decoded with the model's tokenizer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelis.answers import ANSWER_TYPES
from pixelis.errors import DataError

Decode = Callable[[Sequence[int]], str]
HUGE = 1e15  # squares and their sum stay within float32
IGNORED = -100  # in `labels`: not written by the model


@dataclass(frozen=True)
class Record:
    """One question of a stream.

    Attributes:
        media: path of its picture or video, None without.
        line: in the file, from 1.
        experience: id under which it is kept, and under which its user may have spoken of it
            already; empty makes a new one.
    """

    request_id: str
    question: str
    media: Path | None = None
    answer_type: str = ""
    choices: tuple[str, ...] = ()
    family: str = ""
    user: str = ""
    embedding: tuple[float, ...] | None = None
    line: int = 0
    experience: str = ""

    @property
    def content(self) -> str:
        """What makes it this question; an id must not come back with another one."""
        media = "" if self.media is None else os.path.abspath(self.media)  # from wherever it is run
        return json.dumps([self.question, media], ensure_ascii=False)


def read_stream(path: Path, decode: Decode | None = None) -> Iterator[Record]:
    """The records of a file, one by one; a last line without an end that is no JSON is left out,
    as it is still being written.

    Raises DataError naming file, line and field.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError) as error:
                    if not line.endswith(b"\n"):
                        return
                    raise DataError(
                        f"{path}:{number}: not JSON ({error}); give one object a line"
                    ) from error
                yield record(value, path, number, decode)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give a JSONL file") from error


def record(value: Any, path: Path, line: int, decode: Decode | None = None) -> Record:
    """A checked record; DataError names the field."""

    def wrong(field: str, what: str) -> DataError:
        return DataError(f"{path}:{line}: {field}: {what}")

    if not isinstance(value, dict):
        raise wrong("record", "must be an object")
    name = value.get("request_id")
    if not isinstance(name, str | int) or isinstance(name, bool) or str(name) == "":
        raise wrong("request_id", "must be a text that is not empty")
    if "image" in value and "video" in value:
        raise wrong("video", "give image or video, not both")
    given = value.get("image", value.get("video"))
    if given is not None and (not isinstance(given, str) or not given):
        raise wrong("image", "must be a path relative to the file")
    kind = value.get("answer_type") or ""
    if kind and kind not in ANSWER_TYPES:
        raise wrong("answer_type", f"{kind!r}; allowed: {', '.join(ANSWER_TYPES)}")
    for field in ("family", "user"):
        if not isinstance(value.get(field, ""), str):
            raise wrong(field, "must be a text")
    choices = value.get("choices") or ()
    if not isinstance(choices, list | tuple) or not all(isinstance(c, str) for c in choices):
        raise wrong("choices", "must be a list of texts")
    return Record(
        str(name), _question(value, decode, wrong), None if given is None else path.parent / given,
        kind, tuple(choices), value.get("family", ""), value.get("user", ""),
        _numbers(value.get("embedding"), wrong), line,
    )  # fmt: skip


def _question(value: dict[str, Any], decode: Decode | None, wrong: Callable[..., DataError]) -> str:
    text = value.get("question")
    if text is None and "input_ids" in value:
        if decode is None:
            raise wrong("input_ids", "this model has no tokenizer here; give question")
        text = decode(_prompt_ids(value, wrong))
    if not isinstance(text, str) or not text.strip():
        raise wrong("question", "must be a text that is not empty")
    return text.strip()


def _prompt_ids(value: dict[str, Any], wrong: Callable[..., DataError]) -> list[int]:
    """Ids that are neither padding nor the model's own part."""
    columns: dict[str, list[int]] = {}
    for field in ("input_ids", "attention_mask", "labels"):
        column = value.get(field)
        if column is None and field != "input_ids":
            continue
        if isinstance(column, list) and len(column) == 1 and isinstance(column[0], list):
            column = column[0]  # a batch of one
        if not isinstance(column, list) or any(type(number) is not int for number in column):
            raise wrong(field, "must be a list of whole numbers")
        columns[field] = column
    ids = columns["input_ids"]
    mask = columns.get("attention_mask", [1] * len(ids))
    labels = columns.get("labels", [IGNORED] * len(ids))
    if not len(ids) == len(mask) == len(labels):
        raise wrong("labels", "input_ids, attention_mask and labels must be of one length")
    if labels == ids:  # a text to continue, as for a language model: nothing is set apart
        labels = [IGNORED] * len(ids)
    rows = zip(ids, mask, labels, strict=True)
    return [one for one, seen, label in rows if seen and label == IGNORED]


def _numbers(value: Any, wrong: Callable[..., DataError]) -> tuple[float, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        raise wrong("embedding", "must be a list of numbers")
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in value):
        raise wrong("embedding", "must be a list of numbers")
    largest = max(abs(n) for n in value)
    if any(n != n for n in value) or not 1 / HUGE <= largest <= HUGE:
        raise wrong("embedding", f"must be numbers up to {HUGE:g}, not all of them 0")
    return tuple(float(n) for n in value)
