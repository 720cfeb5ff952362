"""How figures are printed: one run, or a table of runs beside its first row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.output import Printer
from pixelis.errors import StoreError

if TYPE_CHECKING:
    from pixelis.evals.results import Result

COLUMNS = ("accuracy", "95 % interval", "n", "difference", "p", "ops", "op success", "s", "ECE")


def one(printer: Printer, summary: Mapping[str, Any], out: str | None) -> None:
    """The figures of one run, for people."""
    from pixelis.evals.page import cost

    low, high = summary["ci95"]
    printer.line(
        f"accuracy {100 * summary['accuracy']:.1f} %, 95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f}, n = {summary['n']}, {summary['model']}, control {summary['control']}",
        "bold",
    )
    if "official" in summary:
        value, (low, high) = summary["official"]["value"], summary["official"]["ci95"]
        name = summary["official"]["metric"]
        figures = f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"
        printer.line(f"as its authors report it: {name} {figures}")
    if "circular" in summary:
        printer.line(f"right in every rotation of the options: {100 * summary['circular']:.1f} %")
    for name, entry in summary["by_family"].items():
        low, high = entry["ci95"]
        figures = f"{100 * entry['accuracy']:5.1f} %  ({100 * low:.1f} to {100 * high:.1f})"
        printer.line(f"  {name:24s} {figures}  n = {entry['n']}")
    if "seeds" in summary:
        shares = ", ".join(f"{100 * entry['accuracy']:.1f}" for entry in summary["seeds"])
        printer.line(f"by seed {shares} % (standard deviation {100 * summary['seed_sd']:.1f})")
    printer.line(f"a question: {cost(summary)}")
    for note in summary["notes"]:
        printer.line(note, "yellow")
    printer.line(f"{_kind(summary)}, data {summary['data_hash'][:16]}", "dim")
    if out:
        printer.line(f"results and reports in {out}", "dim")


def _kind(summary: Mapping[str, Any]) -> str:
    if summary["frozen"]:
        return "frozen questions"
    if "spoil" in summary["settings"]:
        return "spoiled pictures, not frozen"
    part = "published" in summary["settings"]
    return "not all of the published questions" if part else "fresh questions, not frozen"


def gather(
    summaries: Mapping[str, dict[str, Any]], results: Mapping[str, Sequence[Result]]
) -> dict[str, Any]:
    """`table` (a row a run, with its difference from the first) and `runs` (their summaries).

    `p` is Holm-corrected over the rows. `retention` is accuracy over the first row's.
    """
    from pixelis.evals.statistics import compare, holm

    first, *others = summaries
    base = {(one.id, one.seed): one for one in results[first]}
    rows: dict[str, dict[str, Any]] = {}
    for label, summary in summaries.items():
        rows[label] = {"label": label, **{key: summary[key] for key in KEPT}}
        accuracy = summaries[first]["accuracy"]
        rows[label]["retention"] = summary["accuracy"] / accuracy if accuracy else None
    raw = {}
    for label in others:
        pairs = [(one, base[one.id, one.seed]) for one in results[label]]
        outcome = compare(
            [float(one.correct) for one, _ in pairs],
            [float(other.correct) for _, other in pairs],
            [other.picture for _, other in pairs],
        )
        rows[label] |= {"difference": outcome.difference, "difference_ci95": outcome.interval}
        raw[label] = outcome.p
    for label, p in holm(raw).items():
        rows[label]["p"] = p
    return {"table": list(rows.values()), "runs": dict(summaries)}


KEPT = (
    *("model", "control", "accuracy", "ci95", "n", "ops_per_question", "op_success"),
    *("seconds_per_question", "tokens_per_question", "ece"),
)


def cells_of(row: Mapping[str, Any]) -> list[str]:
    """A row's texts, in the order of COLUMNS."""
    low, high = row["ci95"]
    gap, p = row.get("difference"), row.get("p")
    success, ece = row["op_success"], row["ece"]
    return [
        f"{100 * row['accuracy']:.1f} %",
        f"{100 * low:.1f} to {100 * high:.1f}",
        str(row["n"]),
        "" if gap is None else f"{100 * gap:+.1f}",
        "" if p is None else f"{p:.4f}" if p >= 0.0001 else "< 0.0001",
        f"{row['ops_per_question']:.2f}",
        "" if success is None else f"{100 * success:.1f} %",
        f"{row['seconds_per_question']:.2f}",
        "" if ece is None else f"{ece:.3f}",
    ]


def several(printer: Printer, document: Mapping[str, Any], out: str | None) -> None:
    """The table, for people."""
    rows = [("", *COLUMNS), *((row["label"], *cells_of(row)) for row in document["table"])]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for number, row in enumerate(rows):
        texts = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        printer.line("  ".join(texts).rstrip(), *(("bold",) if number == 0 else ()))
    printer.line("difference from the first row, in points; p after Holm's correction", "dim")
    if out:
        printer.line(f"results and reports in {out}", "dim")


def markdown(document: Mapping[str, Any]) -> str:
    """The table as Markdown."""
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    lines += [f"| {row['label']} | {' | '.join(cells_of(row))} |" for row in document["table"]]
    return "\n".join(lines) + "\n"


def write(out: Path, document: Mapping[str, Any]) -> None:
    """`table.json` and `table.md` in the folder of a table."""
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False)
        (out / "table.json").write_text(text + "\n", encoding="utf-8")
        (out / "table.md").write_text(markdown(document), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{out}: cannot write the table ({error.strerror})") from error
