"""The published benchmarks: how they are read and scored, and where their data come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pixelis.data.readers.place import Place
from pixelis.data.readers.read import Doctor
from pixelis.data.readers.row import RecordError
from pixelis.errors import ConfigError, DataError
from pixelis.evals.benchmarks import known
from pixelis.evals.benchmarks.known import Made, Maker
from pixelis.evals.question import Benchmark, Question

HUB = "huggingface.co/datasets/"
SHEETS = "several pictures of one question are shown side by side on one numbered sheet"
GUESS = (
    "where the authors guess an option at random, its text alone or 'B.' before it is taken, and "
    "what cannot be read is wrong"
)
NO_JUDGE = (
    "scored without the authors' GPT-4 judge, by the words that stand in the answer; "
    "not to be put beside published figures (give --judge)"
)


@dataclass(frozen=True)
class Entry:
    """A published benchmark.

    Attributes:
        read: its records, each with what makes its question.
        where: address of the data, without its scheme.
        licence: a note, not advice.
        count: questions as published, None where that could not be checked.
        official: what the authors report: `accuracy` or the mean `score`.
        metric: how they call it.
        notes: what to know before putting a figure beside a published one.
    """

    read: Callable[[Place], Made]
    where: str
    licence: str
    count: int | None
    official: str = "accuracy"
    metric: str = "accuracy"
    notes: tuple[str, ...] = ()


def _reasonrft(task: str, official: str = "accuracy", metric: str = "accuracy") -> Entry:
    return Entry(
        partial(known.read_reasonrft, task=task),
        HUB + "tanhuajie2001/Reason-RFT-CoT-Dataset",
        "Apache 2.0; pictures under their own licences",
        None,
        official,
        metric,
        (SHEETS,) if task == "transform" else (),
    )


DIV8K = "pictures of DIV8K, academic use"
CATALOG: Mapping[str, Entry] = {
    "vstar": Entry(
        known.read_vstar,
        HUB + "craigwu/vstar_bench",
        "pictures of SA-1B, research only",
        191,
        notes=("answers are read as VLMEvalKit reads them without a judge",),
    ),
    "hrbench4k": Entry(
        known.read_hrbench4k, HUB + "DreamMr/HR-Bench", DIV8K, 800, metric="mean over cycles"
    ),
    "hrbench8k": Entry(
        known.read_hrbench8k, HUB + "DreamMr/HR-Bench", DIV8K, 800, metric="mean over cycles"
    ),
    "tallyqa": Entry(
        known.read_tallyqa,
        "github.com/manoja328/tallyqa",
        "questions Apache 2.0; pictures of Visual Genome (CC BY 4.0) and COCO",
        15_598,
        notes=("the complex questions of the test split",),
    ),
    "infographicsvqa": Entry(
        known.read_infographics,
        "rrc.cvc.uab.es (challenge 17, task 3)",
        "research use as agreed with the challenge",
        2_801,
        official="score",
        metric="ANLS",
        notes=("the validation split; the answers of the test split are kept by the challenge",),
    ),
    "mvbench": Entry(
        known.read_mvbench,
        HUB + "OpenGVLab/MVBench",
        "questions MIT; videos under eleven licences",
        4_000,
        notes=("the agent picks frames itself; nothing is sampled for it",),
    ),
    "mmmu": Entry(
        known.read_mmmu,
        HUB + "MMMU/MMMU",
        "Apache 2.0; pictures from text books and the web",
        900,
        notes=(SHEETS, GUESS),
    ),
    "mmvet": Entry(
        known.read_mmvet,
        "github.com/yuweihao/MM-Vet (release v1)",
        "CC BY-NC 4.0",
        218,
        official="score",
        metric="mean grade",
    ),
    "mathvista": Entry(
        known.read_mathvista,
        HUB + "AI4Math/MathVista",
        "CC BY-SA 4.0; pictures under their own",
        1_000,
        notes=("values are taken from answers by rule, where the authors ask GPT-4",),
    ),
    "virl39k": Entry(
        known.read_virl39k,
        HUB + "TIGER-Lab/ViRL39K",
        "MIT; pictures of the datasets it is built on",
        38_870,
        notes=(SHEETS, "a training set: the figure says nothing about a model trained on it"),
    ),
    "reasonrft-counting": _reasonrft("counting"),
    "reasonrft-geometry": _reasonrft("geometry"),
    "reasonrft-transform": _reasonrft("transform", "score", "mean grade of steps"),
}


def read_published(
    name: str,
    path: Path | None,
    work: Path,
    limit: int | None = None,
    skip_broken: bool = False,
    media: tuple[Path, ...] = (),
) -> Benchmark:
    """The benchmark `name` from the files below `path`, its first `limit` questions.

    Args:
        work: folder for pictures taken out of tables and clips that are cut.
        skip_broken: leave out records that cannot be used, and say how many, instead of refusing.
        media: folders to look for pictures and videos in, before the usual ones.

    Raises:
        ConfigError: no path, or an unknown name.
        DataError: nothing there, another layout, or a part of it missing; the line says where to
            get it and under which licence.
    """
    if name not in CATALOG:
        raise ConfigError(f"benchmark {name!r} is not known; give {', '.join(CATALOG)}")
    entry = CATALOG[name]
    if path is None:
        raise ConfigError(f"eval {name} needs --data DIR; {_source(entry)}")
    try:
        makers, broken = _gathered(entry, Place(path, media), work, limit, skip_broken)
    except RecordError as error:
        raise DataError(f"{error}; is the download whole? {_source(entry)}; {SKIP}") from error
    except DataError as error:
        raise DataError(f"{error}; {_source(entry)}") from error
    if not makers:
        raise DataError(f"{path}: holds no questions of {name}; {_source(entry)}")
    settings: dict[str, Any] = {"source": entry.where, "licence": entry.licence, "limit": limit}
    settings |= {"published": entry.count} | ({"left_out": broken} if broken else {})
    ids = tuple(maker.record.id for maker in makers)
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise DataError(f"{path}: id {twice!r} stands more than once; give one copy of the data")

    def load(index: int) -> Question:
        return makers[index](work)

    notes = entry.notes + _holds(len(makers), entry.count, limit, broken)
    frozen = len(makers) == entry.count
    return Benchmark(name, ids, load, settings, frozen, entry.official, notes)


SKIP = "or give --skip-broken to leave such records out"


def _gathered(
    entry: Entry, place: Place, work: Path, limit: int | None, skip_broken: bool
) -> tuple[list[Maker], int]:
    """The makers of all good records, and how many others there were; the first of these is raised
    unless they may be left out. Pictures inside a table go to `work` at once, to spare memory."""
    doctor = Doctor()
    makers: list[Maker] = []
    broken = 0
    for found in entry.read(place):
        wrong = found if isinstance(found, RecordError) else doctor.examine(found[0])
        if wrong is not None:
            if not skip_broken:
                raise wrong
            broken += 1
        elif not isinstance(found, RecordError):
            makers.append(found[1].unpacked(work))
        if limit is not None and len(makers) >= limit:
            break
    return makers, broken


def _source(entry: Entry) -> str:
    return f"get it from {entry.where} ({entry.licence})"


def _holds(count: int, published: int | None, limit: int | None, broken: int) -> tuple[str, ...]:
    notes = []
    if count != published:
        why = "" if limit is None else f", limited to {limit}"
        of = "an unchecked number of" if published is None else str(published)
        notes.append(f"{count} of {of} published questions{why}")
    if broken:
        notes.append(f"{broken} records that could not be used were left out")
    return tuple(notes)
