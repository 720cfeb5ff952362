"""Texts from files: TinyStories and whatever else is given, as a list of strings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from pixelis.errors import ConfigError, DataError, MissingExtraError

END = "<|endoftext|>"  # between stories of TinyStories' own text files
SUFFIXES = (".txt", ".jsonl", ".parquet")
LEAST_WORDS = 5
PLACES = ("TinyStories", "tinystories", "data/TinyStories", "data/tinystories")
VARIABLE = "PIXELIS_TINYSTORIES"


def find_tinystories() -> Path | None:
    """A local copy: the folder or file named by PIXELIS_TINYSTORIES, or one here by its name.

    ConfigError when the variable names nothing.
    """
    named = os.environ.get(VARIABLE, "")
    if named:
        if not Path(named).exists():
            raise ConfigError(f"{VARIABLE} is {named}, which is not there; unset it or mend it")
        return Path(named)
    return next((Path(place) for place in PLACES if Path(place).is_dir()), None)


def read_texts(path: Path, most: int | None = None) -> list[str]:
    """The first `most` texts of a file, or of the training files of a folder.

    .txt: texts end at `<|endoftext|>`, or without it at an empty line; .jsonl: the string `text`
    of every line; .parquet: its column `text`. DataError names what cannot be read.
    """
    files = sorted(_files(path))
    if not files:
        raise DataError(f"{path} holds no text; give {', '.join(SUFFIXES)} or a folder of them")
    found: list[str] = []
    for file in files:
        for text in _texts(file):
            if len(text.split()) >= LEAST_WORDS:
                found.append(text)
            if most is not None and len(found) >= most:
                return found
    if not found:
        raise DataError(f"{path} holds no text of {LEAST_WORDS} words or more")
    return found


def tinystories_from_hub(allow_download: bool, most: int | None = None) -> list[str]:
    """TinyStories by its hub id, from the cache or fetched; DataError when it is not to be had."""
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("datasets", "train") from error
    if not allow_download:
        raise DataError(
            f"TinyStories is not here; set {VARIABLE} to a copy, add --allow-download, "
            "or take --dataset generator"
        )
    try:
        rows = datasets.load_dataset("roneneldan/TinyStories", split="train", streaming=True)
        return [row["text"] for row, _ in zip(rows, range(most or 1 << 40), strict=False)]
    except (OSError, ValueError, ConnectionError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"TinyStories cannot be fetched: {reason}") from error


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise DataError(f"{path}: files of text are {', '.join(SUFFIXES)}")
        yield path
    elif path.is_dir():
        found = [each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file()]
        yield from [each for each in found if "valid" not in each.name] or found
    else:
        raise DataError(f"{path} is not there; give a file or folder of text")


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    try:
        with path.open(encoding="utf-8") as file:
            yield from _records(path, file) if path.suffix == ".jsonl" else _stories(file)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text: {error}") from error


def _stories(file: TextIO) -> Iterator[str]:
    """Stories between end marks, or paragraphs where the beginning of the file has no mark."""
    marked = END in file.read(1 << 20)
    file.seek(0)
    story: list[str] = []
    for line in file:
        if END in line or (not marked and not line.strip()):
            before = line.split(END)[0].strip()
            story += [before] if before else []
            if story:
                yield " ".join(story)
            story = []
        elif line.strip():
            story.append(line.strip())
    if story:
        yield " ".join(story)


def _records(path: Path, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: no JSON object with a field text") from error
        if not isinstance(text, str):
            raise DataError(f"{path}, line {number}: text is no string")
        yield text


def _parquet(path: Path) -> Iterator[str]:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingExtraError("pyarrow", "train") from error
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["text"]):
                yield from (str(value) for value in batch.column(0))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} is no parquet file with a column text: {error}") from error
