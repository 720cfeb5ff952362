"""The options that choose a model, the same in every command that asks one."""

from __future__ import annotations

import argparse
from typing import Any

from pixelis.cli.parser import at_least

FORMS = "nano (bundled), hf:PATH_OR_ID, loader:package.module:function or openai:BASE_URL#MODEL"
DIALECT_NAMES = (
    "qwen3-vl",
    "qwen2.5-vl",
    "deepeyes",
    "chain-of-focus",
    "mini-o3",
    "pixel-reasoner",
    "deepeyes-v2",
    "thyme",
    "pyvision",
)  # as in pixelis.models.dialects, which takes too long to import for --help
CHANGING = ("dialect", "quantize", "min_pixels", "max_pixels")  # what may change an answer


def add_model(parser: argparse.ArgumentParser) -> None:
    """`--model` and what goes with it."""
    parser.add_argument("--model", metavar="MODEL", default="nano", help=f"{FORMS} (default: nano)")
    add_loading(parser)


def add_loading(parser: argparse.ArgumentParser) -> None:
    """How the model behind `--model` is loaded and spoken to."""
    parser.add_argument(
        "--quantize", choices=("int8", "int4"), help="load the weights in 8 or 4 bits (default: no)"
    )
    add_pixels(parser)
    fetching = parser.add_mutually_exclusive_group()
    fetching.add_argument(
        "--allow-download", action="store_true", help="let hf:ID fetch a checkpoint from the hub"
    )
    fetching.add_argument(
        "--offline", action="store_true", help="fetch nothing (this is the default)"
    )
    parser.add_argument(
        "--dialect",
        metavar="NAME",
        help="how the model writes calls and answers, instead of what its profile says: "
        + ", ".join(DIALECT_NAMES),
    )


def add_pixels(parser: argparse.ArgumentParser) -> None:
    """How large an image may be."""
    for name, word in (("min-pixels", "fewest"), ("max-pixels", "most")):
        variable = name.upper().replace("-", "_")
        parser.add_argument(
            f"--{name}",
            metavar="N",
            type=at_least(1),
            help=f"{word} pixels of an image it is given (default: {variable}, or the model's)",
        )


def loading(args: argparse.Namespace) -> dict[str, Any]:
    """What these options mean for `Agent.load`.

    ConfigError for a dialect there is not, so that no model is loaded for it.
    """
    if args.dialect is not None:
        from pixelis.models.dialects import get_dialect

        get_dialect(args.dialect)
    return {name: getattr(args, name) for name in ("allow_download", *CHANGING)}


def chosen(args: argparse.Namespace) -> dict[str, Any]:
    """The options given that may change what a model answers, to be kept with its answers."""
    return {name: getattr(args, name) for name in CHANGING if getattr(args, name) is not None}


def shown(spec: str) -> str:
    """`--model` as it may be written into files: a server's address without user and password."""
    from pixelis.models.load import SERVER

    if not spec.startswith(SERVER):
        return spec
    from urllib.parse import urlsplit, urlunsplit

    url = urlsplit(spec.removeprefix(SERVER))
    return SERVER + urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))
