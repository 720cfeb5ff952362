"""What `pixelis eval` does besides asking: compare, freeze, page, ops."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelis.cli.output import Printer, emit_json
from pixelis.cli.progress import Progress
from pixelis.errors import ConfigError, StoreError

OPS_PICTURES = 100


def compare(args: argparse.Namespace) -> int:
    """Two runs over the same questions, first minus second."""
    from pixelis.evals.pairs import compare_runs
    from pixelis.evals.results import read_results

    (_, first), (_, second) = (read_results(Path(word)) for word in args.words)
    outcome = {"runs": list(args.words), **compare_runs(first, second)}
    if args.out:
        _write(Path(args.out) / "compare.json", json.dumps(outcome, indent=2) + "\n")
    if args.json:
        emit_json(outcome)
        return 0
    printer = Printer()
    shares = f"{100 * outcome['first']:.1f} % and {100 * outcome['second']:.1f} %"
    printer.line(f"{shares}, {_difference(outcome)}", "bold")
    for name, entry in outcome["by_family"].items():
        printer.line(f"  {name:24s} {_difference(entry)}")
    if "score" in outcome:
        printer.line(f"graded score: {_difference(outcome['score'])}")
    gained, lost = len(outcome["gained"]), len(outcome["lost"])
    printer.line(f"better on {gained} questions, worse on {lost} of {outcome['n']}")
    test = outcome["no_worse"]
    said = {
        "no_worse": "the first is no worse",
        "worse": "the first is worse",
        "open": "it is not settled whether the first is worse",
    }[test["verdict"]]
    printer.line(
        f"{said}, with a margin of {100 * test['margin']:.0f} points "
        f"(sequential test, {test['questions']} questions)"
    )
    printer.line("p of the families is corrected after Holm", "dim")
    return 0


def _difference(entry: Mapping[str, Any]) -> str:
    low, high = entry["ci95"]
    return (
        f"difference {100 * entry['difference']:+.1f} points ({100 * low:+.1f} to "
        f"{100 * high:+.1f}), p = {entry['p']:.4f}, n = {entry['n']}"
    )


def freeze(args: argparse.Namespace) -> int:
    """Writes the hashes of exams and models into the manifest, or checks those that are there.

    Words are names of exams, or NAME=MODEL for weights; none means all exams.
    """
    from pixelis.evals import exams

    path = Path(args.data) if args.data else exams.MANIFEST
    manifest = exams.read_manifest(path)
    names = [word for word in args.words if "=" not in word]
    models = dict(word.split("=", 1) for word in args.words if "=" in word)
    for name in names or ([] if models else list(exams.EXAMS)):
        if name not in exams.EXAMS:
            allowed = ", ".join(exams.EXAMS)
            raise ConfigError(f"exam {name!r} is not known; give {allowed}, or NAME=MODEL")
        with Progress(Printer(), args.json, f"drawing {name}", "drawn") as progress:

            def told(done: int, total: int, bar: Progress = progress) -> None:
                bar.tell(done, total, "questions")

            entry = exams.freeze_exam(name, told)
        exams.add_entry(manifest, "exams", name, entry, args.again)
    for name, spec in models.items():
        exams.add_entry(manifest, "models", name, exams.freeze_model(spec), args.again)
    exams.write_manifest(manifest, path)
    if args.json:
        emit_json(manifest)
        return 0
    printer = Printer()
    for name, entry in manifest["exams"].items():
        digest = entry["data_hash"][str(entry["questions"])]
        printer.line(f"{name:14s} {entry['questions']:5d} questions  {digest[:16]}")
    for name, entry in manifest["models"].items():
        printer.line(f"{name:14s} {entry['model']:>15s}  {entry['model_hash'][:16]}")
    printer.line(f"written to {path}", "dim")
    return 0


def page(args: argparse.Namespace) -> int:
    """Writes the page of published results, or prints it."""
    from pixelis.evals import ledger
    from pixelis.evals.exams import read_manifest

    if not args.words:
        raise ConfigError("eval page needs result files, each what 'pixelis eval --json' wrote")
    manifest = read_manifest(Path(args.data)) if args.data else read_manifest()
    text = ledger.page(ledger.read_results(map(Path, args.words)), manifest)
    if args.out:
        _write(Path(args.out), text)
    else:
        Printer().line(text.rstrip())
    return 0


def ops(args: argparse.Namespace) -> int:
    """The operations themselves, against the truth of worlds or of a dataset."""
    from pixelis.evals.operations import measure

    source = args.source or "worlds"
    if args.data and not args.source:
        raise ConfigError("eval ops --data PATH needs --source coco or --source mot17")
    limit = args.limit or OPS_PICTURES
    with Progress(Printer(), args.json, "measuring", "measured") as progress:
        figures = measure(
            source,
            Path(args.data) if args.data else None,
            limit,
            args.seed,
            args.split,
            tuple(map(Path, args.media or ())),
            lambda count: progress.tell(count, max(limit, count), "pictures"),
        )
    document = {"source": source, "limit": limit, "operations": figures}
    if args.out:
        _write(Path(args.out) / "ops.json", json.dumps(document, indent=2) + "\n")
    if args.json:
        emit_json(document)
        return 0
    printer = Printer()
    for op, entry in figures.items():
        if isinstance(entry, dict):
            told = ", ".join(f"{name} {_figure(value)}" for name, value in entry.items())
            printer.line(f"{op:18s} {told}")
    return 0


def _figure(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
