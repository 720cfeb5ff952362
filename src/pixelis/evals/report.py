"""What a run amounts to: the figures (JSON), a page of Markdown, and a page of HTML to look at."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixelis.errors import ConfigError, StoreError
from pixelis.evals.page import page
from pixelis.evals.question import data_hash
from pixelis.evals.results import Result
from pixelis.evals.statistics import (
    calibration_bins,
    calibration_error,
    mean_interval,
    spread,
)

ROTATIONS = 4  # of the options of a question in HR-Bench


def summarize(results: Sequence[Result], **facts: Any) -> dict[str, Any]:
    """The figures of a run, in the stable shape of `eval --json`.

    Args:
        facts: further keys (`model`, `control`, `frozen`, `command`, ...), copied in.

    Keys: `accuracy` in [0, 1]; `ci95` its bootstrap interval over pictures; `n`; `by_family`,
    `by_difficulty`, `by_domain` as {name: {"accuracy", "ci95", "n"}}; `score`, the mean graded
    score; `ops_per_question`; `op_success`, the share of calls that ran without an error, None
    without calls; `seconds_per_question`, wall time over questions; `ece` over the known answers
    that carry a confidence, None without, and `calibration`, its bins; `unknown_share`, answers
    that say they cannot know; `answered_share`, episodes with an answer; `tokens_per_question`,
    written by the model; `pixels_per_question`, of all images it was given; `by_op` as {name:
    {"calls", "success", "questions"}}; `data_hash`. With several seeds `n` counts answers,
    `questions` the questions, and `seeds` holds the accuracy of each and `seed_sd` their standard
    deviation.
    """
    if not results:
        raise ConfigError("no questions were asked; raise --limit")
    calls = sum(result.ops for result in results)
    failed = sum(result.failed_ops for result in results)
    sure = [result for result in results if result.confidence is not None and result.known]
    confidences = [float(result.confidence or 0) for result in sure]
    verdicts = [result.correct for result in sure]
    once = list({result.id: result for result in results}.values())
    return {
        **_accuracy(results),
        "by_family": _grouped(results, lambda result: result.family),
        "control": facts.pop("control", "none"),
        "ops_per_question": calls / len(results),
        "op_success": (calls - failed) / calls if calls else None,
        "seconds_per_question": sum(result.wall_s for result in results) / len(results),
        "model": facts.pop("model", ""),
        "data_hash": data_hash(result.fingerprint for result in once),
        "score": sum(result.score for result in results) / len(results),
        "unknown_share": sum(not result.known for result in results) / len(results),
        "answered_share": sum(result.ended == "answered" for result in results) / len(results),
        "ece": calibration_error(confidences, verdicts),
        "calibration": [one._asdict() for one in calibration_bins(confidences, verdicts)],
        "tokens_per_question": sum(result.tokens for result in results) / len(results),
        "pixels_per_question": sum(result.pixels for result in results) / len(results),
        "by_op": by_op(results),
        "questions": len(once),
        **_seeds(results),
        "by_difficulty": _grouped(results, lambda result: result.difficulty),
        "by_domain": _grouped(results, lambda result: result.domain),
        **facts,
    }


def by_op(results: Sequence[Result]) -> dict[str, Any]:
    """How often each operation was called, how often that worked, and in how many episodes."""
    calls: Counter[str] = Counter()
    worked: Counter[str] = Counter()
    episodes: Counter[str] = Counter()
    for result in results:
        names = [step for step in result.episode.get("steps", ()) if step.get("call")]
        for step in names:
            name = step["call"]["op"]
            calls[name] += 1
            seen = step.get("observation")
            worked[name] += seen is not None and seen.get("error") is None
        episodes.update({step["call"]["op"] for step in names})
    return {
        name: {
            "calls": count,
            "success": worked[name] / count,
            "questions": episodes[name] / len(results),
        }
        for name, count in calls.most_common()
    }


def official(results: Sequence[Result], figure: str, metric: str) -> dict[str, Any]:
    """What a benchmark's authors report: `accuracy`, or the mean `score`, with its interval."""
    values = [float(r.correct) if figure == "accuracy" else r.score for r in results]
    interval = mean_interval(values, [result.picture for result in results])
    return {"metric": metric, "value": sum(values) / len(values), "ci95": list(interval)}


def circular(results: Sequence[Result], rotations: int = ROTATIONS) -> float | None:
    """The share of questions right in every rotation of their options; None without rotations.

    A question of which some rotations are missing (a limit, a broken record) does not count.
    """
    groups: dict[tuple[int, str], list[bool]] = defaultdict(list)
    for result in results:
        if result.group:
            groups[result.seed, result.group].append(result.correct)
    whole = [all(group) for group in groups.values() if len(group) == rotations]
    return sum(whole) / len(whole) if whole else None


def unanswered(results: Sequence[Result]) -> list[str]:
    """What to know of questions that failed or ran out of time: these count as wrong answers."""
    notes = []
    for ended, told in (("failed", "could not be asked"), ("time", "ran out of time")):
        found = [result for result in results if result.ended == ended]
        if found:
            reason = found[0].episode.get("meta", {}).get("error", "")
            first = f"{found[0].id}: {reason}" if reason else found[0].id
            notes.append(f"{len(found)} of {len(results)} {told} and count as wrong; first {first}")
    return notes


def _seeds(results: Sequence[Result]) -> dict[str, Any]:
    """The accuracy of each seed where one question was answered under several; else nothing."""
    seeds = sorted({result.seed for result in results})
    if len(seeds) < 2:
        return {}
    shares = []
    for seed in seeds:
        mine = [result.correct for result in results if result.seed == seed]
        shares.append(sum(mine) / len(mine))
    each = [{"seed": seed, "accuracy": share} for seed, share in zip(seeds, shares, strict=True)]
    return {"seeds": each, "seed_sd": spread(shares)}


def worst(results: Sequence[Result], count: int = 24) -> list[Result]:
    """The failures most worth a look: wrong answers by falling confidence, then missing ones."""
    wrong = [result for result in results if not result.correct]
    return sorted(wrong, key=lambda result: -(result.confidence or 0.0))[:count]


def trace_name(question: str, seed: int) -> str:
    """The file of an answer's trace in a run's folder `traces`."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in question)
    return f"{safe}-{seed}.html"


def markdown(summary: Mapping[str, Any], results: Sequence[Result]) -> str:
    """A page for people: the figures, tables by group, the worst failures."""
    low, high = summary["ci95"]
    lines = [
        f"# {summary.get('benchmark', 'Evaluation')}: {summary['model']}",
        "",
        f"**Accuracy {100 * summary['accuracy']:.1f} %** (95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f}, n = {summary['n']}), control `{summary['control']}`.",
        "",
        *[f"- {note}" for note in summary.get("notes", ())],
        *([""] if summary.get("notes") else []),
        "| figure | value |",
        "|---|---|",
        *[f"| {name} | {_cell(summary[name])} |" for name in summary if _is_figure(summary[name])],
    ]
    for key in ("by_family", "by_difficulty", "by_domain"):
        lines += _table(key, summary[key])
    lines += _used(summary.get("by_op") or {})
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
    traces: Mapping[tuple[str, int], str] | None = None,
) -> None:
    """Writes `summary.json`, `report.md` and `report.html` into `folder`.

    Args:
        picture: the PIL image of a result's question, shown small beside a failure.
        traces: addresses of whole traces by question and seed, as seen from the folder.
    """
    html = page(summary, worst(results), picture, traces)
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


def _used(operations: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not operations:
        return []
    lines = ["", "## Operations", "", "| | calls | of questions | worked |", "|---|---|---|---|"]
    for name, entry in operations.items():
        lines.append(
            f"| {_escape(name)} | {entry['calls']} | {100 * entry['questions']:.1f} % | "
            f"{100 * entry['success']:.1f} % |"
        )
    return lines


def _is_figure(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else _escape(str(value))


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
