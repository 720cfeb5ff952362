"""Rows on their way to records: fields are asked for by name and kind, and what is wrong is named.

A row that cannot be used becomes a `RecordError`: file, place, field, what came and what is
allowed. Readers yield these instead of raising, so that the good rows are kept.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pixelis.errors import DataError
from pixelis.geometry import Box

Made = TypeVar("Made")
SHOWN = 60  # characters of a value quoted in a message
FIRST = 20  # messages kept by a rejection report


class RecordError(DataError):
    """One record that cannot be used; the others can.

    Attributes:
        reason: a few words that stay the same over records, to be counted.
    """

    def __init__(self, where: str, field: str, told: str, reason: str) -> None:
        super().__init__(f"{where}: {field}: {told}" if field else f"{where}: {told}")
        self.field = field
        self.reason = f"{field.split('[')[0]}: {reason}" if field else reason


@dataclass
class Rejections:
    """What was read, what was kept, and why the rest was not.

    Attributes:
        reasons: how often each reason came.
        first: the first messages in full.
    """

    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def add(self, error: RecordError) -> None:
        self.reasons[error.reason] += 1
        if len(self.first) < FIRST:
            self.first.append(str(error))

    @property
    def rejected(self) -> int:
        return sum(self.reasons.values())

    def report(self) -> dict[str, Any]:
        """Plain JSON values, commonest reason first."""
        return {
            "kept": self.kept,
            "rejected": self.rejected,
            "reasons": dict(self.reasons.most_common()),
            "first": list(self.first),
        }


@dataclass(frozen=True)
class Row:
    """An object of a file, and where it stands there.

    Attributes:
        place: `line 3`, `annotations[17]`, `row 4`.
        prefix: path of this object inside its record, for nested ones.
    """

    value: Mapping[str, Any]
    file: Path
    place: str
    prefix: str = ""

    @property
    def where(self) -> str:
        return f"{self.file}: {self.place}"

    def wrong(self, name: str, told: str, reason: str) -> RecordError:
        """The error for a field of this row."""
        return RecordError(self.where, f"{self.prefix}{name}", told, reason)

    def has(self, name: str) -> bool:
        """True when the field is there and not null."""
        return self.value.get(name) is not None

    def raw(self, name: str, allowed: str) -> Any:
        """The field's value; RecordError when it is missing or null."""
        if name not in self.value:
            raise self.wrong(name, f"is missing; {allowed} is needed", "missing")
        return self.value[name]

    def text(self, name: str) -> str:
        """A text that is not empty."""
        value = self.raw(name, "a text")
        if not isinstance(value, str) or not value.strip():
            raise self.mistyped(name, value, "a text")
        return value.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, at least one; a single text counts as a list of one."""
        value = self.raw(name, "a list of texts")
        values = [value] if isinstance(value, str) else value
        good = isinstance(values, list | tuple) and values
        if not good or not all(isinstance(one, str) and one.strip() for one in values):
            raise self.mistyped(name, value, "a list of texts")
        return tuple(one.strip() for one in values)

    def word(self, name: str) -> str:
        """A text or a whole number, as text; for ids."""
        value = self.raw(name, "a text or a whole number")
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value.strip():
            raise self.mistyped(name, value, "a text or a whole number")
        return value.strip()

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number within the bounds."""
        value = self.raw(name, "a number")
        if not is_number(value):
            raise self.mistyped(name, value, "a number")
        if not low <= value <= high:
            told = f"came {value:g}; {low:g} to {high:g} is allowed"
            raise self.wrong(name, told, "out of range")
        return float(value)

    def whole(self, name: str, low: int = 0) -> int:
        """A whole number of at least `low`."""
        value = self.raw(name, "a whole number")
        if not is_number(value) or value != int(value):
            raise self.mistyped(name, value, "a whole number")
        if value < low:
            raise self.wrong(name, f"came {value}; at least {low} is allowed", "out of range")
        return int(value)

    def items(self, name: str) -> list[Any]:
        """A list, possibly empty."""
        value = self.raw(name, "a list")
        if not isinstance(value, list):
            raise self.mistyped(name, value, "a list")
        return value

    def inner(self, name: str) -> Row:
        """A nested object as a row of its own."""
        value = self.raw(name, "an object")
        if not isinstance(value, Mapping):
            raise self.mistyped(name, value, "an object")
        return Row(value, self.file, self.place, f"{self.prefix}{name}.")

    def rows(self, name: str) -> list[Row]:
        """A list of objects, each as a row of its own."""
        found = []
        for index, value in enumerate(self.items(name)):
            if not isinstance(value, Mapping):
                raise self.mistyped(f"{name}[{index}]", value, "an object")
            found.append(Row(value, self.file, self.place, f"{self.prefix}{name}[{index}]."))
        return found

    def corner_box(self, name: str) -> Box:
        """A box given as [x, y, width, height]."""
        x, y, width, height = self._four(name, "[x, y, width, height]")
        return self._sized(name, Box(x, y, x + width, y + height))

    def edges_box(self, name: str) -> Box:
        """A box given as [x1, y1, x2, y2]."""
        return self._sized(name, Box(*self._four(name, "[x1, y1, x2, y2]")))

    def _four(self, name: str, form: str) -> tuple[float, float, float, float]:
        value = self.raw(name, f"four numbers {form}")
        four = isinstance(value, list | tuple) and len(value) == 4
        if not four or not all(map(is_number, value)):
            raise self.mistyped(name, value, f"four numbers {form}")
        return float(value[0]), float(value[1]), float(value[2]), float(value[3])

    def _sized(self, name: str, box: Box) -> Box:
        if box.width < 0 or box.height < 0:
            told = f"came a box of {box.width:g} by {box.height:g} px; sides cannot be negative"
            raise self.wrong(name, told, "negative box")
        return box

    def mistyped(self, name: str, value: Any, allowed: str) -> RecordError:
        """The error for a value of the wrong kind."""
        return self.wrong(name, f"came {short(value)}; {allowed} is needed", f"not {allowed}")


Raw = Row | RecordError


def each(
    rows: Iterable[Raw], make: Callable[[Row], Made | Iterable[Made]]
) -> Iterator[Made | RecordError]:
    """What `make` gives for each row; a row or record that is broken is passed on as its error."""
    for row in rows:
        if isinstance(row, RecordError):
            yield row
            continue
        try:
            made = make(row)
            yield from made if isinstance(made, list | tuple) else (made,)  # type: ignore[misc]
        except RecordError as error:
            yield error


def is_number(value: Any) -> bool:
    """A finite int or float; True and False are none."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and math.isfinite(value)


def short(value: Any) -> str:
    """A value as quoted in a message: its kind, and its beginning."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if value is None:
        return "null"
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 8:
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
