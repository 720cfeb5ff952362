"""`pixelis estimate`: memory and tokens of a model, from its configuration alone."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from pixelis.cli.model import add_pixels
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least

if TYPE_CHECKING:
    from pixelis.models.estimate import Estimate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "shape",
        metavar="MODEL",
        help="qwen2.5-vl-7b, qwen3-vl-8b, nano, or a folder with config.json",
    )
    parser.add_argument(
        "--dtype",
        choices=("bfloat16", "float16", "float32"),
        default="bfloat16",
        help="of weights and activations; a CPU uses float32 (default: bfloat16)",
    )
    parser.add_argument("--quantize", choices=("int8", "int4"), help="weights in 8 or 4 bits")
    parser.add_argument(
        "--images", metavar="N", type=at_least(1), default=4, help="in a conversation (default: 4)"
    )
    parser.add_argument(
        "--words", metavar="N", type=at_least(1), default=2048, help="text tokens (default: 2048)"
    )
    add_pixels(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pixelis.models.estimate import estimate, read_config, read_pixels
    from pixelis.models.load import BUNDLED, refuse_pixels
    from pixelis.models.pixels import wanted

    asked = {"min_pixels": args.min_pixels, "max_pixels": args.max_pixels}
    if args.shape in BUNDLED:
        refuse_pixels(args.shape, asked)
    limits = {} if args.shape in BUNDLED else wanted(os.environ, **asked)
    config, pixels = read_config(args.shape), read_pixels(args.shape)
    found = estimate(config, args.dtype, args.quantize, args.images, args.words, pixels, limits)
    if args.json:
        emit_json(found.to_dict())
    else:
        _tell(Printer(), args, found)
    return 0


def _tell(printer: Printer, args: argparse.Namespace, found: Estimate) -> None:
    low, high = found.image_tokens
    kind = args.quantize or args.dtype
    printer.line(f"{args.shape}, {_count(found.parameters)} parameters", "bold")
    printer.field("weights", f"{_size(found.weights)} in {kind}", indent=0)
    printer.field("cache", f"{_size(found.cache)} for {found.tokens} tokens", indent=0)
    printer.field("passes", f"{_size(found.activations)} at the widest place", indent=0)
    printer.field("peak", f"{_size(found.peak)} and what libraries take", "bold", indent=0)
    tokens = f"{low} to {high}" if low != high else f"{low}"
    side = found.side_px
    printer.field("image", f"{tokens} tokens, one for {side} x {side} px", indent=0)
    printer.field("context", f"{found.context} tokens, {found.fits} largest images", indent=0)
    if found.tokens > found.context:
        more = f"{found.tokens} tokens do not fit; fewer --images or a lower --max-pixels"
        printer.field("too much", more, "yellow", indent=0)


def _count(number: int) -> str:
    return f"{number / 1e9:.2f} billion" if number >= 1e8 else f"{number / 1e6:.1f} million"


def _size(number: int) -> str:
    """Bytes in GB, those of a small model in MB."""
    return f"{number / 1e9:.1f} GB" if number >= 1e8 else f"{number / 1e6:.1f} MB"
