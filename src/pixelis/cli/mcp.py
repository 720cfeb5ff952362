"""`pixelis mcp`: the operations and `ask` as tools for other assistants."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pixelis.cli.journal import keep_journal
from pixelis.cli.model import add_model, loading
from pixelis.cli.output import Printer
from pixelis.cli.serve import add_listening, end_at_once, keys_of, require_extra
from pixelis.errors import ConfigError

if TYPE_CHECKING:
    from pixelis.server.settings import Settings
    from pixelis.server.tools import Tools


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--http",
        action="store_true",
        help="serve over HTTP at /mcp (default: standard input and output, for one client)",
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        action="append",
        help="folder whose files may be named by path; several times for several (default: this "
        "folder; none with --http)",
    )
    add_listening(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    require_extra()
    from pixelis.cli.config import resolve
    from pixelis.server.settings import Settings

    settings = resolve(args, Settings)
    tools = _tools(args, settings)
    try:
        if args.http:
            _over_http(args, tools, settings)
        else:
            import anyio

            from pixelis.server.mcp import over_stdio

            anyio.run(over_stdio, tools)
    finally:
        tools.close()
    return 0


def _tools(args: argparse.Namespace, settings: Settings) -> Tools:
    options = loading(args)
    from pixelis.agent import Agent
    from pixelis.ops.registry import REGISTRY
    from pixelis.server.question import limits_of
    from pixelis.server.tools import Tools

    roots = [Path(root) for root in args.root or ([] if args.http else ["."])]
    for root in roots:
        if not root.is_dir():
            raise ConfigError(f"--root {root} is no folder")
    return Tools(REGISTRY, limits_of(settings), lambda: Agent.load(args.model, **options), roots)


def _over_http(args: argparse.Namespace, tools: Tools, settings: Settings) -> None:
    from pixelis.server.listen import bound, listen
    from pixelis.server.mcp import over_http

    keys = keys_of(args, settings)
    printer = Printer()

    def ready(address: str) -> None:
        printer.field("mcp", f"{address}mcp", "bold", indent=0)

    with bound(settings) as listener, keep_journal(args.log):
        app, calls = over_http(tools, settings, keys)
        say = partial(printer.field, "stopping", indent=0)
        listen(listener, app, settings, ready, calls, say, end_at_once)
