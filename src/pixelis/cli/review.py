"""`pixelis review`: what the agent would like a person to look at, and what the person says."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.memory import action, open_store
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.errors import ConfigError

if TYPE_CHECKING:
    from pixelis.memory import Memory
    from pixelis.memory.reviews import Review, Verdict

KEYS: dict[str, Verdict] = {"a": "approve", "c": "correct", "r": "reject"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    listing = action(actions, "list", "List what waits for a person.", run_list)
    listing.add_argument("--limit", metavar="N", type=at_least(1), default=20, help="default: 20")
    for name, summary in (
        ("approve", "The answer is right."),
        ("correct", "The answer is wrong, and this is the right one."),
        ("reject", "The answer is wrong."),
    ):
        decide = action(actions, name, summary, run_decide)
        decide.add_argument("number", metavar="N", type=at_least(1), help="of the review")
        if name == "correct":
            decide.add_argument("correction", metavar="ANSWER", help="the right answer")
        decide.add_argument("--reviewer", metavar="NAME", default=None, help="default: your login")
    ask = action(actions, "ask", "Put an experience before people.", run_ask)
    ask.add_argument("id", metavar="ID", help="of the experience")
    walk = action(actions, "walk", "Go through all that waits, in the terminal.", run_walk)
    walk.add_argument("--reviewer", metavar="NAME", default=None, help="default: your login")


def run_list(args: argparse.Namespace) -> int:
    from pixelis.memory.reviews import Reviews

    with open_store(args) as memory:
        reviews = Reviews(memory)
        found = [record(memory, one) for one in reviews.waiting(args.limit)]
        counts = reviews.counts()
    if args.json:
        emit_json({"counts": counts, "waiting": found})
        return 0
    printer = Printer()
    for one in found:
        _show(printer, one)
    hint = "" if found else "; ask about one: pixelis review ask ID"
    printer.line(f"{counts['waiting']} wait{hint}", "dim")
    return 0


def run_decide(args: argparse.Namespace) -> int:
    with open_store(args) as memory:
        one = decide(
            memory, args.number, args.action, getattr(args, "correction", ""), args.reviewer
        )
    if args.json:
        emit_json(one)
    return 0


def run_ask(args: argparse.Namespace) -> int:
    from pixelis.memory.reviews import Reviews

    with open_store(args) as memory:
        if memory.get_seq(args.id) is None:
            raise ConfigError(f"there is no experience {args.id}; see: pixelis memory list")
        reviews = Reviews(memory)
        reviews.ask(args.id, "asked for by hand")
        review = reviews.of(args.id)
    assert review is not None, "it was just asked"
    if args.json:
        emit_json(review._asdict())
        return 0
    said = review.verdict and f", decided already: {review.verdict}"
    Printer().line(f"review {review.number}{said}")
    return 0


def run_walk(args: argparse.Namespace) -> int:
    """Asks for each: a approve, c correct, r reject, s skip, q quit."""
    from pixelis.memory.reviews import Reviews

    printer = Printer()
    done: list[dict[str, Any]] = []
    with open_store(args) as memory:
        for review in Reviews(memory).waiting(1_000_000):
            _show(printer, record(memory, review))
            said = _asked("approve (a), correct (c), reject (r), skip (s), quit (q)? ")
            if said == "q":
                break
            if said not in KEYS:
                continue
            right = _asked("right answer? ") if said == "c" else ""
            if said == "c" and not right:
                continue
            done.append(decide(memory, review.number, KEYS[said], right, args.reviewer))
    if args.json:
        emit_json(done)
    return 0


def decide(
    memory: Memory, number: int, verdict: Verdict, correction: str, reviewer: str | None
) -> dict[str, Any]:
    """Decides in the name of a reviewer, or of whose login it is."""
    from pixelis.memory.reviews import Reviews

    who = reviewer or getpass.getuser()
    return Reviews(memory).decide(number, verdict, correction, who)._asdict()


def record(memory: Memory, review: Review) -> dict[str, Any]:
    """A review with what must be seen to decide it."""
    one = memory.get(review.experience)
    assert one is not None, "reviews go with their experience"
    path: Path | None = memory.picture_path(one.media) if one.media is not None else None
    return {
        **review._asdict(),
        "question": one.question,
        "answer": one.answer,
        "confidence": one.confidence,
        "media": None if path is None else str(path),
        "votes": [vote.answer for vote in memory.votes(one.id)],
    }


def _show(printer: Printer, one: dict[str, Any]) -> None:
    printer.line(f"review {one['number']}", "cyan")
    printer.field("asked", one["question"])
    printer.field("answered", one["answer"], "bold")
    printer.field("votes", ", ".join(vote or "(none)" for vote in one["votes"]))
    printer.field("why", one["reason"])
    if one["media"]:
        printer.field("look at", one["media"], "dim")


def _asked(prompt: str) -> str:
    try:
        return input(prompt).strip()
    except EOFError:
        return "q"
