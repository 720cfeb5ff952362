"""`pixelis help`: the help of every command as one Markdown page."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pixelis.errors import ConfigError, JobError

WIDTH = 88
HEAD = """# Help

Every command's `--help`, in one place. Written by `pixelis help --out docs/help.md`; do not edit.

"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FILE", help="write the page here (default: print it)")
    parser.add_argument(
        "--check", metavar="FILE", help="fail when this page is not what would be written"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    text = page()
    if args.check:
        _check(Path(args.check), text)
    elif args.out:
        _write(Path(args.out), text)
    else:
        print(text, end="")
    return 0


def page() -> str:
    """The Markdown of all commands and their actions."""
    from pixelis.cli.main import COMMANDS, build_parser

    blocks = (
        f"## {parser.prog}\n\n```\n{parser.format_help()}```\n"
        for parser in _walk(build_parser(COMMANDS))
    )
    return HEAD + "\n".join(blocks)


def _walk(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    parser.formatter_class = partial(argparse.HelpFormatter, width=WIDTH)  # type: ignore[assignment]
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _walk(inner)


def _check(path: Path, text: str) -> None:
    try:
        written = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if written != text:
        raise JobError(f"{path} is out of date; run: pixelis help --out {path}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
