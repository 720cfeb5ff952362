"""`pixelis versions`: the adapter versions of a store, promoted and rolled back."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from pixelis.cli.memory import action, open_store
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.errors import ConfigError, JobError

if TYPE_CHECKING:
    from pixelis.online.versions import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    action(actions, "list", "List versions; check their files with verify.", run_list)
    show = action(actions, "show", "Show a version and what it learned from.", run_show)
    show.add_argument("number", metavar="N", type=at_least(1), help="of the version")
    diff = action(actions, "diff", "How far apart the weights of two versions are.", run_diff)
    diff.add_argument("first", metavar="N", type=at_least(0), help="0 is the bare model")
    diff.add_argument("second", metavar="M", type=at_least(0), help="0 is the bare model")
    promote = action(actions, "promote", "Make a version the one that answers.", run_promote)
    promote.add_argument("number", metavar="N", type=at_least(1), help="of the version")
    promote.add_argument("--reason", metavar="TEXT", default="by hand", help="kept in the log")
    back = action(
        actions, "rollback", "Take a version and its descendants out of use.", run_rollback
    )
    back.add_argument(
        "number", metavar="N", type=at_least(1), nargs="?", help="default: the promoted one"
    )
    back.add_argument("--reason", metavar="TEXT", default="by hand", help="kept in the log")
    action(actions, "verify", "Check the files of every version.", run_verify)


def run_list(args: argparse.Namespace) -> int:
    from pixelis.online.versions import Versions

    with open_store(args) as memory:
        versions = Versions(memory)
        found, promoted = versions.all(), versions.promoted
    if args.json:
        emit_json({"promoted": promoted, "versions": [one._asdict() for one in found]})
        return 0
    printer = Printer()
    printer.field("0", "the model without adapters" + (", promoted" if not promoted else ""))
    for one in found:
        printer.field(str(one.number), brief(one), "green" if one.state == "promoted" else "dim")
    return 0


def run_show(args: argparse.Namespace) -> int:
    from pixelis.online.versions import Versions

    with open_store(args) as memory:
        versions = Versions(memory)
        one = versions.get(args.number)
        record: dict[str, Any] = {**one._asdict(), "experiences": versions.lineage(one.number)}
        record["folder"] = str(versions.path(one.number))
    if args.json:
        emit_json(record)
        return 0
    printer = Printer()
    printer.line(f"{one.number}: {brief(one)}", "bold")
    printer.field("files", one.sha256)
    printer.field("try", f"pixelis ask PICTURE QUESTION --model hf:{record['folder']}")
    printer.field("learned", f"from {len(record['experiences'])} experiences")
    for name, value in one.figures.items():
        printer.field(name, str(value))
    return 0


def run_diff(args: argparse.Namespace) -> int:
    from pixelis.online.versions import Versions

    with open_store(args) as memory:
        changes = Versions(memory).diff(args.first, args.second)
    if args.json:
        emit_json(changes)
        return 0
    printer = Printer()
    printer.field("all", f"{changes.pop('all'):.4g}", "bold", indent=0)
    for name, value in sorted(changes.items(), key=lambda item: -item[1])[:12]:
        printer.line(f"{value:.4g}  {name}")
    return 0


def run_promote(args: argparse.Namespace) -> int:
    from pixelis.online.versions import Versions

    with open_store(args) as memory:
        Versions(memory).promote(args.number, args.reason)
    return _told(args, args.number)


def run_rollback(args: argparse.Namespace) -> int:
    from pixelis.online.versions import Versions

    with open_store(args) as memory:
        versions = Versions(memory)
        number = args.number or versions.promoted
        if number == 0:
            raise ConfigError("no version is promoted; there is nothing to roll back")
        now = versions.roll_back(number, args.reason)
    return _told(args, now)


def run_verify(args: argparse.Namespace) -> int:
    from pixelis.online.versions import Versions

    with open_store(args) as memory:
        damage = Versions(memory).verify()
    if args.json:
        emit_json({"ok": not damage, "damage": damage})
    if damage:
        raise JobError("; ".join(damage))
    return 0


def brief(one: Version) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.born))
    return f"{one.state}, from {one.parent}, {when}, {one.reason}"


def _told(args: argparse.Namespace, promoted: int) -> int:
    if args.json:
        emit_json({"promoted": promoted})
    else:
        Printer().line(f"version {promoted} answers now")
    return 0
