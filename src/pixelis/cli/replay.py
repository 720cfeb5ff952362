"""`pixelis replay`: an episode's calls run again, or its question asked of another model."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pixelis.cli.model import add_loading, chosen, loading
from pixelis.cli.output import Printer, emit_json
from pixelis.errors import ConfigError, JobError

if TYPE_CHECKING:
    from pathlib import Path

    from pixelis.agent.replay import Difference, Replay
    from pixelis.episode import Episode
    from pixelis.media import Picture, Video

LONGEST = 160  # letters of a value shown in a difference


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("episode", metavar="EPISODE.json", help="what 'ask --trace X.json' wrote")
    parser.add_argument(
        "--media", metavar="FILE", help="the picture or video (default: where the episode says)"
    )
    parser.add_argument(
        "--model", metavar="MODEL", help="ask this model the same question instead of replaying"
    )
    add_loading(parser)
    parser.add_argument(
        "--trace", metavar="FILE", help="with --model: write its trace, FILE.html or FILE.json"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.trace and not args.model:
        raise ConfigError("--trace belongs to --model; a replay writes nothing")
    if not args.model and (given := next(iter(chosen(args)), None)):
        raise ConfigError(f"--{given.replace('_', '-')} belongs to --model; a replay asks no model")
    options = loading(args)
    from pixelis.trace import check_path, find_media, read_json

    episode = read_json(args.episode)
    if args.trace:
        check_path(args.trace)
    from pixelis.media import open_media

    place = find_media(episode, args.episode, args.media)
    with open_media(place) as media:
        if args.model:
            return _ask_again(args, options, episode, media, place)
        return _replay(args, episode, media)


def _replay(args: argparse.Namespace, episode: Episode, media: Picture | Video) -> int:
    from pixelis.agent import replay

    found = replay(episode, media)
    if args.json:
        emit_json(record(episode, found))
    else:
        _tell(Printer(), found)
    if not found.same:
        count = len(found.differences)
        raise JobError(f"{count} difference{'' if count == 1 else 's'} from {args.episode}")
    return 0


def record(episode: Episode, found: Replay) -> dict[str, Any]:
    """What `--json` prints of a replay; steps are numbered from 1."""
    return {
        "episode": episode.id,
        "calls": found.calls,
        "same": found.same,
        "differences": [{**each._asdict(), "step": each.step + 1} for each in found.differences],
    }


def _tell(printer: Printer, found: Replay) -> None:
    calls = f"{found.calls} call{'' if found.calls == 1 else 's'} run again"
    if found.same:
        printer.line(f"{calls}; every observation is the same")
        return
    printer.line(calls)
    for each in found.differences:
        printer.line()
        printer.line(f"step {each.step + 1}, {each.field}", "yellow")
        was, now = _apart(each)
        printer.field("recorded", was)
        printer.field("now", now)


def _apart(each: Difference) -> tuple[str, str]:
    """Both values as JSON, long ones cut to where they begin to differ."""
    was, now = (json.dumps(value, ensure_ascii=False) for value in (each.recorded, each.now))
    pairs = enumerate(zip(was, now, strict=False))
    first = next((i for i, (a, b) in pairs if a != b), min(len(was), len(now)))
    return _window(was, first), _window(now, first)


def _window(text: str, first: int) -> str:
    if len(text) <= LONGEST:
        return text
    start = max(0, min(first - LONGEST // 4, len(text) - LONGEST))
    head, tail = "... " if start else "", " ..." if start + LONGEST < len(text) else ""
    return head + text[start : start + LONGEST] + tail


def _ask_again(
    args: argparse.Namespace,
    options: dict[str, Any],
    before: Episode,
    media: Picture | Video,
    place: Path,
) -> int:
    """The same question, seed and budget for another model."""
    from pixelis.agent import Agent
    from pixelis.trace import write
    from pixelis.trace.scene import why_not

    budget = _budget(before, args.episode)
    with Agent.load(args.model, **options) as agent:
        workspace = agent.workspace(media)
        now = agent.ask(
            media,
            before.question,
            budget=budget,
            seed=before.seed,
            workspace=workspace,
        )
    if args.trace:
        write(now, workspace, args.trace, place)
    if args.json:
        emit_json({"before": _answer_record(before), "now": _answer_record(now)})
    else:
        _tell_answers(Printer(), before, now)
    if now.answer is None:
        raise JobError(f"{now.model}: {why_not(now)}")
    return 0


def _budget(episode: Episode, path: str) -> Any:
    """The budget the episode was played with; ConfigError names the file that has a broken one."""
    from pixelis.agent import Budget

    recorded = episode.meta.get("budget")
    try:
        return Budget(**recorded) if recorded else Budget()
    except ConfigError as error:
        raise ConfigError(f"{path}: meta.budget: {error}") from error
    except TypeError as error:
        known = ", ".join(each.name for each in fields(Budget))
        raise ConfigError(f"{path}: meta.budget is broken; it has numbers for {known}") from error


def _answer_record(episode: Episode) -> dict[str, Any]:
    """One side of `--model --json`; `answer` is always a string, empty when there is none."""
    answer = episode.answer
    return {
        "model": episode.model,
        "answer": "" if answer is None else answer.text,
        "confidence": None if answer is None else answer.confidence,
        "evidence": [] if answer is None else list(answer.evidence),
        "calls": len(episode.calls),
        "ended": episode.ended,
        "seconds": round(episode.seconds, 3),
    }


def _tell_answers(printer: Printer, before: Episode, now: Episode) -> None:
    from pixelis.trace.scene import why_not

    printer.line(before.question, "bold")
    for label, episode in (("before", before), ("now", now)):
        text = episode.answer.text if episode.answer else why_not(episode)
        calls = f"{len(episode.calls)} call{'' if len(episode.calls) == 1 else 's'}"
        printer.field(label, text, indent=0)
        printer.field("", f"{episode.model}, {calls}, {episode.seconds:.1f} s", "dim", indent=0)
