"""`pixelis doctor`: what is installed, what is missing, and the cure for each problem."""

from __future__ import annotations

import argparse

from pixelis.cli.output import Printer, emit_json
from pixelis.errors import JobError

MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "bad": ("bad", "red")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pixelis.cli.health import findings

    printer = Printer()
    found = []
    for finding in findings():
        found.append(finding)
        if not args.json:
            word, color = MARKS[finding.state]
            name = f"{printer.style(word.ljust(5), color)} {finding.name}"
            print(f"{name}: {printer.style(finding.found)}", flush=True)
            if finding.cure:
                printer.field("", finding.cure, "dim")
    bad = [finding.name for finding in found if finding.state == "bad"]
    if args.json:
        emit_json({"healthy": not bad, "findings": [each._asdict() for each in found]})
    if bad:
        raise JobError(f"{len(bad)} problem{'' if len(bad) == 1 else 's'}: {', '.join(bad)}")
    return 0
