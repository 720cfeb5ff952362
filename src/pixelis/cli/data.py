"""`pixelis data`: real datasets in, training data checked, looked at, split, and handed on."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.make import add_make
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.cli.progress import Progress
from pixelis.errors import ConfigError

if TYPE_CHECKING:
    from pixelis.data.readers.row import Rejections

# As in pixelis.data.readers.read, which takes too long to import for --help.
SOURCES = (
    *("coco", "lvis", "partimagenet", "sa1b", "docvqa", "infographicsvqa", "textcaps", "tallyqa"),
    *("mathvista", "mmmu", "mmvet", "vstar", "virl39k", "mot17", "mvbench", "starqa", "ego4d"),
    *("webpage", "pixelreasoner", "huggingface"),
)

TRAINERS = ("trl", "llamafactory", "verl", "openrlhf")  # as in pixelis.data.exports.write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Each action is added by a function of its own; one that lives in another file joins here."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    for add in (
        add_make,
        add_import,
        add_check,
        add_stats,
        add_show,
        add_merge,
        add_split,
        add_export,
    ):
        add(actions)


def add_import(actions: Any) -> None:
    about = "Read a real dataset into questions, tasks or episodes."
    parser = actions.add_parser("import", help=about, description=about)
    parser.add_argument("path", metavar="PATH", help="the dataset's folder, or its annotation file")
    parser.add_argument(
        "--from",
        dest="source",
        metavar="SOURCE",
        required=True,
        choices=SOURCES,
        help="which dataset it is: " + ", ".join(SOURCES),
    )
    parser.add_argument(
        "--out", metavar="FILE.jsonl", required=True, help="file to write; a folder with --episodes"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--tasks",
        action="store_true",
        help="write tasks: questions with plan, split, licence and origin "
        "(default: questions as 'pixelis eval jsonl' reads them)",
    )
    what.add_argument(
        "--episodes",
        action="store_true",
        help="solve each question by executing its plan; write what comes out right",
    )
    parser.add_argument("--limit", metavar="N", type=at_least(1), help="stop after N")
    parser.add_argument(
        "--per-picture",
        metavar="N",
        type=at_least(1),
        default=3,
        help="most questions made from one picture's annotations (default: 3)",
    )
    parser.add_argument(
        "--media",
        metavar="DIR",
        action="append",
        default=[],
        help="look for pictures and videos here first; may be repeated",
    )
    parser.add_argument(
        "--columns",
        metavar="A=B,...",
        type=pairs,
        default={},
        help="what the columns of a table are, as question=problem,answer=gold",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=at_least(0),
        default=0,
        help="chooses among the questions a picture can answer (default: 0)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_import)


def run_import(args: argparse.Namespace) -> int:
    from pixelis.data.imports import Imported, questions, write_episodes, write_questions
    from pixelis.data.readers import Rejections, read_records

    rejections, imported = Rejections(), Imported()
    out = Path(args.out)
    if not args.episodes and out.is_dir():
        raise ConfigError(f"--out {out} is a folder; name a .jsonl file, or add --episodes")
    records = read_records(args.source, args.path, rejections, args.media, args.columns)
    media = out / "clips" if args.episodes else out.with_suffix("") / "media"
    with Progress(Printer(), args.json, "reading", "read") as progress:
        shown = watched(records, rejections, progress)
        found = questions(shown, media, imported, args.per_picture, args.seed)
        if args.episodes:
            out = write_episodes(found, out, imported, args.limit)
        else:
            write_questions(found, out, imported, args.tasks, args.limit)
    report = {"source": args.source, "out": str(out), **imported.report()}
    report["rejections"] = rejections.report()
    if args.json:
        emit_json(report)
    else:
        _tell_import(report, rejections)
    return 0 if imported.total else 1


def watched(records: Any, rejections: Rejections, progress: Progress) -> Any:
    """The same records; the bar is told how many there were."""
    for record in records:
        count = rejections.kept + rejections.rejected
        progress.count(count, f"{rejections.rejected} refused")
        yield record


def pairs(text: str) -> dict[str, str]:
    """An argparse type: `a=b,c=d`."""
    found = dict(part.split("=", 1) for part in text.split(",") if part.count("=") == 1)
    if len(found) != len(text.split(",")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form question=problem,answer=gold"
        )
    return found


def _tell_import(report: Mapping[str, Any], rejections: Rejections) -> None:
    printer = Printer()
    printer.line(f"wrote {report['written']} from {report['records']} records: {report['out']}")
    for family, count in report["by_family"].items():
        printer.field(str(count), family)
    for reason, count in report["skipped"].items():
        printer.field(str(count), f"skipped: {reason}", "dim")
    tell_rejections(printer, rejections)


def tell_rejections(printer: Printer, rejections: Rejections) -> None:
    """How many records were refused, why, and the first of them in full."""
    if not rejections.rejected:
        return
    printer.line(f"refused {rejections.rejected} records", "yellow")
    for reason, count in rejections.reasons.most_common():
        printer.field(str(count), reason)
    for told in rejections.first[:5]:
        printer.field("", told, "dim")


# export -------------------------------------------------------------------------------------------
def add_export(actions: Any) -> None:
    about = "Write episodes as another trainer loads them."
    parser = actions.add_parser("export", help=about, description=about)
    parser.add_argument("path", metavar="PATH", help="a file or folder of episodes")
    parser.add_argument(
        "--to",
        dest="trainer",
        metavar="TRAINER",
        required=True,
        choices=TRAINERS,
        help="which trainer it is: " + ", ".join(TRAINERS),
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="folder to write")
    parser.add_argument(
        "--keep-slips",
        action="store_true",
        help="also write episodes with steps that are wrong on purpose; the trainer will imitate "
        "those steps (default: left out of trl and llamafactory)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_export)


def run_export(args: argparse.Namespace) -> int:
    from pixelis.data.episodes import read_samples
    from pixelis.data.exports.write import export
    from pixelis.data.readers import Rejections

    rejections = Rejections()
    with Progress(Printer(), args.json, "writing", "written") as progress:
        samples = watched(read_samples(Path(args.path), rejections), rejections, progress)
        exported = export(samples, args.trainer, Path(args.out), rejections, args.keep_slips)
    files = [str(path) for path in exported.files]
    total = sum(exported.rows.values())
    report = {"trainer": args.trainer, "rows": exported.rows, "files": files}
    report |= {"traps_left_out": exported.traps, "slips_left_out": exported.slips}
    report["rejections"] = rejections.report()
    if args.json:
        emit_json(report)
    else:
        printer = Printer()
        for name in files:
            printer.line(f"wrote {name}" + _rows_of(exported.rows, name))
        if exported.traps:
            printer.field(str(exported.traps), "traps left out: nobody shall imitate them", "dim")
        if exported.slips:
            told = "left out: their wrong steps would be imitated (--keep-slips writes them)"
            printer.field(str(exported.slips), told, "dim")
        tell_rejections(printer, rejections)
    return 0 if total else 1


def _rows_of(rows: Mapping[str, int], name: str) -> str:
    count = rows.get(Path(name).name)
    return "" if count is None else f"  {count} rows"


# looking ------------------------------------------------------------------------------------------
def add_check(actions: Any) -> None:
    about = "Check episodes: structure, media, replay, answers, duplicates, leakage, balance."
    parser = actions.add_parser("check", help=about, description=about + " Exit 1 if not clean.")
    parser.add_argument("path", metavar="PATH", help="a file or folder of episodes")
    parser.add_argument(
        "--replay",
        metavar="N",
        type=at_least(0),
        default=None,
        help="run the calls of N episodes again, drawn at random (default: of all)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=at_least(0),
        default=0,
        help="draws the episodes to run again (default: 0)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_check)


def run_check(args: argparse.Namespace) -> int:
    from pixelis.data.quality import check

    with Progress(Printer(), args.json, "checking", "checked") as progress:
        report = check(Path(args.path), args.replay, args.seed, progress.count)
    if args.json:
        emit_json(report.to_dict())
        return 0 if report.clean else 1
    printer = Printer()
    printer.line(f"{report.samples} episodes, {report.replayed} executed again")
    for name, count in report.to_dict()["findings"].items():
        printer.field(name, f"{count} findings" if count else "ok", "yellow" if count else "green")
    for finding in report.grave[:10]:
        printer.field("", f"{finding.check}: {finding.where}: {finding.told}", "dim")
    tell_rejections(printer, report.rejections)
    printer.line("clean" if report.clean else "not clean", "green" if report.clean else "red")
    return 0 if report.clean else 1


def add_stats(actions: Any) -> None:
    about = "Count episodes: families, operations, steps, difficulty; as a table and a page."
    parser = actions.add_parser("stats", help=about, description=about)
    parser.add_argument("path", metavar="PATH", help="a file or folder of episodes")
    parser.add_argument("--out", metavar="FILE.html", help="write a page with plots here")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_stats)


def run_stats(args: argparse.Namespace) -> int:
    from pixelis.data.statistics import GROUPS, MEASURES, gather

    with Progress(Printer(), args.json, "counting", "counted") as progress:
        figures, rejections = gather(Path(args.path), progress.count)
    if args.out:
        from pixelis.data.page import figures_page

        write_page(Path(args.out), figures_page(figures, f"Episodes of {Path(args.path).name}"))
    if args.json:
        emit_json({**figures, "rejections": rejections.report()})
        return 0
    printer = Printer()
    printer.line(f"{figures['samples']} episodes about {figures['media']} pictures and videos")
    for name in (*GROUPS, "ops", "op_errors"):
        told = ", ".join(f"{key} {count}" for key, count in figures[name].items())
        printer.field(_label(name), told or "none")
    for name in MEASURES:
        one = figures[name]
        if one["mean"] is not None:
            told = f"{one['least']:g} to {one['most']:g}, mean {one['mean']:g}"
            printer.field(_label(name), f"{told}, median {one['median']:g}")
    tell_rejections(printer, rejections)
    return 0


def _label(name: str) -> str:
    """A name that fits its column: `type`, `letters`, `words`."""
    return name.removeprefix("answer_").removeprefix("question_")


def add_show(actions: Any) -> None:
    about = "Write a page to look at episodes: pictures, steps, answers."
    parser = actions.add_parser("show", help=about, description=about)
    parser.add_argument("path", metavar="PATH", help="a file or folder of episodes")
    parser.add_argument("--out", metavar="FILE.html", required=True, help="page to write")
    parser.add_argument(
        "--count",
        metavar="N",
        type=at_least(1),
        default=24,
        help="how many, drawn at random (default: 24)",
    )
    parser.add_argument("--family", metavar="NAME", help="only episodes of this family")
    parser.add_argument("--kind", metavar="NAME", help="only golden, self_correction or trap")
    parser.add_argument(
        "--seed", metavar="N", type=at_least(0), default=0, help="draws the episodes (default: 0)"
    )
    parser.set_defaults(run=run_show)


def run_show(args: argparse.Namespace) -> int:
    from pixelis.data.episodes import drawn, read_samples
    from pixelis.data.page import sheet
    from pixelis.data.readers import Rejections

    rejections = Rejections()
    wanted = (
        sample
        for sample in read_samples(Path(args.path), rejections)
        if args.family in (None, sample.family) and args.kind in (None, sample.kind)
    )
    chosen = drawn(wanted, args.count, args.seed)
    if not chosen:
        raise ConfigError(
            f"{args.path} holds no such episodes; see: pixelis data stats {args.path}"
        )
    write_page(Path(args.out), sheet(chosen, f"Episodes of {Path(args.path).name}"))
    printer = Printer()
    printer.line(f"wrote {args.out}: {len(chosen)} episodes")
    tell_rejections(printer, rejections)
    return 0


def write_page(path: Path, text: str) -> None:
    """Writes an HTML page; ConfigError when that is not possible."""
    if path.suffix.lower() != ".html":
        raise ConfigError(f"--out {path.name!r} must end in .html")
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"--out {path} cannot be written: {error.strerror}") from error


# fusing -------------------------------------------------------------------------------------------
def add_merge(actions: Any) -> None:
    about = "Put files of episodes together: each once, no picture in two splits."
    parser = actions.add_parser("merge", help=about, description=about)
    parser.add_argument("paths", metavar="PATH", nargs="+", help="files or folders of episodes")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder to write")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_merge)


def add_split(actions: Any) -> None:
    about = "Split episodes by picture, so that no picture is in two parts."
    parser = actions.add_parser("split", help=about, description=about)
    parser.add_argument("paths", metavar="PATH", nargs="+", help="files or folders of episodes")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder to write")
    parser.add_argument(
        "--shares",
        metavar="A=X,...",
        type=shares,
        default={"train": 0.9, "test": 0.1},
        help="parts and their shares (default: train=0.9,test=0.1)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=at_least(0), default=0, help="deals the pictures (default: 0)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_split)


def run_merge(args: argparse.Namespace) -> int:
    from pixelis.data.fuse import merge

    with Progress(Printer(), args.json, "merging", "merged") as progress:
        fused = merge(_places(args.paths), Path(args.out), progress.count)
    return _tell_fused(args, fused)


def run_split(args: argparse.Namespace) -> int:
    from pixelis.data.fuse import split

    with Progress(Printer(), args.json, "splitting", "split") as progress:
        places = _places(args.paths)
        fused = split(places, Path(args.out), args.shares, args.seed, progress.count)
    return _tell_fused(args, fused)


def shares(text: str) -> dict[str, float]:
    """An argparse type: `train=0.9,test=0.1`; shares above 0."""
    try:
        found = {name: float(share) for name, share in pairs(text).items()}
    except ValueError:
        found = {}
    good = all(share > 0 for share in found.values())
    if not found or not good or not all(name.isidentifier() for name in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form train=0.9,test=0.1")
    return found


def _places(paths: list[str]) -> list[Path]:
    return [Path(path) for path in paths]


def _tell_fused(args: argparse.Namespace, fused: Any) -> int:
    report = {"rows": fused.rows, "duplicates_left_out": fused.dropped}
    report["rejections"] = fused.rejections.report()
    if args.json:
        emit_json(report)
    else:
        printer = Printer()
        for name, count in fused.rows.items():
            printer.line(f"wrote {Path(args.out) / name}  {count} episodes")
        if fused.dropped:
            printer.field(str(fused.dropped), "duplicates left out", "dim")
        tell_rejections(printer, fused.rejections)
    return 0 if sum(fused.rows.values()) else 1
