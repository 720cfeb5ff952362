"""What fine-tuning learns from: the good records of files of episodes (`pixelis.data.episodes`),
and which of them are held out to be asked about.

Traps are never imitated, so records of that kind are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelis.data.episodes import BANDS, TRAP, Sample, read_samples
from pixelis.data.readers.row import RecordError, Rejections
from pixelis.errors import DataError, MediaError

HELD_OUT = (
    "test",
    "eval",
    "evaluation",
    "held_out",
    "heldout",
    "val",
    "valid",
    "validation",
    "dev",
)

__all__ = ["Sample", "bands", "read", "split", "whole"]


def read(places: Sequence[Path], rejections: Rejections | None = None) -> list[Sample]:
    """Every good episode of these files and folders, in order, traps left out.

    Args:
        rejections: gets what is broken, with file, line and field; None ends the reading there.

    Raises DataError when nothing is left, or for a broken record without `rejections`.
    """
    found = (sample for place in places for sample in read_samples(place, rejections))
    kept = [one for one in found if one.kind != TRAP and _weighs(one, rejections)]
    if not kept:
        told = ", ".join(map(str, places))
        first = f"; {rejections.first[0]}" if rejections and rejections.first else ""
        raise DataError(
            f"{told}: holds no episodes to learn{first}; make some with `pixelis data make`"
        )
    return kept


def _weighs(sample: Sample, rejections: Rejections | None) -> bool:
    """Whether the weight is one; else it is told."""
    try:
        return sample.weight > 0
    except RecordError as error:
        if rejections is None:
            raise
        rejections.kept -= 1
        rejections.add(error)
        return False


def split(samples: Sequence[Sample], held_out: int) -> tuple[list[Sample], list[Sample]]:
    """What is learned and what is only asked about: no picture is in both.

    Records whose `split` says so are held out. Without any, pictures are taken from the end until
    `held_out` episodes are kept back, though never more than a quarter.
    """
    named = {sample.picture for sample in samples if sample.split.lower() in HELD_OUT}
    if not named:
        most = min(held_out, len(samples) // 4)
        kept = 0
        for sample in reversed(samples):
            if kept < most or sample.picture in named:
                named.add(sample.picture)
                kept += 1
    learned = [sample for sample in samples if sample.picture not in named]
    asked = [sample for sample in samples if sample.picture in named]
    if not learned:
        raise DataError("every episode is held out; give some whose split is train")
    return learned, asked


def whole(samples: Sequence[Sample], rejections: Rejections) -> list[Sample]:
    """Those whose media can be opened, so that no question fails in the middle of a run."""
    kept = []
    for sample in samples:
        try:
            sample.open().close()
            kept.append(sample)
        except MediaError as error:
            rejections.kept -= 1
            rejections.add(sample.broken(error))
    return kept


def bands(samples: Sequence[Sample]) -> tuple[str, ...]:
    """`easy`, `medium` or `hard` of each, so that a curriculum has all three to choose from.

    As recorded where a word says it. Scores are cut at the thirds of those that are there: what
    counts is which episodes of this set are the harder ones, and no score fills [0, 1] evenly.
    """
    scores = [sample.score for sample in samples]
    known = [score for score in scores if score is not None]
    low, high = np.quantile(known, (1 / 3, 2 / 3)) if known else (0.0, 0.0)
    return tuple(
        sample.band if score is None else BANDS[int(score > low) + int(score > high)]
        for sample, score in zip(samples, scores, strict=True)
    )
