"""Writes a whole folder for one trainer: a file for each split, images beside it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from pixelis.data.episodes import TRAP, Sample
from pixelis.data.exports.talk import Shelf, first_of_each
from pixelis.data.readers.row import Rejections
from pixelis.errors import ConfigError, DataError, MediaError

TRAINERS = ("trl", "llamafactory", "verl", "openrlhf")
PROMPTS_ONLY = ("verl", "openrlhf")
DEFAULT_SPLIT = "train"


@dataclass
class Exported:
    """What was written, and what could not be.

    Attributes:
        rows: how many, by file name.
        traps: episodes left out because nobody shall imitate them.
        slips: episodes left out because the trainer would imitate their wrong steps.
    """

    rows: dict[str, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    traps: int = 0
    slips: int = 0


def export(
    samples: Iterable[Sample],
    trainer: str,
    folder: Path,
    rejections: Rejections,
    keep_slips: bool = False,
) -> Exported:
    """Writes the samples as `trainer` loads them; those with broken media go into `rejections`.

    Args:
        keep_slips: also write episodes with steps that are wrong on purpose, although a trainer
            that imitates whole episodes learns those steps too.

    Raises ConfigError for a trainer that is not one of `TRAINERS`.
    """
    if trainer not in TRAINERS:
        raise ConfigError(f"trainer {trainer!r}: allowed are {', '.join(TRAINERS)}")
    module = import_module(f"pixelis.data.exports.{trainer}")
    exported = Exported()
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.kind == TRAP and trainer not in PROMPTS_ONLY:
            exported.traps += 1
        elif sample.episode.slips and trainer not in PROMPTS_ONLY and not keep_slips:
            exported.slips += 1
        else:
            groups[sample.split or DEFAULT_SPLIT].append(sample)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for split, group in sorted(groups.items()):
            chosen = first_of_each(group) if trainer in PROMPTS_ONLY else iter(group)
            rows = _rows(module, chosen, Shelf(folder), rejections)
            _write(module, rows, folder, split, exported)
        exported.files += module.finish(folder, list(exported.files))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    return exported


def _rows(
    module: Any, samples: Iterator[Sample], shelf: Shelf, rejections: Rejections
) -> Iterator[dict[str, Any]]:
    index = 0
    for sample in samples:
        try:
            row = module.row_of(sample, shelf, index)
        except (MediaError, DataError) as error:
            rejections.add(sample.broken(error))
            continue
        index += 1
        yield row


def _write(
    module: Any, rows: Iterator[dict[str, Any]], folder: Path, split: str, exported: Exported
) -> None:
    if hasattr(module, "write"):
        path = folder / f"{split}.parquet"
        count = module.write(rows, path)
    else:
        path, count = folder / f"{split}.jsonl", 0
        with path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
    exported.rows[path.name] = count
    exported.files.append(path)
