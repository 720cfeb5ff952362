"""`pixelis wheeler encode|decode|blend`: texts to frames and back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.cli.wheeler.model import action, load_model, read_frame
from pixelis.errors import ConfigError


def add_actions(actions: Any) -> None:
    encode = action(actions, "encode", "Draw a text as a frame.", run_encode)
    encode.add_argument("text", metavar="TEXT", help="what to draw, in quotes")
    encode.add_argument("--out", metavar="FILE", help=".npy keeps it exactly, .png shows it large")

    decode = action(actions, "decode", "Read a frame as text.", run_decode)
    decode.add_argument(
        "frame",
        metavar="FILE",
        help=".npy file, what encode wrote, or a picture with a pixel a cell",
    )

    blend = action(actions, "blend", "Read the frames between two texts.", run_blend)
    blend.add_argument("first", metavar="A", help="text at the beginning")
    blend.add_argument("second", metavar="B", nargs="?", help="text at the end")
    blend.add_argument("--steps", metavar="N", type=at_least(2), default=5, help="(default: 5)")
    blend.add_argument("--plus", metavar="TEXT", action="append", default=[], help="add to A")
    blend.add_argument("--minus", metavar="TEXT", action="append", default=[], help="take from A")


def run_encode(args: argparse.Namespace) -> int:
    if not args.text.strip():
        raise ConfigError("encode: the text is empty; give one in quotes")
    model = load_model(args.model)
    frame = model.frames(args.text)[0].numpy()
    back = model.decode(model.set_grid_from_image(frame))
    if args.out:
        save_frame(frame, Path(args.out))
    told = {
        "text": args.text,
        "read_back": back,
        "fits": model.fits(args.text),
        "size": list(frame.shape),
        "bits": int(model.shape.cells * (model.shape.levels - 1).bit_length()),
        "out": args.out,
    }
    if args.json:
        emit_json({**told, "frame": frame.tolist()})
        return 0
    printer = Printer()
    _draw(printer, frame)
    printer.field("reads", str(back), indent=0)
    if not told["fits"]:
        printer.field(
            "note",
            f"over {model.shape.max_tokens} tokens: the rest has no tile, but counts for the key",
            indent=0,
        )
    if args.out:
        printer.field("file", args.out, indent=0)
    return 0


def run_decode(args: argparse.Namespace) -> int:
    model = load_model(args.model)
    frame = read_frame(args.frame, model.shape.grid)
    text = model.decode(model.set_grid_from_image(frame))
    if args.json:
        emit_json({"text": text})
    else:
        Printer().line(str(text))
    return 0


def run_blend(args: argparse.Namespace) -> int:
    from pixelis.wheeler.blend import blend, combine

    model = load_model(args.model)
    if args.second is None and not (args.plus or args.minus):
        raise ConfigError("blend: give a second text, or --plus and --minus")
    if args.second is not None and (args.plus or args.minus):
        raise ConfigError("blend: a second text and --plus or --minus do not go together")
    if args.second is not None:
        steps = blend(model, args.first, args.second, args.steps)
    else:
        steps = [combine(model, [args.first, *args.plus], args.minus)]
    if args.json:
        emit_json([{"share": s.share, "text": s.text, "round_trip_error": s.error} for s in steps])
        return 0
    printer = Printer()
    for step in steps:
        printer.field(f"{100 * step.share:.0f} %", step.text, indent=0)
        printer.field(
            "",
            f"{100 * step.error:.1f} % of the cells change when read and drawn again",
            "dim",
            indent=0,
        )
    return 0


def save_frame(frame: Any, path: Path) -> None:
    """As .npy, or as a picture for people."""
    import numpy as np

    from pixelis.wheeler.view import save_picture

    if path.suffix not in (".npy", ".png"):
        raise ConfigError(f"--out: {path} ends in neither .npy nor .png, which are what is written")
    if path.suffix == ".npy":
        try:
            np.save(path, frame)
        except OSError as error:
            raise ConfigError(f"--out: {path} cannot be written: {error.strerror}") from error
    else:
        save_picture(frame, path)


def _draw(printer: Printer, frame: Any) -> None:
    """The frame in half blocks, two rows of cells a line."""
    for top, bottom in zip(frame[::2], frame[1::2], strict=False):
        marks = ((" ▄", "▀█")[int(a > 0)][int(b > 0)] for a, b in zip(top, bottom, strict=True))
        printer.line("".join(marks))
