"""`pixelis wheeler`: text as a picture that remembers. One file per group of actions."""

from __future__ import annotations

import argparse

from pixelis.cli.wheeler import check, learn, memory, picture, text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-commands of all groups."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    for group in (learn, text, memory, picture, check):
        group.add_actions(actions)
