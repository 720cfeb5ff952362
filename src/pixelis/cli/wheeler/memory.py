"""`pixelis wheeler remember|recall|forget|memories`: the associative memory in a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.cli.wheeler.model import action, add_store, load_model, read_frame, store_path
from pixelis.errors import ConfigError, JobError, reason_of

if TYPE_CHECKING:
    from pixelis.wheeler import Recall, WheelerMemory


def add_actions(actions: Any) -> None:
    remember = action(actions, "remember", "Keep texts in the memory.", run_remember)
    remember.add_argument("texts", metavar="TEXT", nargs="*", help="what to keep, in quotes")
    remember.add_argument("--file", metavar="FILE", help="one text a line; - is standard input")
    add_store(remember)

    recall = action(actions, "recall", "Find what a damaged text or frame reminds of.", run_recall)
    recall.add_argument("text", metavar="TEXT", nargs="?", help="whole or damaged")
    recall.add_argument("--frame", metavar="FILE", help="ask with a frame instead: .npy or picture")
    recall.add_argument("--out", metavar="FILE", help="write the settled frame: .npy or .png")
    add_store(recall)

    forget = action(actions, "forget", "Erase memories for good.", run_forget)
    forget.add_argument("ids", metavar="ID", nargs="+", type=at_least(1), help="see memories")
    add_store(forget)

    memories = action(actions, "memories", "List what is kept, and how warm it is.", run_memories)
    add_store(memories)


def open_memory(args: argparse.Namespace, must_exist: bool = True) -> WheelerMemory:
    """The memory of `--store`; ConfigError when there is none to ask."""
    path = store_path(args.store)
    if must_exist and not path.is_file():
        raise ConfigError(f"{path} is not there; keep something first: pixelis wheeler remember")
    from pixelis.wheeler import WheelerMemory

    return WheelerMemory(load_model(args.model), path)


def run_remember(args: argparse.Namespace) -> int:
    texts = [*args.texts, *(_lines(args.file) if args.file else [])]
    if not texts or not all(text.strip() for text in texts):
        raise ConfigError("remember: give a text in quotes, or --file")
    memory = open_memory(args, must_exist=False)
    kept = [memory.remember(text) for text in texts]
    if args.json:
        emit_json([{"id": k.id, "new": k.new, "text": t} for k, t in zip(kept, texts, strict=True)])
        return 0
    printer = Printer()
    for each, text in zip(kept, texts, strict=True):
        printer.field(str(each.id), text + ("" if each.new else "  (known already)"), indent=0)
    return 0


def run_recall(args: argparse.Namespace) -> int:
    if (args.text is None) == (args.frame is None):
        raise ConfigError("recall: give either a text or --frame")
    if args.text is not None and not args.text.strip():
        raise ConfigError("recall: the text is empty; give one in quotes")
    memory = open_memory(args)
    if args.frame:
        found = memory.recall_frame(read_frame(args.frame, memory.model.shape.grid))
    else:
        found = memory.recall(args.text)
    if args.out:
        from pixelis.cli.wheeler.text import save_frame

        save_frame(found.frame, Path(args.out))
    if args.json:
        emit_json(as_json(found))
        return 0
    _tell(Printer(), found, memory)
    return 0


def run_forget(args: argparse.Namespace) -> int:
    memory = open_memory(args)
    there = memory.temperatures()
    missing = [str(number) for number in args.ids if number not in there]
    if missing:
        told = f"there is no memory {', '.join(missing)}, and nothing was erased"
        raise JobError(f"{told}; see: pixelis wheeler memories")
    for number in dict.fromkeys(args.ids):
        memory.forget(number)
    if args.json:
        emit_json({"forgotten": args.ids})
    else:
        Printer().line(f"forgot {len(set(args.ids))}")
    return 0


def run_memories(args: argparse.Namespace) -> int:
    from pixelis.wheeler.lifecycle import band

    memory = open_memory(args)
    warm = memory.temperatures()
    rows = list(memory.rows())
    if args.json:
        told = [
            {"id": r.id, "text": r.text, "hits": r.hits, "temperature": round(warm[r.id], 3)}
            for r in rows
        ]
        emit_json(told)
        return 0
    printer = Printer()
    for row in rows:
        state = f"{band(warm[row.id])}, {row.hits} hits"
        printer.field(str(row.id), f"{row.text}  ({state})", indent=0)
    return 0


def as_json(found: Recall) -> dict[str, Any]:
    """A recall without its frame, which `--out` keeps."""
    return {
        "state": found.state,
        "key": found.key,
        "likeness": round(found.likeness, 4),
        "margin": round(found.margin, 4),
        "support": None if found.support is None else round(found.support, 4),
        "ticks": found.ticks,
        "gist": found.gist,
        "matches": [
            {
                "id": match.id,
                "text": match.text,
                "weight": round(match.weight, 4),
                "likeness": round(match.likeness, 4),
                "note": match.note,
            }
            for match in found.matches
        ],
    }


def _tell(printer: Printer, found: Recall, memory: WheelerMemory) -> None:
    if found.state == "NOVEL":
        _tell_novel(printer, found, memory)
        return
    colors = {"SINGLE": "green", "MIXED": "yellow", "NOVEL": "cyan"}
    printer.field("state", found.state, colors[found.state], indent=0)
    printer.field("reads", found.gist, indent=0)
    for match in found.matches:
        if match.weight >= 0.005 or match is found.matches[0]:
            shares = f"weight {match.weight:.2f}, likeness {match.likeness:.2f}"
            printer.field(f"memory {match.id}", f"{match.text}  ({shares})", indent=0)
    printer.field("settled", f"{found.ticks} ticks, margin {found.margin:.3f}", indent=0)


def _tell_novel(printer: Printer, found: Recall, memory: WheelerMemory) -> None:
    """What comes nearest, and what it lacks to be meant."""
    printer.field("state", "NOVEL: nothing here is meant", "cyan", indent=0)
    if not found.matches:
        printer.field("nearest", "nothing is kept yet", indent=0)
        return
    printer.field("nearest", f"memory {found.matches[0].id}: {found.matches[0].text}", indent=0)
    short = []
    if found.likeness < memory.vigilance:
        short.append(f"likeness {found.likeness:.2f} (needed: {memory.vigilance:.2f})")
    if found.support is not None and found.support < memory.strictness:
        needed = f"needed: {memory.strictness:.2f}"
        short.append(f"one word is found there with {found.support:.2f} alone ({needed})")
    printer.field("but", "; ".join(short), indent=0)


def _lines(path: str) -> list[str]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--file: {path} cannot be read ({reason_of(error)})") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
