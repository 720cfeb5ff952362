"""Merging files of episodes, and splitting them by picture so that nothing leaks."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelis.data.difficulty import difficulty, weights
from pixelis.data.episodes import Sample, Writer, read_samples
from pixelis.data.prints import Print, near_pairs, print_of
from pixelis.data.quality import Finding, Seen, leaks, repeats
from pixelis.data.readers.row import Rejections
from pixelis.errors import ConfigError, JobError, MediaError
from pixelis.media import Video


@dataclass
class Fused:
    """What was written.

    Attributes:
        rows: records by file name.
        dropped: duplicates that were left out.
    """

    rows: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    rejections: Rejections = field(default_factory=Rejections)


Tell = Callable[[int, str], None]


def merge(places: Sequence[Path], folder: Path, told: Tell = lambda count, state: None) -> Fused:
    """One file of many, each record once, with difficulty and weights written anew.

    Raises JobError when a picture would stand in two splits.
    """
    fused = Fused()
    _free(places, folder, ("episodes",))
    samples, prints = _gather(places, fused, told)
    known = [_seen(sample) for sample in samples]
    extra = {repeat.place for repeat in repeats(known)}
    fused.dropped = len(extra)
    kept = [sample for place, sample in enumerate(samples) if place not in extra]
    _refuse(leaks([seen for place, seen in enumerate(known) if place not in extra], prints))
    _write(kept, folder, "episodes", fused)
    return fused


def split(
    places: Sequence[Path],
    folder: Path,
    shares: Mapping[str, float],
    seed: int = 0,
    told: Tell = lambda count, state: None,
) -> Fused:
    """A file for each split, `FOLDER/<split>.jsonl`; records about one picture stay together.

    Pictures that are near (the same one scaled or saved again) count as one. The parts come as
    near to the shares as whole pictures allow, and are the same for the same seed.
    """
    fused = Fused()
    _free(places, folder, tuple(shares))
    samples, prints = _gather(places, fused, told)
    groups = _groups(samples, prints)
    parts = _dealt(groups, shares, seed)
    placed = {
        id(sample): name for name, chosen in parts.items() for group in chosen for sample in group
    }
    known = [_seen(sample, placed[id(sample)]) for sample in samples]
    _refuse(leaks(known, prints))
    for name in shares:
        mine = [sample for sample in samples if placed[id(sample)] == name]
        _write(mine, folder, name, fused, split=name)
    return fused


def _free(places: Sequence[Path], folder: Path, names: Sequence[str]) -> None:
    """ConfigError when the folder is one that is read, or holds episodes that would stay there."""
    for place in places:
        if folder.resolve() in (place.resolve(), place.resolve().parent):
            raise ConfigError(f"--out {folder} is where {place} lies; choose another folder")
    strange = sorted(path.name for path in folder.glob("*.jsonl") if path.stem not in names)
    if strange:
        raise ConfigError(f"--out {folder} holds {strange[0]} already; choose another folder")


def _gather(
    places: Sequence[Path], fused: Fused, told: Tell
) -> tuple[list[Sample], dict[str, Print]]:
    samples: list[Sample] = []
    prints: dict[str, Print] = {}
    for place in places:
        for sample in read_samples(place, fused.rejections):
            try:
                _take_print(sample, prints)
            except MediaError as error:
                fused.rejections.kept -= 1
                fused.rejections.add(sample.broken(error))
                continue
            samples.append(sample)
            told(len(samples), f"{fused.rejections.rejected} refused")
    return samples, prints


def _take_print(sample: Sample, prints: dict[str, Print]) -> None:
    source = _source(sample)
    if not source or source in prints:
        return
    with sample.open() as media:
        first = media.frame(0) if isinstance(media, Video) else media.image
        prints[source] = print_of(first)


def _groups(samples: Sequence[Sample], prints: dict[str, Print]) -> dict[str, list[Sample]]:
    """Samples by picture; near pictures are joined."""
    sources = list(prints)
    parent = {source: source for source in sources}

    def root(source: str) -> str:
        while parent[source] != source:
            source = parent[source]
        return source

    for left, right in near_pairs([prints[source] for source in sources]):
        one, other = sorted((root(sources[left]), root(sources[right])))
        parent[other] = one
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        source = _source(sample)
        groups[root(source) if source in parent else sample.id].append(sample)
    return groups


def _dealt(
    groups: Mapping[str, list[Sample]], shares: Mapping[str, float], seed: int
) -> dict[str, list[list[Sample]]]:
    """Groups in an order drawn by the seed, each to the part that lacks most of its share."""
    whole = sum(shares.values())
    order = sorted(groups, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())
    parts: dict[str, list[list[Sample]]] = {name: [] for name in shares}
    filled: Counter[str] = Counter()
    total = sum(map(len, groups.values()))
    for key in order:
        name = max(shares, key=lambda one: shares[one] / whole * total - filled[one])
        parts[name].append(groups[key])
        filled[name] += len(groups[key])
    return parts


def _write(
    samples: Sequence[Sample], folder: Path, name: str, fused: Fused, **changes: Any
) -> None:
    with Writer(folder, name) as writer:
        for sample, weight in zip(samples, weights(samples), strict=True):
            hard = difficulty(sample.episode)
            writer.move(sample, difficulty=hard, weight=weight, **changes)
    fused.rows[writer.path.name] = len(samples)


def _refuse(findings: Sequence[Finding]) -> None:
    if findings:
        first = findings[0]
        raise JobError(
            f"{len(findings)} pictures would stand in two splits, the first: {first.where}: "
            f"{first.told}; split all of it anew with 'pixelis data split'"
        )


def _source(sample: Sample) -> str:
    return str(sample.provenance.get("media_sha256") or sample.episode.media.sha256)


def _seen(sample: Sample, split: str | None = None) -> Seen:
    named = sample.split if split is None else split
    question = f"{sample.kind}: {sample.episode.question}"
    return Seen(sample.row.where, sample.id, question, named, _source(sample))
