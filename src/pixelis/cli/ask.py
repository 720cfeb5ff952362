"""`pixelis ask`: one question about one picture or video, every step shown as it happens."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pixelis.cli.model import add_model, loading
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least, question
from pixelis.errors import JobError

if TYPE_CHECKING:
    from pixelis.episode import Answer, Episode, Observation, Step
    from pixelis.geometry import Box

MOST_LINES = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("media", metavar="MEDIA", help="file of a picture or a video")
    parser.add_argument(
        "question", metavar="QUESTION", type=question, help="what to find out, in quotes"
    )
    add_model(parser)
    parser.add_argument(
        "--trace",
        metavar="FILE",
        help="write what was done: FILE.html to look at, FILE.json to replay",
    )
    parser.add_argument(
        "--max-steps", metavar="N", type=at_least(1), default=6, help="most steps (default: 6)"
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=at_least(0),
        default=0,
        help="seed of sampled turns; greedy ones, as here, do not depend on it (default: 0)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--quiet", action="store_true", help="print only the answer")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    options = loading(args)
    from pixelis.media import open_media
    from pixelis.trace import check_path

    if args.trace:
        check_path(args.trace)
    with open_media(args.media) as media:
        return _ask(args, media, options)


def _ask(args: argparse.Namespace, media: Any, options: dict[str, Any]) -> int:
    from pixelis.agent import Agent, Budget
    from pixelis.trace import write

    printer = Printer()
    talkative = not (args.json or args.quiet)
    with Agent.load(args.model, **options) as agent:
        workspace = agent.workspace(media)
        teller = Teller(printer)
        if talkative:
            printer.line(f"{media.name}, {media.size.width} x {media.size.height} px", "dim")
            printer.line(args.question, "bold")
        episode = agent.ask(
            media,
            args.question,
            on_step=teller.tell if talkative else None,
            budget=Budget(steps=args.max_steps),
            seed=args.seed,
            workspace=workspace,
        )
    if args.trace:
        write(episode, workspace, args.trace, args.media)
    if args.json:
        emit_json(record(episode))
    elif args.quiet:
        if episode.answer is not None:
            printer.line(episode.answer.text)
    else:
        _conclude(printer, episode, args.trace)
    if episode.answer is None:
        from pixelis.trace.scene import why_not

        raise JobError(why_not(episode))
    return 0


class Teller:
    """Prints steps, numbered from 1."""

    def __init__(self, printer: Printer) -> None:
        self.printer = printer
        self.number = 0

    def tell(self, step: Step) -> None:
        self.number += 1
        self.printer.line()
        self.printer.line(f"{self.number}", "cyan", "bold")
        if step.thought:
            self.printer.field("thought", step.thought)
        if step.call is not None:
            from pixelis.trace.scene import call_text

            self.printer.field("call", call_text(step.call), "cyan")
        if step.observation is not None:
            self._saw(step.observation)
        if step.notice:
            self.printer.field("notice", step.notice, "yellow")
        if step.answer is not None:
            self.printer.field("answers", _shortened(step.answer.raw or step.answer.text))
        if not step.thought and step.call is step.observation is step.answer is None:
            self.printer.field("wrote", _shortened(step.text) or "nothing to go by", "yellow")

    def _saw(self, seen: Observation) -> None:
        if seen.error is not None:
            self.printer.field("error", _shortened(seen.error), "yellow")
            return
        self.printer.field("saw", _shortened(seen.text))
        if seen.handle and seen.box:
            self.printer.field("found", f"{seen.handle} at {where(seen.box)}", "dim")


def record(episode: Episode) -> dict[str, Any]:
    """What `--json` prints; boxes are x1, y1, x2, y2 in source pixels.

    `answer` is always a string, empty when there is none (`ended` says why).
    """
    answer = episode.answer
    return {
        "answer": "" if answer is None else answer.text,
        "confidence": None if answer is None else answer.confidence,
        "evidence": [] if answer is None else list(answer.evidence),
        "ended": episode.ended,
        "seconds": round(episode.seconds, 3),
        "model": episode.model,
        "steps": [_step_record(step) for step in episode.steps],
    }


def where(box: Box) -> str:
    """A box in words, whole source pixels."""
    x1, y1, x2, y2 = box.rounded()
    return f"x {x1} to {x2}, y {y1} to {y2} px"


def _step_record(step: Step) -> dict[str, Any]:
    seen = step.observation
    return {
        "thought": step.thought,
        "call": step.call and {"op": step.call.op, "arguments": dict(step.call.arguments)},
        "observation": seen
        and {
            "text": seen.text,
            "error": seen.error,
            "image": seen.image,
            "box": seen.box and list(seen.box),
            "handle": seen.handle,
        },
    }


def _conclude(printer: Printer, episode: Episode, trace: str | None) -> None:
    printer.line()
    if episode.answer is not None:
        _answer(printer, episode, episode.answer)
    steps = len(episode.steps)
    spent = f"{episode.seconds:.1f} s, {steps} step{'' if steps == 1 else 's'}, {episode.model}"
    printer.field("spent", spent, indent=0)
    if trace:
        printer.field("trace", trace, indent=0)


def _answer(printer: Printer, episode: Episode, answer: Answer) -> None:
    from pixelis.trace.scene import LARGER, NOTHING_FOUND, WHOLE, looked_at

    printer.field("answer", answer.text, "green", "bold", indent=0)
    boxes = looked_at(episode)
    names = answer.evidence if answer.known else answer.evidence or tuple(boxes)
    lines = [
        f"{name} {'at ' + where(boxes[name]) if name in boxes else ''}".rstrip() for name in names
    ]
    if answer.known:
        printer.field("rests on", "\n".join(lines) or "nothing it looked at", indent=0)
    else:
        printer.field("looked at", "\n".join(lines) or WHOLE, indent=0)
        printer.field("", LARGER, "yellow", indent=0)
    if dangling := episode.meta.get("unknown_references"):
        printer.field("but", f"{', '.join(dangling)}: {NOTHING_FOUND}", "yellow", indent=0)
    if answer.confidence is not None:
        printer.field("sure", f"{100 * answer.confidence:.0f} %", indent=0)


def _shortened(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= MOST_LINES:
        return text
    return "\n".join([*lines[:MOST_LINES], f"... and {len(lines) - MOST_LINES} more lines"])
