"""`pixelis audit`: who did what to a store, and whether the log of it is whole."""

from __future__ import annotations

import argparse
import json
import time

from pixelis.cli.memory import action, open_store
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.errors import JobError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    show = action(actions, "show", "Show the newest lines.", run_show)
    show.add_argument("--limit", metavar="N", type=at_least(1), default=50, help="default: 50")
    action(actions, "verify", "Recompute every hash of the chain.", run_verify)


def run_show(args: argparse.Namespace) -> int:
    from pixelis.memory.audit import Audit

    with open_store(args) as memory:
        found = Audit(memory.folder, memory.base, memory.clock).tail(args.limit)
    if args.json:
        emit_json([entry._asdict() for entry in found])
        return 0
    printer = Printer()
    if not found:
        printer.line("nothing was promoted, rolled back, reviewed or erased yet", "dim")
    for entry in found:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at))
        facts = json.dumps(entry.facts, ensure_ascii=False)
        printer.line(f"{entry.seq:>6}  {when}  {entry.who:<8} {entry.event:<10} {facts}")
    return 0


def run_verify(args: argparse.Namespace) -> int:
    from pixelis.memory.audit import Audit

    with open_store(args) as memory:
        checked = Audit(memory.folder, memory.base, memory.clock).verify()
    if args.json:
        emit_json({"ok": not checked.damage, **checked._asdict()})
    elif not checked.damage:
        Printer().line(f"{checked.entries} lines, whole; head {checked.head}")
    if checked.damage:
        raise JobError(f"the audit log was changed: {checked.damage[0]}")
    return 0
