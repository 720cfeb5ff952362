"""`pixelis memory`: what the agent remembers, found, checked, moved and erased."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.errors import ConfigError, JobError

if TYPE_CHECKING:
    from pixelis.memory import Experience, Memory

FORMS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    stats = action(actions, "stats", "Count what is kept; draw it with --plot.", run_stats)
    stats.add_argument(
        "--plot", metavar="FILE", help="write a picture of what is kept (.png, .svg)"
    )

    listing = action(actions, "list", "List experiences, the newest first.", run_list)
    add_filter(listing)
    listing.add_argument("--limit", metavar="N", type=at_least(1), default=20, help="default: 20")

    search = action(actions, "search", "Find experiences like a question or picture.", run_search)
    search.add_argument("text", metavar="TEXT", nargs="?", default="", help="what was asked")
    search.add_argument("--image", metavar="FILE", help="and about which picture")
    search.add_argument("-k", metavar="N", type=at_least(1), default=5, help="most found (5)")

    show = action(actions, "show", "Show one experience whole.", run_show)
    show.add_argument("id", metavar="ID", help="of the experience; see: pixelis memory list")
    show.add_argument("--media", metavar="FILE", help="write its picture or video there")

    verify = action(actions, "verify", "Check every row and file.", run_verify)
    verify.add_argument("--repair", action="store_true", help="remove what is damaged")

    erase = action(actions, "erase", "Erase for good; names the versions trained on it.", run_erase)
    erase.add_argument("ids", metavar="ID", nargs="*", help="of experiences")
    add_times(erase)
    erase.add_argument("--user", metavar="NAME", help="all of this user")
    erase.add_argument("--all", action="store_true", help="everything")
    erase.add_argument(
        "--retire", action="store_true", help="also roll back to before the versions trained on it"
    )

    pin = action(actions, "pin", "Keep experiences from eviction.", run_pin)
    pin.add_argument("ids", metavar="ID", nargs="+", help="of experiences")
    pin.add_argument("--off", action="store_true", help="let them go again")

    export = action(actions, "export", "Write experiences and media into a folder.", run_export)
    export.add_argument("out", metavar="DIR", help="a new folder")
    add_filter(export)

    take = action(actions, "import", "Add the experiences of an export.", run_import)
    take.add_argument("source", metavar="DIR", help="a folder written by export")

    action(actions, "compact", "Give unused room back; make the index anew.", run_compact)


def action(
    actions: Any, name: str, summary: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """A sub-command with --store and --json."""
    parser = actions.add_parser(name, help=summary, description=summary)
    parser.add_argument("--store", metavar="DIR", required=True, help="folder of the store")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)
    return parser


def add_times(parser: argparse.ArgumentParser) -> None:
    for name, word in (("--since", "not before"), ("--until", "not after")):
        parser.add_argument(
            name, metavar="TIME", type=moment, help=f"{word} this time: 2026-01-31 or ...T12:00"
        )


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Which experiences are meant."""
    add_times(parser)
    for name, word in (("family", "family"), ("status", "status"), ("user", "user")):
        parser.add_argument(f"--{name}", metavar="NAME", help=f"only this {word}")
    parser.add_argument(
        "--version", metavar="N", type=at_least(0), help="only what this adapter version answered"
    )


def moment(text: str) -> float:
    """An argparse type: a local time as seconds since 1970."""
    for form in FORMS:
        try:
            return time.mktime(time.strptime(text, form))
        except (ValueError, OverflowError):
            continue
    raise argparse.ArgumentTypeError(f"{text!r} is no time; give 2026-01-31 or 2026-01-31T12:00")


def open_store(args: argparse.Namespace) -> Memory:
    """The store of `--store`; ConfigError when there is none."""
    from pixelis.memory import Memory

    return Memory(args.store, must_exist=True)


def chosen(args: argparse.Namespace) -> Any:
    from pixelis.memory import STATUSES, Filter

    if args.status is not None and args.status not in STATUSES:
        raise ConfigError(f"--status {args.status!r}; statuses are {', '.join(STATUSES)}")
    return Filter(args.family, args.status, args.version, args.user, args.since, args.until)


def run_stats(args: argparse.Namespace) -> int:
    from pixelis.memory.statistics import draw, statistics

    with open_store(args) as memory:
        found = statistics(memory)
        if args.plot:
            draw(memory, Path(args.plot))
    if args.json:
        emit_json(found)
        return 0
    printer = Printer()
    for name, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key or '(none)'} {count}" for key, count in value.items()) or "-"
        printer.field(name.replace("_", " "), str(value), indent=0)
    return 0


def run_list(args: argparse.Namespace) -> int:
    with open_store(args) as memory:
        found = memory.page(chosen(args), args.limit)
    if args.json:
        emit_json([brief(one) for one in found])
        return 0
    printer = Printer()
    for one in found:
        tell(printer, one)
    return 0


def run_search(args: argparse.Namespace) -> int:
    if not args.text.strip() and not args.image:
        raise ConfigError("search: give a text, --image, or both")
    from pixelis.media import open_picture
    from pixelis.memory import Probe
    from pixelis.memory.embedding import embedder_for

    image = open_picture(args.image).image if args.image else None
    with open_store(args) as memory:
        name, _, model = memory.base.about("embedder", "plain").partition(":")
        policy = None
        if name == "pooled":
            from pixelis.models.load import load_policy

            policy = load_policy(model)
        embedder = embedder_for(policy, name)
        embedding = embedder.embed(args.text, image)
        found = memory.search(Probe(args.text, embedding, embedder.space), args.k).neighbours
    if args.json:
        emit_json([{**brief(n.experience), "likeness": round(n.likeness, 4)} for n in found])
        return 0
    printer = Printer()
    for near in found:
        tell(printer, near.experience, f"like it {near.likeness:.2f}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    with open_store(args) as memory:
        one = memory.get(args.id)
        if one is None:
            raise ConfigError(f"there is no experience {args.id}; see: pixelis memory list")
        votes = [vote._asdict() for vote in memory.votes(one.id)]
        if args.media:
            if one.media is None:
                raise ConfigError(f"experience {args.id} has no picture or video")
            Path(args.media).write_bytes(memory.picture(one.media))
    if args.json:
        emit_json({**one.to_dict(), "embedding": None, "votes": votes})
        return 0
    printer = Printer()
    tell(printer, one)
    for vote in votes:
        sure = "" if vote["confidence"] is None else f", sure {100 * vote['confidence']:.0f} %"
        printer.field("vote", f"{vote['answer']}  ({vote['source']}{sure})")
    for step in one.episode.get("steps", []):
        call, seen = step.get("call"), step.get("observation")
        if call:
            printer.field("call", f"{call['op']} {call['arguments']}", "cyan")
        if seen:
            printer.field("saw", str(seen["text"])[:400])
    return 0


def run_verify(args: argparse.Namespace) -> int:
    from pixelis.memory.verify import verify
    from pixelis.online.versions import Versions

    with open_store(args) as memory:
        report = verify(memory, args.repair)
        report.damage += Versions(memory).verify()
    if args.json:
        emit_json({"ok": report.ok, **vars(report)})
    else:
        printer = Printer()
        for line in report.repaired:
            printer.line(f"set right: {line}", "yellow")
        for line in report.damage:
            printer.line(f"damage: {line}", "red")
        printer.line(f"{report.experiences} experiences, {report.media} media files looked at")
    if not report.ok:
        cure = "what is left is whole" if args.repair else "see it above; remove it with --repair"
        raise JobError(f"the store has {len(report.damage)} damaged parts; {cure}")
    return 0


def run_erase(args: argparse.Namespace) -> int:
    from pixelis.memory.erase import erase
    from pixelis.online.versions import Versions

    with open_store(args) as memory:
        done = erase(
            memory, args.ids, args.user, args.since, args.until, args.all, "cli",
            Versions(memory).retire if args.retire else None,
        )  # fmt: skip
    if args.json:
        emit_json({**done._asdict(), "erased": len(done.ids)})
    else:
        printer = Printer()
        printer.line(f"erased {len(done.ids)}")
        if done.versions:
            told = ", ".join(map(str, done.versions))
            hint = "" if args.retire else "; roll back with --retire or pixelis versions rollback"
            printer.line(f"adapter versions that learned from it: {told}{hint}", "yellow")
        for path in done.exports:
            printer.line(f"still in the export {path}", "yellow")
        if not done.clean:
            printer.line("another process has the store open: its log is emptied later", "yellow")
    missing = [one for one in args.ids if one not in done.ids]
    if missing:
        raise JobError(f"there is no experience {', '.join(missing)}; see: pixelis memory list")
    return 0


def run_pin(args: argparse.Namespace) -> int:
    with open_store(args) as memory:
        done = memory.pin(args.ids, not args.off)
    if args.json:
        emit_json({"pinned": not args.off, "experiences": done})
    if done < len(args.ids):
        raise JobError(f"{len(args.ids) - done} of these ids are not in the store")
    return 0


def run_export(args: argparse.Namespace) -> int:
    from pixelis.memory.exchange import export

    with open_store(args) as memory:
        count = export(memory, args.out, chosen(args))
    if args.json:
        emit_json({"out": args.out, "experiences": count})
    else:
        Printer().line(f"{count} experiences in {args.out}")
    return 0


def run_import(args: argparse.Namespace) -> int:
    from pixelis.memory import Memory
    from pixelis.memory.exchange import take

    with Memory(args.store) as memory:
        done = take(memory, args.source)
    if args.json:
        emit_json(done._asdict())
    else:
        Printer().line(f"{done.added} added, {done.known} were there already")
    return 0


def run_compact(args: argparse.Namespace) -> int:
    with open_store(args) as memory:
        memory.spaces.rebuild_all()
        clean = memory.base.forget_deleted()
    if args.json:
        emit_json({"clean": clean})
    if not clean:
        raise JobError("another process has the store open; the log was not emptied")
    return 0


def brief(one: Experience) -> dict[str, Any]:
    """What a list tells of an experience."""
    names = (
        "id",
        "born",
        "question",
        "answer",
        "confidence",
        "status",
        "version",
        "family",
        "user",
    )
    return {name: getattr(one, name) for name in (*names, "media", "pinned", "reward")}


def tell(printer: Printer, one: Experience, more: str = "") -> None:
    printer.line(one.id, "cyan")
    printer.field("asked", one.question)
    sure = "" if one.confidence is None else f"  (sure {100 * one.confidence:.0f} %)"
    printer.field("answered", f"{one.answer}{sure}")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.born))
    printer.field("is", ", ".join(filter(None, (one.status, f"version {one.version}", when, more))))
