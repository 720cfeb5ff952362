"""Frozen exams and models, known by hash: `exams.json`, which one command fills.

An exam that changes makes every older figure incomparable, and a model that was trained on an exam
says nothing there; so both are written down before reinforcement learning begins. The canary of
online learning is apart from the calibration set, and both from what is published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixelis.errors import ConfigError, DataError, StoreError
from pixelis.evals.jsonl import read_jsonl
from pixelis.evals.provenance import commit, weights_hash
from pixelis.evals.question import Benchmark, data_hash
from pixelis.evals.worlds import FROZEN_SEED, read_worlds

MANIFEST = Path(__file__).with_name("exams.json")
EVERY = 100  # questions; the first 100, 200, ... have hashes of their own


@dataclass(frozen=True)
class Exam:
    """What an exam is drawn from.

    Attributes:
        split: of the worlds; empty for a file.
        seed: of the worlds.
        questions: how many.
        file: path below the source tree of a set of written questions; empty for worlds.
        about: what it is for, in a few words.
    """

    about: str
    split: str = ""
    seed: int = FROZEN_SEED
    questions: int = 500
    file: str = ""


EXAMS: Mapping[str, Exam] = {
    "worlds-test": Exam("published figures: worlds like those of training", "test"),
    "worlds-shift": Exam("published figures: domains kept out of training", "shift"),
    "calibration": Exam("calibrating confidence", "calibration"),
    "canary": Exam("refusing adapter versions that got worse", "test", 20270131, 800),
    "exam": Exam("questions by an independent program", file="evaluation/exam/questions.jsonl"),
    "real": Exam("real pictures", file="evaluation/real/questions.jsonl"),
}


def read_exam(name: str, limit: int | None = None, root: Path | None = None) -> Benchmark:
    """The questions of an exam, the first `limit`.

    Args:
        root: the source tree, for exams that are files; None is where this package lies.
    """
    if name not in EXAMS:
        raise ConfigError(f"exam {name!r} is not known; give {', '.join(EXAMS)}")
    exam = EXAMS[name]
    if exam.file:
        base = root or Path(__file__).parents[3]
        return read_jsonl(base / exam.file, limit)
    count = min(limit or exam.questions, exam.questions)
    benchmark = read_worlds(exam.split, exam.seed, count)
    return Benchmark(benchmark.name, benchmark.ids, benchmark.load, benchmark.settings, True)


def freeze_exam(name: str, told: Callable[[int, int], None] = lambda done, total: None) -> dict:
    """The entry of an exam: where it comes from, the hashes of its first 100, 200, ... questions.

    Args:
        told: called with how many questions are drawn, and how many there are.
    """
    benchmark = read_exam(name)
    prints: list[str] = []
    hashes: dict[str, str] = {}
    for question in benchmark:
        prints.append(question.fingerprint())
        if len(prints) % EVERY == 0 or len(prints) == len(benchmark):
            hashes[str(len(prints))] = data_hash(prints)
        told(len(prints), len(benchmark))
    entry = {key: value for key, value in asdict(EXAMS[name]).items() if value != ""}
    return {**entry, "questions": len(benchmark), "data_hash": hashes}


def freeze_model(spec: str) -> dict[str, Any]:
    """The entry of a model: how it is loaded, the hash of its weights, the commit of the code."""
    digest = weights_hash(spec)
    if digest is None:
        raise ConfigError(f"model {spec!r} has no weights here to freeze; give nano or hf:PATH")
    return {"model": spec, "model_hash": digest, "commit": commit()}


def read_manifest(path: Path = MANIFEST) -> dict[str, Any]:
    """The manifest; empty parts when there is none yet. DataError when it cannot be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: is no manifest ({error})") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: came {type(value).__name__}; an object is needed")
    return {"exams": value.get("exams", {}), "models": value.get("models", {})}


def add_entry(
    manifest: dict[str, Any], part: str, name: str, entry: Mapping[str, Any], again: bool = False
) -> None:
    """Adds an exam or model; one that is there under another hash is refused unless `again`.

    One that is there under the same hash stays as it is, with the commit it was frozen at.
    """
    key = "data_hash" if part == "exams" else "model_hash"
    known = manifest[part].get(name)
    if known is not None and known[key] == entry[key]:
        return
    if known is not None and not again:
        what = "exam" if part == "exams" else "model"
        raise ConfigError(
            f"{what} {name} is frozen with another {key.replace('_', ' ')}; what changes is "
            f"another {what}: give it another name, or --again to replace it on purpose"
        )
    manifest[part][name] = dict(entry)


def write_manifest(manifest: Mapping[str, Any], path: Path = MANIFEST) -> None:
    """Writes it, sorted by name."""
    try:
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot write the manifest ({error.strerror})") from error


def exam_of(digest: str, manifest: Mapping[str, Any] | None = None) -> str | None:
    """The frozen exam of a data hash (its first N questions count too); None for others."""
    exams = (manifest or read_manifest())["exams"]
    return next((name for name, one in exams.items() if digest in one["data_hash"].values()), None)


def model_of(digest: str | None, manifest: Mapping[str, Any] | None = None) -> str | None:
    """The frozen model that a hash of weights belongs to; None for others."""
    models = (manifest or read_manifest())["models"]
    found = (name for name, one in models.items() if digest and one["model_hash"] == digest)
    return next(found, None)
