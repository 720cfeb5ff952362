"""How hard an episode is, and how often a trainer should draw it.

`difficulty` in [0, 1] is the mean of four signs: the share of the allowed steps that were needed,
how small the smallest place looked at is (the square root of its share of the picture, from 1
down to 0), how many calls failed or were repeated, and how long the answer is. It says nothing
about a model; measured accuracy does, when it is known.

`weight` is proportional to how often a record should be drawn: every family counts the same
(limited by `CAP`), within a family golden and self-correction episodes in the shares of `MIX`,
and traps never when they would be imitated (weight 0). The mean over all records is 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pixelis.data.episodes import CORRECTION, GOLDEN, TRAP, Sample
from pixelis.episode import Episode

MOST_STEPS = 20
MIX = {GOLDEN: 0.75, CORRECTION: 0.25, TRAP: 0.0}  # 60 to 20 without the traps
CAP = 3.0  # a family is drawn at most so many times as often as its records alone would be
LONG_ANSWER = 80  # letters


class Group(NamedTuple):
    """What a weight depends on."""

    family: str
    kind: str


def difficulty(episode: Episode) -> float:
    """In [0, 1]; see the module for the four signs."""
    steps = min(1.0, max(0, len(episode.steps) - 1) / (MOST_STEPS / 2))
    failed = sum(seen.error is not None for seen in episode.observations)
    repeated = len(episode.calls) - len({call.key() for call in episode.calls})
    slips = min(1.0, (failed + repeated) / 3)
    text = episode.answer.text if episode.answer else ""
    long = min(1.0, len(text) / LONG_ANSWER)
    return round((steps + _smallness(episode) + slips + long) / 4, 4)


def weights(samples: Sequence[Sample]) -> list[float]:
    """One weight for each sample, in order; the mean is 1 unless all are traps."""
    groups = [Group(sample.family, sample.kind) for sample in samples]
    return weights_of(groups)


def weights_of(groups: Sequence[Group]) -> list[float]:
    """As `weights`, from families and kinds alone."""
    sizes = Counter(groups)
    families = Counter(group.family for group in groups)
    fair = len(groups) / max(len(families), 1)
    raw = {}
    for group, size in sizes.items():
        kinds = {kind for family, kind in sizes if family == group.family}
        share = MIX[group.kind] / max(sum(MIX[kind] for kind in kinds), 1e-9)
        lift = min(CAP, fair / families[group.family])
        raw[group] = lift * share * families[group.family] / size
    mean = sum(raw[group] for group in groups) / max(len(groups), 1)
    return [round(raw[group] / mean, 6) if mean else 0.0 for group in groups]


def _smallness(episode: Episode) -> float:
    """0 when the whole picture was looked at, near 1 for the smallest places."""
    whole = episode.media.size.width * episode.media.size.height
    areas = [seen.box.area for seen in episode.observations if seen.box and seen.box.area > 0]
    if not areas or whole <= 0:
        return 0.0
    return 1.0 - min(1.0, math.sqrt(min(areas) / whole))
