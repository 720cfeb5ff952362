"""`pixelis eval`: accuracy with interval and controls; comparing, freezing, publishing."""

from __future__ import annotations

import argparse

from pixelis.cli.eval.options import add_arguments as _add_options

ACTIONS = ("compare", "freeze", "page", "ops")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of all benchmarks and actions."""
    _add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the action or benchmark that was named."""
    from pixelis.cli.eval import measure, options

    options.check(args)
    if args.benchmark in ACTIONS:
        from pixelis.cli.eval import actions

        return getattr(actions, args.benchmark)(args)
    return measure.run(args)
