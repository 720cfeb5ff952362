"""What a run amounts to: the figures (JSON), a page of Markdown, and a page of HTML to look at."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixelis.errors import ConfigError, StoreError
from pixelis.evals.page import page
from pixelis.evals.question import data_hash
from pixelis.evals.results import Result
from pixelis.evals.statistics import calibration_error, compare, holm, mean_interval


def summarize(results: Sequence[Result], **facts: Any) -> dict[str, Any]:
    """The figures of a run, in the stable shape of `eval --json`.

    Args:
        facts: further keys (`model`, `control`, `frozen`, `command`, ...), copied in.

    Keys: `accuracy` in [0, 1]; `ci95` its bootstrap interval over pictures; `n`; `by_family`,
    `by_difficulty`, `by_domain` as {name: {"accuracy", "ci95", "n"}}; `score`, the mean graded
    score; `ops_per_question`; `op_success`, the share of calls without an error, None without
    calls; `seconds_per_question`, wall time over questions; `ece` over the known answers that
    carry a confidence, None without; `unknown_share`, answers that say they cannot know;
    `answered_share`, episodes with an answer; `data_hash`.
    """
    if not results:
        raise ConfigError("no questions were asked; raise --limit")
    calls = sum(result.ops for result in results)
    failed = sum(result.failed_ops for result in results)
    sure = [result for result in results if result.confidence is not None and result.known]
    return {
        **_accuracy(results),
        "by_family": _grouped(results, lambda result: result.family),
        "control": facts.pop("control", "none"),
        "ops_per_question": calls / len(results),
        "op_success": (calls - failed) / calls if calls else None,
        "seconds_per_question": sum(result.wall_s for result in results) / len(results),
        "model": facts.pop("model", ""),
        "data_hash": data_hash(result.fingerprint for result in results),
        "score": sum(result.score for result in results) / len(results),
        "unknown_share": sum(not result.known for result in results) / len(results),
        "answered_share": sum(result.ended == "answered" for result in results) / len(results),
        "ece": calibration_error(
            [float(result.confidence or 0) for result in sure], [result.correct for result in sure]
        ),
        "by_difficulty": _grouped(results, lambda result: result.difficulty),
        "by_domain": _grouped(results, lambda result: result.domain),
        **facts,
    }


def compare_runs(first: Sequence[Result], second: Sequence[Result]) -> dict[str, Any]:
    """The paired difference in accuracy of two runs over the same questions, first minus second.

    Keys: `difference`, `ci95`, `p` (two-sided bootstrap over pictures), `n`, and `by_family` with
    the same keys, where `p` is Holm-corrected over the families. Raises ConfigError when the runs
    did not answer the same questions.
    """
    other = {result.id: result for result in second}
    same = len(first) == len(second) and all(
        result.id in other and result.fingerprint == other[result.id].fingerprint
        for result in first
    )
    if not same:
        raise ConfigError("the two runs are about different questions; evaluate both on one set")
    families: dict[str, list[tuple[Result, Result]]] = defaultdict(list)
    for result in first:
        families[result.family].append((result, other[result.id]))
    by_family = {name: _paired(pairs) for name, pairs in sorted(families.items())}
    adjusted = holm({name: entry["p"] for name, entry in by_family.items()})
    for name, p in adjusted.items():
        by_family[name]["p"] = p
    return {
        **_paired([(result, other[result.id]) for result in first]),
        "by_family": by_family,
    }


def worst(results: Sequence[Result], count: int = 24) -> list[Result]:
    """The failures most worth a look: wrong answers by falling confidence, then missing ones."""
    wrong = [result for result in results if not result.correct]
    return sorted(wrong, key=lambda result: -(result.confidence or 0.0))[:count]


def markdown(summary: Mapping[str, Any], results: Sequence[Result]) -> str:
    """A page for people: the figures, tables by group, the worst failures."""
    low, high = summary["ci95"]
    lines = [
        f"# {summary.get('benchmark', 'Evaluation')}: {summary['model']}",
        "",
        f"**Accuracy {100 * summary['accuracy']:.1f} %** (95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f}, n = {summary['n']}), control `{summary['control']}`.",
        "",
        "| figure | value |",
        "|---|---|",
        *[f"| {name} | {_cell(summary[name])} |" for name in summary if _is_figure(summary[name])],
    ]
    for key in ("by_family", "by_difficulty", "by_domain"):
        lines += _table(key, summary[key])
    lines += ["", "## Worst failures", ""]
    lines += ["| question | gold | answer | sure | ended |", "|---|---|---|---|---|"]
    for result in worst(results):
        gold = result.gold if isinstance(result.gold, str) else " / ".join(result.gold)
        sure = "" if result.confidence is None else f"{result.confidence:.2f}"
        cells = [result.question, gold, result.answer, sure, result.ended]
        lines.append("| " + " | ".join(_escape(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def write_report(
    folder: Path,
    summary: Mapping[str, Any],
    results: Sequence[Result],
    picture: Callable[[Result], Any] | None = None,
) -> None:
    """Writes `summary.json`, `report.md` and `report.html` into `folder`.

    Args:
        picture: the PIL image of a result's question, shown small beside a failure.
    """
    html = page(summary, worst(results), picture)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
        (folder / "report.md").write_text(markdown(summary, results), encoding="utf-8")
        (folder / "report.html").write_text(html, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder}: cannot write the report ({error.strerror})") from error


def _accuracy(results: Sequence[Result]) -> dict[str, Any]:
    values = [float(result.correct) for result in results]
    interval = mean_interval(values, [result.picture for result in results])
    return {"accuracy": sum(values) / len(values), "ci95": list(interval), "n": len(values)}


def _grouped(results: Sequence[Result], key: Callable[[Result], str]) -> dict[str, Any]:
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if key(result):
            groups[key(result)].append(result)
    return {name: _accuracy(members) for name, members in sorted(groups.items())}


def _paired(pairs: Sequence[tuple[Result, Result]]) -> dict[str, Any]:
    outcome = compare(
        [float(one.correct) for one, _ in pairs],
        [float(other.correct) for _, other in pairs],
        [one.picture for one, _ in pairs],
    )
    return {
        "difference": outcome.difference,
        "ci95": list(outcome.interval),
        "p": outcome.p,
        "n": outcome.n,
    }


def _table(name: str, groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not groups:
        return []
    title = name.replace("_", " ").capitalize()
    lines = ["", f"## {title}", "", "| | accuracy | 95 % interval | n |", "|---|---|---|---|"]
    for group, entry in groups.items():
        low, high = entry["ci95"]
        lines.append(
            f"| {_escape(group)} | {100 * entry['accuracy']:.1f} % | "
            f"{100 * low:.1f} to {100 * high:.1f} | {entry['n']} |"
        )
    return lines


def _is_figure(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else _escape(str(value))


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
