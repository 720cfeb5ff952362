"""`pixelis data make`: executed episodes of procedural worlds, in shards, by several processes."""

from __future__ import annotations

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.cli.progress import Progress

if TYPE_CHECKING:
    from pixelis.data.engine import Recipe, Report

DIFFICULTIES = ("easy", "medium", "hard")


def add_make(actions: Any) -> None:
    about = "Make episodes of procedural worlds, every operation executed."
    parser = actions.add_parser("make", help=about, description=about)
    parser.add_argument("--count", metavar="N", type=at_least(1), required=True,
                        help="how many episodes")  # fmt: skip
    parser.add_argument("--seed", metavar="S", type=at_least(0), required=True,
                        help="the same seed gives the same files")  # fmt: skip
    parser.add_argument("--out", metavar="DIR", required=True,
                        help="folder to write; a run that was cut off goes on from it")  # fmt: skip
    parser.add_argument("--families", metavar="A,B", type=names, help="only these families")
    parser.add_argument("--domains", metavar="A,B", type=names, help="only these style packs")
    parser.add_argument("--difficulty", choices=DIFFICULTIES, help="only questions of this band")
    parser.add_argument("--mix", metavar="G,C,T", type=shares, default=(0.6, 0.2, 0.2),
                        help="shares of golden, self-correcting and trapped episodes "
                        "(default: 0.6,0.2,0.2)")  # fmt: skip
    parser.add_argument("--workers", metavar="N", type=at_least(1), default=2,
                        help="processes (default: 2); the files do not depend on it")  # fmt: skip
    parser.add_argument("--replay", metavar="SHARE", type=share, default=0.05,
                        help="execute this share of the episodes a second time and compare "
                        "(default: 0.05)")  # fmt: skip
    parser.add_argument("--writer", metavar="MODEL", default="",
                        help="a model, best openai:BASE_URL#NAME, that rephrases thoughts; its "
                        "words are checked (default: none)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pixelis.data.engine import Recipe, prepare, report_of
    from pixelis.data.sheet import write_sheet

    recipe = Recipe(
        args.count, args.seed, args.mix, args.families, args.domains, args.difficulty,
        replayed=args.replay, writer=args.writer,
    )  # fmt: skip
    folder = Path(args.out)
    missing = prepare(recipe, folder)
    with Progress(Printer(), args.json, "making", "made") as progress:
        _make(recipe, missing, folder, args.workers, progress)
    report = report_of(folder)
    told = {"out": str(folder), **report.to_dict()}
    sheet = write_sheet(folder, told)
    (folder / "report.json").write_text(_json(told), encoding="utf-8")
    if args.json:
        emit_json({**told, "sheet": str(sheet)})
    else:
        _tell(Printer(), report, sheet)
    return 1 if report.replays["different"] else 0


def _make(
    recipe: Recipe, missing: list[int], folder: Path, workers: int, progress: Progress
) -> None:
    """Makes the missing shards; what is done already counts in the progress."""
    from pixelis.data.engine import SHARD, work

    total = recipe.count
    done = total - sum(min(SHARD, total - number * SHARD) for number in missing)
    if workers == 1 or len(missing) < 2:
        outcomes = (work(recipe, number, folder) for number in missing)
        for _, report in outcomes:
            done += report.written.total()
            progress.tell(done, total, _state(report))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        jobs = [pool.submit(work, recipe, number, folder) for number in missing]
        try:
            for job in as_completed(jobs):
                _, report = job.result()
                done += report.written.total()
                progress.tell(done, total, _state(report))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _state(report: Report) -> str:
    return f"{100 * report.rejection:.1f} % rejected"


def _tell(printer: Printer, report: Report, sheet: Path) -> None:
    written = ", ".join(f"{count} {name}" for name, count in report.written.items())
    printer.line(f"wrote {report.written.total()} episodes: {written}", "bold")
    for name, count in report.families.most_common():
        printer.field(str(count), name)
    lost = report.rejected.total()
    printer.line(f"rejected {lost} ({100 * report.rejection:.1f} % of the attempts)")
    for reason, count in report.rejected.most_common(8):
        printer.field(str(count), reason, "dim")
    again = report.replays.total()
    if again:
        printer.line(f"replayed {again}, {report.replays['identical']} identical")
    printer.line(f"look at {sheet}", "dim")


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


def names(text: str) -> tuple[str, ...]:
    """An argparse type: `a,b`."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} names nothing")
    return found


def share(text: str) -> float:
    """An argparse type: a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{value:g} is not from 0 to 1")
    return value


def shares(text: str) -> tuple[float, ...]:
    """An argparse type: three numbers of any sum, made to add up to 1 (`60,20,20`)."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: three numbers are needed") from None
    if len(values) != 3 or min(values) < 0 or sum(values) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: three numbers of 0 or more are needed")
    return tuple(value / sum(values) for value in values)
