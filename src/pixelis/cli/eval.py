"""`pixelis eval`: accuracy with its interval and control, on worlds or on your own questions."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.model import add_model, chosen, loading, shown
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.cli.progress import Progress
from pixelis.errors import ConfigError

if TYPE_CHECKING:
    from pixelis.evals.controls import Solver
    from pixelis.evals.question import Benchmark
    from pixelis.evals.run import Result

BENCHMARKS = ("worlds", "jsonl")
CONTROLS = ("none", "no_ops", "random_crop", "oracle")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "benchmark",
        choices=BENCHMARKS,
        help="worlds: procedural questions, always available; jsonl: your own, with --data",
    )
    parser.add_argument("--data", metavar="FILE", help="questions, one JSON object a line (jsonl)")
    add_model(parser)
    parser.add_argument(
        "--split",
        choices=("test", "shift"),
        default="test",
        help="worlds like those of training, or kept out of it (default: test)",
    )
    parser.add_argument(
        "--families", metavar="A,B", help="only these families of worlds (default: all)"
    )
    parser.add_argument("--limit", metavar="N", type=at_least(1), help="only the first N questions")
    parser.add_argument(
        "--seed",
        metavar="N",
        type=at_least(0),
        help="draw fresh worlds from this seed (default: the frozen exam)",
    )
    parser.add_argument(
        "--control",
        choices=CONTROLS,
        default="none",
        help="the same questions without operations, with randomly placed ones, or with the "
        "truth choosing them (default: none)",
    )
    parser.add_argument(
        "--out", metavar="DIR", help="keep results and reports here; a killed run goes on from it"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    options = loading(args)
    benchmark = _benchmark(args)
    from pixelis.evals.report import summarize, write_report
    from pixelis.evals.run import evaluate

    out = Path(args.out) if args.out else None
    settings = {"model": _model(args), "control": args.control, **_chosen(args)}
    with _Setting(args, options) as setting:
        with Progress(Printer(), args.json, "asking", "asked") as progress:
            tell = _Score(progress).tell
            results = evaluate(benchmark, setting.solver, settings, out, tell)
        summary = summarize(results, **_facts(args, benchmark, setting.weights))
    if out:
        write_report(out, summary, results, _pictures(benchmark))
    if args.json:
        emit_json(summary)
    else:
        _tell(Printer(), summary, out)
    return 0


class _Setting:
    """The loaded agent, or the oracle, as a solver; closes the agent."""

    def __init__(self, args: argparse.Namespace, options: dict[str, Any]) -> None:
        self.args = args
        self.options = options
        self.agent: Any = None
        self.weights: str | None = None
        self.solver: Solver

    def __enter__(self) -> _Setting:
        from pixelis.ops.registry import REGISTRY

        if self.args.control == "oracle":
            from pixelis.data.oracle import solve
            from pixelis.evals.controls import oracle_solver

            self.solver = oracle_solver(solve, REGISTRY)
            return self
        from pixelis.agent import Agent
        from pixelis.evals.controls import RandomCrops, agent_solver
        from pixelis.evals.provenance import weights_hash

        seed = self.args.seed or 0
        registry = RandomCrops(REGISTRY, seed) if self.args.control == "random_crop" else REGISTRY
        self.agent = Agent.load(self.args.model, registry=registry, **self.options)
        self.weights = weights_hash(self.args.model)
        self.solver = agent_solver(self.agent, self.args.control, seed)
        return self

    def __exit__(self, *error: object) -> None:
        if self.agent is not None:
            self.agent.close()


class _Score:
    """Tells how many answers were right so far."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.right = self.seen = 0

    def tell(self, result: Result, done: int, total: int) -> None:
        self.seen += 1
        self.right += result.correct
        self.progress.tell(done, total, f"{100 * self.right / self.seen:.1f} % right")


def _benchmark(args: argparse.Namespace) -> Benchmark:
    """The questions; every wrong combination of options is said before anything is loaded."""
    if args.benchmark == "jsonl":
        if not args.data:
            raise ConfigError("eval jsonl needs --data FILE, your questions as JSONL")
        if args.control == "oracle":
            raise ConfigError(
                "control oracle needs the truth behind a question, which a JSONL file does not "
                "have; use it with 'pixelis eval worlds'"
            )
        for name in ("families", "seed"):
            if getattr(args, name) is not None:
                raise ConfigError(f"--{name} belongs to 'eval worlds'; leave it out with jsonl")
        from pixelis.evals.jsonl import read_jsonl

        return read_jsonl(Path(args.data), args.limit)
    if args.data:
        raise ConfigError("--data belongs to 'eval jsonl'; worlds draw their own questions")
    from pixelis.evals.worlds import read_worlds

    families = tuple(name.strip() for name in args.families.split(",")) if args.families else None
    return read_worlds(args.split, args.seed, args.limit, families)


def _model(args: argparse.Namespace) -> str:
    """Who answers: no model has a part in the oracle."""
    return "oracle" if args.control == "oracle" else shown(args.model)


def _chosen(args: argparse.Namespace) -> dict[str, Any]:
    """Options that may change answers, as far as given; no model has a part in the oracle."""
    return {} if args.control == "oracle" else chosen(args)


def _facts(args: argparse.Namespace, benchmark: Benchmark, weights: str | None) -> dict[str, Any]:
    from pixelis.evals.provenance import commit

    return {
        "model": _model(args),
        "control": args.control,
        **_chosen(args),
        "benchmark": benchmark.name,
        "settings": dict(benchmark.settings),
        "frozen": benchmark.frozen,
        "model_hash": weights,
        "command": shlex.join(["pixelis", *_words(args, sys.argv[1:])]),
        "commit": commit(),
    }


def _words(args: argparse.Namespace, words: Sequence[str]) -> list[str]:
    """The command line without a server's password, which may stand in `--model`."""
    return [word.replace(args.model, shown(args.model)) for word in words]


def _pictures(benchmark: Benchmark) -> Any:
    """Gives the picture behind a result, for the report; None for a video."""
    from PIL import Image

    from pixelis.errors import MediaError
    from pixelis.media import Picture, open_media

    places = {name: index for index, name in enumerate(benchmark.ids)}

    def picture(result: Result) -> Image.Image | None:
        try:
            media = open_media(benchmark.load(places[result.id]).media)
        except MediaError:
            return None
        return media.image if isinstance(media, Picture) else None

    return picture


def _tell(printer: Printer, summary: dict[str, Any], out: Path | None) -> None:
    low, high = summary["ci95"]
    printer.line(
        f"accuracy {100 * summary['accuracy']:.1f} %, 95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f}, n = {summary['n']}, {summary['model']}, control {summary['control']}",
        "bold",
    )
    for name, entry in summary["by_family"].items():
        low, high = entry["ci95"]
        figures = f"{100 * entry['accuracy']:5.1f} %  ({100 * low:.1f} to {100 * high:.1f})"
        printer.line(f"  {name:24s} {figures}  n = {entry['n']}")
    success = summary["op_success"]
    worked = "" if success is None else f", {100 * success:.1f} % of them worked"
    printer.line(
        f"{summary['ops_per_question']:.2f} operations a question{worked}; "
        f"{summary['seconds_per_question']:.2f} s a question"
    )
    frozen = "frozen questions" if summary["frozen"] else "fresh questions, not frozen"
    printer.line(f"{frozen}, data {summary['data_hash'][:16]}", "dim")
    if out:
        printer.line(f"results and reports in {out}", "dim")
