"""The page of published results: made from result files alone, refusing what it cannot vouch for.

A figure is published only when its questions and its weights are frozen (`exams.json`), the code it
was measured with is a commit without changes, and the command that repeats it is there.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixelis.errors import ConfigError, DataError
from pixelis.evals.exams import exam_of, model_of

HEAD = """# Results

Made by `pixelis eval page` from the result files that are named in the last column; not written by
hand. Every figure is of a frozen exam and frozen weights (`src/pixelis/evals/exams.json`), with a
95 % bootstrap interval over pictures. Published figures of other models move by ten points with the
harness: these are of this one.
"""
NEEDED = ("accuracy", "ci95", "n", "by_family", "data_hash")
COLUMNS = ("model", "control", "accuracy", "95 % interval", "n", "operations", "success", "ECE")


def read_results(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """The summaries in files of `eval --json`: single runs, or the runs of a table.

    Each gets `file`, where it came from. DataError for a file that holds none.
    """
    found: list[dict[str, Any]] = []
    for path in paths:
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: is no result file ({error})") from error
        runs = value.get("runs") if isinstance(value, dict) else None
        summaries = list(runs.values()) if isinstance(runs, dict) else [value]
        for summary in summaries:
            there = summary if isinstance(summary, dict) else {}
            for name in NEEDED:
                if name not in there:
                    told = f"holds no {name}; give what 'pixelis eval --json' wrote"
                    raise DataError(f"{path}: {told}")
            found.append({**summary, "file": path.as_posix()})
    return found


def vouch(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Names of the exam and the model of a result; ConfigError when it cannot be published."""
    file = summary["file"]
    digest = str(summary.get("data_hash"))
    exam = exam_of(digest, manifest)
    if exam is None:
        raise ConfigError(f"{file}: data hash {digest[:16]} is of no frozen exam; it is refused")
    commit = summary.get("commit")
    if not commit or "+" in commit:
        raise ConfigError(f"{file}: commit {commit!r} is no clean commit; measure again from one")
    if not summary.get("command"):
        raise ConfigError(f"{file}: has no command that would repeat it; measure again")
    if summary.get("control") == "oracle":
        return exam, "oracle"
    weights = summary.get("model_hash")
    model = model_of(weights, manifest)
    if model is None:
        told = str(weights)[:16]
        raise ConfigError(f"{file}: model hash {told} is of no frozen model; it is refused")
    return exam, model


def page(summaries: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any]) -> str:
    """The page as Markdown: a table an exam, and below it the commands."""
    exams: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for summary in summaries:
        exam, model = vouch(summary, manifest)
        exams[exam].append((model, summary))
    if not exams:
        raise ConfigError("there are no results to publish; give files of 'pixelis eval --json'")
    parts = [HEAD]
    for exam in sorted(exams):
        about = manifest["exams"][exam].get("about", "")
        parts.append(f"\n## {exam}\n\n{about}.\n\n" + _table(exams[exam]))
    return "".join(parts)


def _table(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    lines = [
        "| " + " | ".join((*COLUMNS, "commit", "file")) + " |",
        "|---" * (len(COLUMNS) + 2) + "|",
    ]
    commands = []
    for model, summary in sorted(rows, key=lambda row: (row[0], str(row[1].get("control")))):
        lines.append("| " + " | ".join(_cells(model, summary)) + " |")
        commands.append(f"    {summary['command']}")
        for name, entry in summary["by_family"].items():
            lines.append(f"| | {name} | " + " | ".join(_accuracy(entry)) + " | | | | | |")
    return "\n".join(lines) + "\n\n" + "\n".join(dict.fromkeys(commands)) + "\n"


def _cells(model: str, summary: Mapping[str, Any]) -> list[str]:
    success, ece = summary.get("op_success"), summary.get("ece")
    return [
        model,
        str(summary.get("control")) + _sampled(summary),
        *_accuracy(summary),
        f"{summary.get('ops_per_question', 0):.2f}",
        "" if success is None else f"{100 * success:.1f} %",
        "" if ece is None else f"{ece:.3f}",
        f"`{summary['commit'][:8]}`",
        f"`{summary['file']}`",
    ]


def _sampled(summary: Mapping[str, Any]) -> str:
    """How answers were drawn, where they were not greedy: `, T 0.7, 3 seeds (sd 1.2)`."""
    if not summary.get("temperature"):
        return ""
    seeds = summary.get("seeds", ())
    told = f", T {summary['temperature']:g}, {max(1, len(seeds))} seed{'s' * (len(seeds) > 1)}"
    return told + (f" (sd {100 * summary['seed_sd']:.1f})" if seeds else "")


def _accuracy(entry: Mapping[str, Any]) -> list[str]:
    low, high = entry["ci95"]
    interval = f"{100 * low:.1f} to {100 * high:.1f}"
    return [f"{100 * entry['accuracy']:.1f} %", interval, str(entry["n"])]
