"""`pixelis compare`: two episodes side by side on one page."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pixelis.cli.output import Printer, emit_json
from pixelis.errors import ConfigError

if TYPE_CHECKING:
    from pixelis.trace.compare import Side

OUT = "compare.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("left", metavar="A.json", help="an episode, as 'ask --trace' writes it")
    parser.add_argument("right", metavar="B.json", help="the other one")
    parser.add_argument(
        "--out", metavar="FILE.html", default=OUT, help=f"write the page here (default: {OUT})"
    )
    parser.add_argument(
        "--media",
        metavar="FILE",
        help="the picture or video of both (default: where each episode says)",
    )
    parser.add_argument("--json", action="store_true", help="print the table as one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pixelis.trace import check_path, write_text
    from pixelis.trace.compare import parted, render_pair, rows

    if Path(args.out).suffix.lower() != ".html":
        raise ConfigError(f"--out {args.out} must end in .html")
    out = check_path(args.out)
    with ExitStack() as open_files:
        left = _side(args.left, args.media, open_files)
        right = _side(args.right, args.media, open_files)
        write_text(out, render_pair(left, right))
    table = rows(left.episode, right.episode)
    first = parted(left.episode.steps, right.episode.steps)
    if args.json:
        emit_json(
            {
                "page": str(out),
                "parted_at_step": first,
                "rows": [row._asdict() for row in table],
                "notes": [side.note for side in (left, right) if side.note],
            }
        )
        return 0
    printer = Printer()
    printer.field("A", args.left, "dim", indent=0)
    printer.field("B", args.right, "dim", indent=0)
    for row in table:
        if not row.same:
            printer.line(row.label.lower(), "bold")
            printer.field("A", row.left)
            printer.field("B", row.right)
    for side in (left, right):
        if side.note:
            printer.line(f"{side.name}: {side.note}", "yellow")
    printer.line("they did the same" if first is None else f"they part at step {first}")
    printer.field("page", str(out), indent=0)
    return 0


def _side(path: str, media: str | None, open_files: ExitStack) -> Side:
    """An episode with its calls run again, which brings its crops, masks and frames back."""
    from pixelis.agent import replay, restore
    from pixelis.media import open_media
    from pixelis.trace import find_media, read_json
    from pixelis.trace.compare import Side

    episode = read_json(path)
    source = open_media(find_media(episode, path, media))
    open_files.callback(source.close)
    workspace = restore(episode, source)
    count = len(replay(episode, source, workspace=workspace).differences)
    note = ""
    if count:
        note = (
            f"run again, its calls bring {count} other value{'' if count == 1 else 's'} than "
            "recorded; text and answer are as recorded, marks and crops as they come now"
        )
    return Side(Path(path).name, episode, workspace, note)
