"""Reads JSON files without holding them: lines of JSONL, and the elements of one big document.

Memory is bounded by the longest element allowed (`ELEMENT_BYTES`), not by the file. An element
that is longer, not UTF-8 or not JSON is passed on as a `RecordError` with its place; a document
whose brackets do not match ends the reading with a DataError, because nothing after it is sure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from pixelis.data.readers.row import Raw, RecordError, Row, short
from pixelis.errors import DataError

ELEMENT_BYTES = 32 * 2**20
CHUNK_BYTES = 1 << 20
_SPACE = re.compile(rb"[ \t\r\n]*")
_OUTSIDE = re.compile(rb'["{}\[\],]')
_NESTED = re.compile(rb'["{}\[\]]')
_STRING = re.compile(rb'["\\]')
_BOM = b"\xef\xbb\xbf"


class Piece(NamedTuple):
    """A value of a document: under which key, which one there, and its bytes.

    Attributes:
        number: place in the array under `key`, None when the value is no array's element.
        offset: of the first byte in the file.
        data: its bytes; None when there are more than allowed.
    """

    key: str
    number: int | None
    offset: int
    length: int
    data: bytes | None

    @property
    def place(self) -> str:
        return self.key if self.number is None else f"{self.key}[{self.number}]"


def json_lines(path: Path, most: int = ELEMENT_BYTES) -> Iterator[Raw]:
    """The objects of a JSONL file, one a line; empty lines are passed over."""
    with opened(path) as file:
        number = 0
        while line := file.readline(most + 1):
            number += 1
            place = f"line {number}"
            if len(line) > most and not line.endswith(b"\n"):
                yield _too_long(path, place, len(line) + _skip_line(file), most)
            elif line.strip():
                yield parsed(line.removeprefix(_BOM) if number == 1 else line, path, place)


def json_items(path: Path, key: str = "", most: int = ELEMENT_BYTES) -> Iterator[Raw]:
    """The objects of a document that is an array, or of the array under `key` of an object.

    Raises DataError when the document has no such array or its brackets do not match.
    """
    seen = False
    for piece in pieces(path, most):
        if piece.key != key:
            continue
        seen = True
        if piece.number is None:
            if piece.data is not None and piece.data.strip() == b"[]":
                continue
            raise DataError(f"{path}: {key or 'the document'}: an array of records is needed")
        yield row_of(piece, path, most)
    if not seen:
        raise DataError(f"{path}: {key or 'the document'}: is missing; an array is needed")


def json_values(path: Path, most: int = ELEMENT_BYTES) -> Iterator[tuple[str, Raw]]:
    """Key and value of a document that is an object of objects."""
    for piece in pieces(path, most):
        if piece.number is not None:
            raise DataError(f"{path}: {piece.key}: came an array; an object of records is needed")
        yield piece.key, row_of(piece, path, most)


def row_of(piece: Piece, path: Path, most: int = ELEMENT_BYTES) -> Raw:
    """A piece as a row, or what is wrong with it."""
    place = piece.place if piece.key else f"record {piece.number}"
    if piece.data is None:
        return _too_long(path, place, piece.length, most)
    return parsed(piece.data, path, place)


def parsed(data: bytes, path: Path, place: str) -> Raw:
    """The object in a JSON text, or what is wrong with it."""
    where = f"{path}: {place}"
    try:
        value = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        told = f"not UTF-8 at byte {error.start}; save it as UTF-8"
        return RecordError(where, "", told, "not UTF-8")
    except json.JSONDecodeError as error:
        told = f"not JSON ({error.msg} at character {error.pos})"
        return RecordError(where, "", told, "not JSON")
    except RecursionError:
        return RecordError(where, "", "nested too deeply", "nested too deeply")
    if not isinstance(value, dict):
        told = f"came {short(value)}; an object is needed"
        return RecordError(where, "", told, "not an object")
    return Row(value, path, place)


def load_json(path: Path, most: int = ELEMENT_BYTES) -> Any:
    """A small document as a whole; DataError names file and reason."""
    with opened(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise DataError(f"{path}: is longer than {most} bytes; it cannot be such a file")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{path}: not JSON ({error.msg} at {where})") from error
    except RecursionError as error:
        raise DataError(f"{path}: nested too deeply") from error


def pieces(path: Path, most: int = ELEMENT_BYTES) -> Iterator[Piece]:
    """Every element of the arrays of a document, and every other value of its top level."""
    with opened(path) as file:
        scanner = Scanner(file, path, most)
        first = scanner.peek()
        if first == b"[":
            yield from _array(scanner, "")
        elif first == b"{":
            yield from _object(scanner)
        else:
            raise scanner.broken("an array or object is needed")
        if scanner.peek():
            raise scanner.broken("something follows the end of the document")


def opened(path: Path) -> IO[bytes]:
    """The file for reading; DataError when that is not possible."""
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give the file") from error


def _object(scanner: Scanner) -> Iterator[Piece]:
    scanner.expect(b"{")
    while scanner.peek() != b"}":
        name = scanner.value("")
        key = parsed(b'{"key":' + (name.data or b"null") + b"}", scanner.path, "key")
        if not isinstance(key, Row) or not isinstance(key.value["key"], str):
            raise scanner.broken("the name of a field is needed")
        scanner.expect(b":")
        label = key.value["key"]
        if scanner.peek() == b"[":
            yield from _array(scanner, label)
        else:
            yield scanner.value(label)
        if scanner.peek() == b",":
            scanner.expect(b",")
        elif scanner.peek() != b"}":
            raise scanner.broken("a comma or a closing brace is needed")
    scanner.expect(b"}")


def _array(scanner: Scanner, key: str) -> Iterator[Piece]:
    offset = scanner.offset
    scanner.expect(b"[")
    index = 0
    while scanner.peek() != b"]":
        yield scanner.value(key, index)
        index += 1
        if scanner.peek() == b",":
            scanner.expect(b",")
        elif scanner.peek() != b"]":
            raise scanner.broken("a comma or a closing bracket is needed")
    scanner.expect(b"]")
    if index == 0:
        yield Piece(key, None, offset, 2, b"[]")


class Scanner:
    """Walks over a JSON document in chunks, cutting out values without understanding them."""

    def __init__(self, file: IO[bytes], path: Path, most: int) -> None:
        self.file, self.path, self.most = file, path, most
        self.buffer = file.read(CHUNK_BYTES)
        self.base = 0
        self.at = len(_BOM) if self.buffer.startswith(_BOM) else 0

    @property
    def offset(self) -> int:
        return self.base + self.at

    def peek(self) -> bytes:
        """The next byte that is no space; nothing at the end of the file."""
        while True:
            match = _SPACE.match(self.buffer, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.buffer):
                return self.buffer[self.at : self.at + 1]
            if not self._fill():
                return b""

    def expect(self, byte: bytes) -> None:
        if self.peek() != byte:
            raise self.broken(f"{byte.decode()!r} is needed")
        self.at += 1

    def broken(self, told: str) -> DataError:
        if not self.peek():
            told = "the file ends too early"
        return DataError(f"{self.path}: not JSON at byte {self.offset}: {told}")

    def value(self, key: str, index: int | None = None) -> Piece:
        """The next value; its bytes are dropped when there are more than allowed."""
        self.peek()
        start, kept, length = self.offset, bytearray(), 0
        for part in self._parts():
            length += len(part)
            if length <= self.most:
                kept += part
        if not length:
            raise self.broken("a value is needed")
        data = bytes(kept) if length <= self.most else None
        return Piece(key, index, start, length, data)

    def _parts(self) -> Iterator[bytes]:
        """The bytes of one value, in parts."""
        depth, inside = 0, False
        while True:
            pattern = _STRING if inside else _NESTED if depth else _OUTSIDE
            match = pattern.search(self.buffer, self.at)
            if match is None:
                yield self._take(len(self.buffer))
                if not self._fill():
                    raise self.broken("the file ends inside a value")
                continue
            token = match[0]
            if token == b"\\":  # the byte after it is no token, wherever it is
                yield self._take(match.end())
                if self.at >= len(self.buffer) and not self._fill():
                    raise self.broken("the file ends inside a text")
                yield self._take(self.at + 1)
                continue
            if token == b'"':
                inside = not inside
            elif token in b"{[":
                depth += 1
            elif depth == 0:  # a number or word ended before this comma or bracket
                yield self._take(match.start())
                return
            else:
                depth -= 1
            yield self._take(match.end())
            if depth == 0 and not inside:
                return

    def _take(self, end: int) -> bytes:
        part, self.at = self.buffer[self.at : end], end
        return part

    def _fill(self) -> bool:
        """Goes on to the next chunk; what was not taken of this one is kept."""
        chunk = self.file.read(CHUNK_BYTES)
        self.base += self.at
        self.buffer = self.buffer[self.at :] + chunk
        self.at = 0
        return bool(chunk)


def _skip_line(file: IO[bytes]) -> int:
    """Passes over the rest of a line; how many bytes it had."""
    passed = 0
    while part := file.readline(CHUNK_BYTES):
        passed += len(part)
        if part.endswith(b"\n"):
            break
    return passed


def _too_long(path: Path, place: str, length: int, most: int) -> RecordError:
    told = f"is {length} bytes long; at most {most} are allowed"
    return RecordError(f"{path}: {place}", "", told, "too long")
