"""The options that choose a model, the same in every command that asks one."""

from __future__ import annotations

import argparse
from typing import Any

from pixelis.cli.parser import at_least

FORMS = "nano (bundled), hf:PATH_OR_ID, loader:package.module:function or openai:BASE_URL#MODEL"


def add_model(parser: argparse.ArgumentParser) -> None:
    """`--model` and what goes with it."""
    parser.add_argument("--model", metavar="MODEL", default="nano", help=f"{FORMS} (default: nano)")
    add_loading(parser)


def add_loading(parser: argparse.ArgumentParser) -> None:
    """How the weights behind `--model` are loaded."""
    parser.add_argument(
        "--quantize", choices=("int8", "int4"), help="load the weights in 8 or 4 bits (default: no)"
    )
    for name, word in (("min-pixels", "fewest"), ("max-pixels", "most")):
        variable = name.upper().replace("-", "_")
        parser.add_argument(
            f"--{name}",
            metavar="N",
            type=at_least(1),
            help=f"{word} pixels of an image it is given (default: {variable}, or the model's)",
        )
    fetching = parser.add_mutually_exclusive_group()
    fetching.add_argument(
        "--allow-download", action="store_true", help="let hf:ID fetch a checkpoint from the hub"
    )
    fetching.add_argument(
        "--offline", action="store_true", help="fetch nothing (this is the default)"
    )


def loading(args: argparse.Namespace) -> dict[str, Any]:
    """What these options mean for `Agent.load`."""
    names = ("allow_download", "quantize", "min_pixels", "max_pixels")
    return {name: getattr(args, name) for name in names}
