"""The options that choose a model, the same in every command that asks one."""

from __future__ import annotations

import argparse
from typing import Any

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
    fetching = parser.add_mutually_exclusive_group()
    fetching.add_argument(
        "--allow-download", action="store_true", help="let hf:ID fetch a checkpoint from the hub"
    )
    fetching.add_argument(
        "--offline", action="store_true", help="fetch nothing (this is the default)"
    )


def loading(args: argparse.Namespace) -> dict[str, Any]:
    """What these options mean for `Agent.load`."""
    return {"allow_download": args.allow_download, "quantize": args.quantize}
