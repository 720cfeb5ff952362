"""`pixelis data`: training data made, checked, looked at and handed on."""

from __future__ import annotations

import argparse

from pixelis.cli.make import add_make


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One function adds each action: a new one is a file with such a function, called here."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    add_make(actions)
