"""Benchmarks whose files `pixelis data import` reads too: each record with its authors' rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from pixelis.data.imports import unpacked
from pixelis.data.readers import infographicsvqa as infographics
from pixelis.data.readers import mathvista, mmmu, mmvet, mvbench, tallyqa, virl39k, vstar
from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError
from pixelis.data.readers.stream import load_json
from pixelis.evals.benchmarks import hrbench, reasonrft
from pixelis.evals.benchmarks.adapt import question_of
from pixelis.evals.question import Question

Made = Iterator[tuple[Record, "Maker"] | RecordError]


class Maker:
    """Makes a record's question when its turn comes, so that no picture is unpacked for nothing."""

    def __init__(self, record: Record, rule: str, **settings: object) -> None:
        self.record, self.rule, self.settings = record, rule, settings

    def unpacked(self, work: Path) -> Maker:
        """The same maker, its pictures in files."""
        media = tuple(
            unpacked(one, work) if isinstance(one, bytes) else one for one in self.record.media
        )
        return Maker(replace(self.record, media=media), self.rule, **self.settings)

    def __call__(self, work: Path) -> Question:
        return question_of(self.record, work, self.rule, **self.settings)  # type: ignore[arg-type]


def _plain(rule: str, records: Iterator[Record | RecordError], **settings: object) -> Made:
    for record in records:
        if isinstance(record, RecordError):
            yield record
        else:
            yield record, Maker(record, rule, **settings)


def read_vstar(place: Place) -> Made:
    """Option letters, by kind of question."""
    return _plain("letter", vstar.read(place))


def read_hrbench(place: Place, size: str) -> Made:
    """Option letters; the four rotations of a question share a group."""
    for record in hrbench.read(place, size):
        if isinstance(record, RecordError):
            yield record
        else:
            yield record, Maker(record, "letter", group=hrbench.group_of(record))


def read_tallyqa(place: Place) -> Made:
    """The complex questions of the test split."""
    for record in tallyqa.read(place):
        if isinstance(record, RecordError):
            yield record
        elif record.meta["difficulty"] == "complex" and record.split in ("test", ""):
            source = str(record.meta.get("data_source") or "tallyqa")
            yield record, Maker(record, "count", family=source)


def read_infographics(place: Place) -> Made:
    """ANLS; the test split, whose answers are secret, is passed over."""
    for record in infographics.read(place):
        if isinstance(record, RecordError):
            yield record
        elif record.answers:
            yield record, Maker(record, "anls")


def read_mvbench(place: Place) -> Made:
    """Option letters, by task."""
    return _plain("first_letter", mvbench.read(place))


def read_mmmu(place: Place) -> Made:
    """The validation split, by subject."""
    for record in mmmu.read(place):
        if isinstance(record, RecordError):
            yield record
        elif record.answers and record.split in ("val", ""):
            subject = record.id.split("_", 1)[-1].rsplit("_", 1)[0]
            yield record, Maker(record, "mmmu", family=subject)


def read_mmvet(place: Place) -> Made:
    """Graded by a judge where one is given; the family is the set of abilities asked for."""
    raw: dict[str, str] = {}
    for path in place.files("mm-vet.json", "*.json", what="mm-vet.json"):
        told = load_json(path)
        if isinstance(told, dict):
            raw |= {k: str(v.get("answer", "")) for k, v in told.items() if isinstance(v, dict)}
    for record in mmvet.read(place):
        if isinstance(record, RecordError):
            yield record
        else:
            gold = (raw[record.id.removeprefix("mmvet-")],)
            yield record, Maker(record, "parts", gold=gold, details={"judge": True})


def read_mathvista(place: Place) -> Made:
    """The testmini split, by task."""
    for record in mathvista.read(place):
        if isinstance(record, RecordError):
            yield record
        elif record.answers:
            details = {
                "kind": record.meta.get("answer_type"),
                "precision": int(record.meta.get("precision") or 0),
            }
            yield record, Maker(record, "mathvista", text=_hinted(record), details=details)


def _hinted(record: Record) -> str:
    """The question with what the authors' prompt tells besides: the unit, and the form of the
    answer, since that is compared to the letter."""
    unit, kind = record.meta.get("unit"), record.meta.get("answer_type")
    text = f"{record.question} (Unit: {unit})" if unit else record.question
    if record.choices:
        return text
    if kind == "float":
        places = int(record.meta.get("precision") or 0)
        return f"{text}\nAnswer with a number with {places} decimal place{'s' * (places != 1)}."
    if kind == "integer":
        return f"{text}\nAnswer with a whole number."
    return f"{text}\nAnswer with a list, as [1, 2, 3]." if kind == "list" else text


def read_virl39k(place: Place) -> Made:
    """Formulas, by category; a training set, so only meant for a held-out part of it."""
    return _plain("formula", virl39k.read(place))


def read_reasonrft(place: Place, task: str) -> Made:
    """One of the three tasks, by file."""
    return _plain("transform" if task == "transform" else "formula", reasonrft.read(place, task))


read_hrbench4k = partial(read_hrbench, size="4k")
read_hrbench8k = partial(read_hrbench, size="8k")
