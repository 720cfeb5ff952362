"""`pixelis gauge`: how far a model's confidence can be believed, as a file for evolve."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.model import add_model, loading, shown
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.cli.progress import Progress
from pixelis.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pixelis.evals.question import Benchmark
    from pixelis.online.settings import EvolveConfig

VOTING = ("votes", "temperature", "strategy", "ahead", "seed")
LEAST = 10  # answers; fewer say nothing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--out", metavar="FILE.json", required=True, help="where to write it")
    parser.add_argument(
        "--questions",
        metavar="FILE.jsonl",
        default="exam:calibration",
        help="labelled questions, as 'pixelis eval jsonl' takes them (default: exam:calibration)",
    )
    parser.add_argument("--limit", metavar="N", type=at_least(1), help="only the first N questions")
    for name in VOTING:
        parser.add_argument(f"--{name}", metavar="VALUE", default=None, help="as for evolve")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pixelis.cli.config import resolve
    from pixelis.online.settings import EvolveConfig

    given = argparse.Namespace(config=None, **dict.fromkeys(EvolveConfig.model_fields))
    for name in ("model", *VOTING):
        setattr(given, name, getattr(args, name))
    config = resolve(given, EvolveConfig)
    questions = _questions(args)
    from pixelis.memory.media import write_whole

    found, calibration = _fitted(args, config, questions)
    write_whole(Path(args.out), json.dumps(calibration, indent=2).encode() + b"\n")
    if args.json:
        emit_json(found)
        return 0
    printer = Printer()
    printer.field("answered", f"{found['answers']} of {found['questions']}", indent=0)
    for kind, one in found["measured"].items():
        told = f"log loss {one['loss']:.3f}, calibration error {one['after']:.3f} cross-fitted"
        printer.field(kind, f"{told} (by chance alone {one['chance']:.3f})", indent=0)
    printer.field("written", f"{args.out} ({found['kind']}, {found['id']})", indent=0)
    return 0


def _questions(args: argparse.Namespace) -> Benchmark:
    from dataclasses import replace

    from pixelis.online.exam import read_set

    found = read_set(Path(args.questions), "calibration")
    if Path(args.out).is_dir():
        raise ConfigError(f"--out {args.out}: that is a folder; name a file")
    if not Path(args.out).absolute().parent.is_dir():
        raise ConfigError(f"--out {args.out}: there is no such folder to write into")
    return found if args.limit is None else replace(found, ids=found.ids[: args.limit])


def _fitted(
    args: argparse.Namespace, config: EvolveConfig, questions: Benchmark
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was measured, and the calibration's file; DataError for too few answers."""
    from pixelis.agent import Agent
    from pixelis.online.calibrate import ask, best, setting

    progress = Progress(Printer(), args.json, "asking", "asked")
    with Agent.load(args.model, **loading(args)) as agent, progress as told:
        said = ask(agent, questions, config, lambda n, total: told.tell(n, total, "asked"))
        of = setting(agent, config)
    if len(said) < LEAST:
        raise DataError(
            f"{len(said)} of {len(questions)} questions have an answer; {LEAST} are needed at the "
            "least, and some hundred to mean anything"
        )
    fitted = best(said)
    return {
        "model": shown(args.model),
        "from": str(args.questions),
        "questions": len(questions),
        "answers": len(said),
        "right": sum(one.right for one in said) / len(said),
        "kind": fitted.calibration.kind,
        "id": fitted.calibration.id,
        "measured": {kind: one._asdict() for kind, one in fitted.measured.items()},
        "out": str(args.out),
    }, {**fitted.calibration.to_dict(), "of": of}
