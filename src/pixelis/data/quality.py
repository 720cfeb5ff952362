"""Checks over files of episodes: each has a name, and every finding says where and what.

structure   an episode that ended with an answer, 1 to 20 steps, each with its observation
media       the source is there, whole, and the very file the episode names
images      as many as the episode shows, all whole
loop        no call is asked twice with the same arguments
replay      running the calls again gives the same observations
follows     the answer is what the last observations say, not something else
gold        golden and corrected episodes are right, traps are wrong
duplicate   no id twice, and no question twice about the same picture
leakage     no picture in two splits, not even scaled or saved again
balance     no family has more than 3 times the records of another, from 20 records on
provenance  the licence and the source of each record are written down
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pixelis.agent.replay import replay
from pixelis.answers import normalize
from pixelis.answers.reference import REFERENCE, expand, handles_of
from pixelis.data.episodes import TRAP, Sample, read_samples
from pixelis.data.prints import Print, near_pairs, print_of
from pixelis.data.readers.row import Rejections
from pixelis.episode import Episode, Observation
from pixelis.errors import DataError, MediaError
from pixelis.media import Video
from pixelis.models.dialects.dialect import count_images

MOST_STEPS = 20
BALANCE = 3.0
ENOUGH = 20  # records of a family below which chance alone makes such differences
FIRST = 20  # findings of each check that are kept in full
CHECKS = (
    *("structure", "media", "images", "loop", "replay", "follows", "gold"),
    *("duplicate", "leakage", "balance", "provenance"),
)
_PLACE = re.compile(r"\[[^\]]*\]")
_NUMBERED = re.compile(r"[=:] (\d+|no)(?=;|$)")
CONCLUDED = ("yes_no", "option")
SILENT = ("provenance",)  # told, but no reason to fail


class Finding(NamedTuple):
    """Something that is not as it should be."""

    check: str
    where: str
    told: str


@dataclass
class Report:
    """What a check found.

    Attributes:
        samples: records that could be read.
        replayed: how many of them were executed again.
        counts: findings by check.
    """

    samples: int = 0
    replayed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Finding] = field(default_factory=list)
    families: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    rejections: Rejections = field(default_factory=Rejections)

    @property
    def clean(self) -> bool:
        """Nothing was found that must not be, and something was there to be checked."""
        bad = sum(count for check, count in self.counts.items() if check not in SILENT)
        return bad == 0 and self.rejections.rejected == 0 and self.samples > 0

    def add(self, finding: Finding) -> None:
        self.counts[finding.check] += 1
        if self.counts[finding.check] <= FIRST:
            self.first.append(finding)

    @property
    def grave(self) -> list[Finding]:
        """The first findings, those that fail the check before those that do not."""
        return sorted(self.first, key=lambda finding: finding.check in SILENT)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "clean": self.clean,
            "samples": self.samples,
            "replayed": self.replayed,
            "findings": {check: self.counts[check] for check in CHECKS},
            "first": [finding._asdict() for finding in self.grave],
            "families": dict(self.families.most_common()),
            "kinds": dict(self.kinds.most_common()),
            "splits": dict(self.splits.most_common()),
            "rejections": self.rejections.report(),
        }


@dataclass(frozen=True)
class Seen:
    """What is remembered of a sample to compare it with the others."""

    where: str
    id: str
    question: str
    split: str
    source: str


def check(
    place: Path,
    replays: int | None = None,
    seed: int = 0,
    told: Callable[[int, str], None] = lambda count, state: None,
) -> Report:
    """Checks a file or folder of episodes.

    Args:
        replays: how many episodes to execute again, drawn by `seed`; None for all.
        told: called after each sample with how many were read and how it goes.
    """
    report = Report()
    wanted = _wanted(place, replays, seed)
    known: list[Seen] = []
    prints: dict[str, Print] = {}
    for sample in read_samples(place, report.rejections):
        run = wanted is None or report.samples in wanted
        for finding in check_one(sample, run, prints):
            report.add(finding)
        report.samples += 1
        report.replayed += run
        report.families[sample.family] += 1
        report.kinds[sample.kind] += 1
        report.splits[sample.split or "(none)"] += 1
        known.append(_seen(sample))
        told(report.samples, f"{report.counts.total()} findings")
    for finding in (*duplicates(known), *leaks(known, prints), *balance(report.families)):
        report.add(finding)
    return report


def check_one(
    sample: Sample, run: bool = True, prints: dict[str, Print] | None = None
) -> list[Finding]:
    """What is wrong with one sample by itself.

    Args:
        run: execute its calls again.
        prints: gets the fingerprint of its source, under the source's hash.
    """
    episode = sample.episode
    found = [
        *_structure(episode),
        *_weight(sample),
        *_loops(episode),
        *_follows(sample),
        *_gold(sample),
        *_images(sample),
        *_media(sample, run, {} if prints is None else prints),
        *_provenance(sample),
    ]
    return [Finding(check, sample.row.where, told) for check, told in found]


# one by one ---------------------------------------------------------------------------------------
Told = Iterator[tuple[str, str]]


def _structure(episode: Episode) -> Told:
    if episode.ended != "answered" or episode.answer is None:
        yield "structure", f"it ended as {episode.ended!r} without an answer"
    if not 1 <= len(episode.steps) <= MOST_STEPS:
        yield "structure", f"it has {len(episode.steps)} steps; 1 to {MOST_STEPS} are allowed"
    for number, step in enumerate(episode.steps):
        if (step.call is None) != (step.observation is None):
            yield "structure", f"step {number} has a call without an observation, or the reverse"
        elif step.call is None and step.answer is None:
            yield "structure", f"step {number} has neither a call nor an answer"
        elif step.answer is not None and number + 1 < len(episode.steps):
            yield "structure", f"step {number} answers, and more steps follow"


def _weight(sample: Sample) -> Told:
    if sample.kind == TRAP:
        return
    try:
        _ = sample.weight
    except DataError as error:
        yield "structure", str(error).removeprefix(f"{sample.place}: ")


def _loops(episode: Episode) -> Told:
    times = Counter(call.key() for call in episode.calls)
    for key, count in times.items():
        if count > 1:
            yield "loop", f"the same call is made {count} times: {key[:120]}"


def _follows(sample: Sample) -> Told:
    """Whether the answer is what was observed; nothing to say of traps and refusals."""
    episode, answer = sample.episode, sample.episode.answer
    if sample.kind == TRAP or answer is None or not answer.known:
        return
    raw = answer.raw or answer.text
    expansion = expand(raw, handles_of(episode.observations))
    if expansion.unknown:
        yield "follows", f"{', '.join(expansion.unknown)} was never observed"
    elif expansion.text != answer.text:
        yield "follows", f"{raw!r} stands for {expansion.text!r}, not {answer.text!r}"
    elif REFERENCE.search(raw):
        last = _last(episode.observations)
        if last and last not in expansion.evidence:
            yield "follows", f"it rests on {', '.join(expansion.evidence)}, not on the last, {last}"
    elif episode.calls and not _told(sample, answer.text, bool(expansion.evidence)):
        yield "follows", f"{answer.text!r} is in no observation and in no thought before it"


def _last(observations: Sequence[Observation]) -> str | None:
    """The handle of the last observation that found something of its own."""
    named = [seen.handle for seen in observations if seen.handle and seen.error is None]
    return named[-1] if named else None


def _told(sample: Sample, text: str, cited: bool) -> bool:
    """Whether the answer's words stand in an observation or in a thought, or are a count there.

    A conclusion that cites what it rests on may be a word of the question instead, or yes, no or
    an option's letter.
    """
    episode = sample.episode
    if cited and sample.answer_type in CONCLUDED:
        return True
    wanted = normalize.phrase(text)
    said = [seen.text for seen in episode.observations]
    said += [step.thought for step in episode.steps]
    said += [episode.question] if cited else []
    if wanted and any(_says(one, wanted) for one in said):
        return True
    found = normalize.number(text)
    return found is not None and found.value == _counted(episode.steps[-1].thought)


def _says(text: str, wanted: str) -> bool:
    """Whether these whole words stand in a text, outside of places like [120, 340]."""
    bare = text if "[" in wanted else _PLACE.sub(" ", text)
    return bool(re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", normalize.phrase(bare)))


def _counted(thought: str) -> int:
    """What a thought counts: its highest number behind ":" or "=", or the points it lists."""
    told = _NUMBERED.findall(thought)
    numbers = [int(number) for number in told if number != "no"]
    return max(numbers, default=0) if told else thought.count("[")


def _gold(sample: Sample) -> Told:
    answer = sample.episode.answer
    if answer is None:
        return
    if not sample.row.has("gold"):
        yield "gold", "is missing, so nobody can tell whether the answer is right"
        return
    right = sample.is_right(answer)
    if sample.kind == TRAP and right:
        yield "gold", f"a trap must be wrong, but {answer.text!r} is right"
    elif sample.kind != TRAP and not right:
        yield "gold", f"answered {answer.text!r}; right is {' or '.join(sample.gold) or 'unknown'}"


def _images(sample: Sample) -> Told:
    shown = 1 + sum(count_images(seen) for seen in sample.episode.observations)
    try:
        stored = sample.stored_images()
    except MediaError as error:
        yield "images", str(error).removeprefix(f"{sample.place}: images: ")
        return
    if stored is not None and len(stored) != shown:
        yield "images", f"the record holds {len(stored)}; the episode shows {shown}"


def _media(sample: Sample, run: bool, prints: dict[str, Print]) -> Told:
    try:
        media = sample.open_source()
    except MediaError as error:
        yield "media", str(error).removeprefix(f"{sample.place}: media: ")
        return
    with media:
        sha256 = sample.episode.media.sha256
        if media.sha256 != sha256:
            yield "media", f"{media.name} is another file than the episode's ({sha256[:12]})"
            return
        if sha256 not in prints:
            first = media.frame(0) if isinstance(media, Video) else media.image
            prints[sha256] = print_of(first)
        if not run:
            return
        try:
            outcome = replay(sample.episode, media)
        except (DataError, MediaError) as error:
            yield "replay", str(error)
            return
    for one in outcome.differences:
        yield (
            "replay",
            f"step {one.step}: {one.field}: was {_brief(one.recorded)}, now {_brief(one.now)}",
        )


def _provenance(sample: Sample) -> Told:
    missing = [name for name in ("licence", "media_sha256") if not sample.provenance.get(name)]
    if missing:
        yield "provenance", f"does not say {' nor '.join(missing)}"


# together -----------------------------------------------------------------------------------------
class Repeat(NamedTuple):
    """Sample number `place` repeats an earlier one: the same id, or the same question."""

    place: int
    what: str
    earlier: Seen


def repeats(known: Sequence[Seen]) -> list[Repeat]:
    """Ids that stand twice, and questions asked twice about one picture."""
    found = []
    for what, key in (("the id", lambda one: one.id), ("question and picture", _asked)):
        first: dict[Any, int] = {}
        for place, one in enumerate(known):
            earlier = first.setdefault(key(one), place)
            if earlier != place:
                found.append(Repeat(place, what, known[earlier]))
    return found


def duplicates(known: Sequence[Seen]) -> list[Finding]:
    """The repeats, told."""
    return [
        Finding(
            "duplicate",
            known[one.place].where,
            f"{one.what} {known[one.place].id!r} stands at {one.earlier.where} already",
        )
        for one in repeats(known)
    ]


def leaks(known: Sequence[Seen], prints: dict[str, Print]) -> list[Finding]:
    """Pictures that stand in more than one split, told once for each pair."""
    splits: dict[str, dict[str, Seen]] = defaultdict(dict)
    for one in known:
        if one.source:
            splits[one.source].setdefault(one.split, one)
    found = []
    for uses in splits.values():
        first, *others = uses.values()
        found += [_leak(other, first, "the same file") for other in others]
    sources = list(prints)
    for left, right in near_pairs([prints[source] for source in sources]):
        here = splits.get(sources[left], {})
        for split, use in splits.get(sources[right], {}).items():
            apart = [seen for name, seen in here.items() if name != split]
            found += [_leak(use, seen, "the same picture") for seen in apart[:1]]
    return found


def balance(families: Counter[str]) -> list[Finding]:
    """Families that have more than three times the records of the smallest."""
    if not families:
        return []
    ((least, few),) = families.most_common()[-1:]
    return [
        Finding("balance", family, f"{count} records against {few} of {least}; {BALANCE:g} times "
                "as many are allowed")
        for family, count in families.items()
        if count > max(BALANCE * few, ENOUGH)
    ]  # fmt: skip


def _leak(one: Seen, other: Seen, what: str) -> Finding:
    told = f"{what} is in {other.split or '(none)'} at {other.where} and in {one.split or '(none)'}"
    return Finding("leakage", one.where, told)


def _asked(one: Seen) -> tuple[str, str]:
    return one.source or one.id, one.question


def _seen(sample: Sample) -> Seen:
    episode = sample.episode
    source = str(sample.provenance.get("media_sha256") or episode.media.sha256)
    question = f"{sample.kind}: {episode.question}"
    return Seen(sample.row.where, sample.id, question, sample.split, source)


def _wanted(place: Path, replays: int | None, seed: int) -> set[int] | None:
    """Which samples to execute again, by their number; None for all."""
    if replays is None:
        return None
    total = sum(1 for _ in read_samples(place, Rejections()))
    rng = np.random.default_rng(seed)
    return set(rng.permutation(total)[:replays].tolist())


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
