"""`pixelis wheeler view|gallery`: frames to look at, settling, and on a page to play with."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.cli.wheeler.memory import open_memory
from pixelis.cli.wheeler.model import action, add_store, load_model, read_frame, store_path
from pixelis.errors import ConfigError

EXAMPLES = (
    "The old sailor Tom found the red boat near the harbour.",
    "The old sailor Tom found the red kite near the harbour.",
    "What color is the big umbrella of the teacher behind the cat?",
    "Anna the clever baker laughed because the dog stole the bread.",
    "Last winter Mia painted three wooden chairs in the attic.",
    "Count the blue lamps of the shop near the station.",
    "The invoice of 14 March says 2,350 euros.",
    "A fox crossed the frozen lake at midnight.",
)


def add_actions(actions: Any) -> None:
    view = action(actions, "view", "Draw a frame, or a frame settling, as PNG or GIF.", run_view)
    view.add_argument("text", metavar="TEXT", nargs="?", help="whose frame, in quotes")
    view.add_argument("--frame", metavar="FILE", help="a frame instead: .npy or a picture")
    view.add_argument(
        "--out", metavar="FILE", required=True, help=".png: the frame; .gif: settling"
    )
    view.add_argument(
        "--rule", choices=("anchored", "peaks", "smooth"), default="anchored", help="of settling"
    )
    view.add_argument(
        "--flip", metavar="PERCENT", type=at_least(0), default=0, help="of the cells, before"
    )
    view.add_argument(
        "--hide", metavar="PERCENT", type=at_least(0), default=0, help="of the frame, from above"
    )
    view.add_argument("--ticks", metavar="N", type=at_least(1), default=60, help="(default: 60)")
    view.add_argument("--seed", metavar="N", type=at_least(0), default=0, help="of what is flipped")
    add_store(view)

    about = "Write a page: choose a text, damage its frame, watch it settle, read it."
    gallery = action(actions, "gallery", about, run_gallery)
    gallery.add_argument("--out", metavar="FILE.html", help="(default: wheeler.html)")
    gallery.add_argument("--text", metavar="TEXT", action="append", help="instead of the examples")
    gallery.add_argument(
        "--serve",
        metavar="PORT",
        type=at_least(1),
        help="serve it here, where any text can be typed",
    )
    add_store(gallery)


def run_view(args: argparse.Namespace) -> int:
    import numpy as np

    from pixelis.wheeler import WheelerMemoryCPU
    from pixelis.wheeler.view import save_film, save_picture

    if (args.text is None) == (args.frame is None):
        raise ConfigError("view: give either a text or --frame")
    if args.flip > 100 or args.hide > 100:
        raise ConfigError("view: --flip and --hide are percent, 0 to 100")
    if Path(args.out).suffix.lower() not in (".png", ".gif"):
        raise ConfigError(f"--out: {args.out} ends in neither .png nor .gif, which are drawn")
    model = load_model(args.model)
    size = model.shape.grid
    if args.frame:
        frame = model.set_grid_from_image(read_frame(args.frame, size))[0, ..., 0].numpy()
    else:
        frame = model.frames(args.text)[0].numpy()
    rng = np.random.default_rng(args.seed)
    frame = np.where(rng.random(frame.shape) < args.flip / 100, -frame, frame)
    frame[: round(size * args.hide / 100)] = 0
    told: dict[str, Any] = {"out": args.out}
    if Path(args.out).suffix.lower() == ".gif":
        kept = None
        if args.rule == "anchored":
            if not store_path(args.store).is_file():
                raise ConfigError(
                    f"{store_path(args.store)} is not there; settling needs memories: "
                    "pixelis wheeler remember, or take --rule peaks"
                )
            kept = open_memory(args).frames()
        dynamics = WheelerMemoryCPU(size, size, args.rule, kept)
        settled = dynamics.settle(frame, args.ticks, keep_history=True)
        save_film(settled.history, Path(args.out))
        told |= {"ticks": settled.ticks, "state": settled.state, "moved": settled.moved}
        told["text"] = model.decode(model.set_grid_from_image(settled.frame.clip(-1, 1)))
    else:
        save_picture(frame, Path(args.out))
        told["text"] = model.decode(model.set_grid_from_image(frame))
    if args.json:
        emit_json(told)
        return 0
    printer = Printer()
    for name, value in told.items():
        printer.field(name, str(value), indent=0)
    return 0


def run_gallery(args: argparse.Namespace) -> int:
    from pixelis.cli.wheeler.gallery import page, serve

    model = load_model(args.model)
    texts = args.text or list(EXAMPLES)
    if not args.text and store_path(args.store).is_file():
        texts = [row.text for row in open_memory(args).rows()][:64]
    if args.serve:
        printer = Printer()
        serve(model, texts, args.serve, lambda url: printer.line(f"open {url} (Ctrl-C ends it)"))
        return 0
    path = Path(args.out or "wheeler.html")
    try:
        path.write_text(page(model, texts, live=False), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out: {path} cannot be written: {error.strerror}") from error
    if args.json:
        emit_json({"out": str(path), "texts": len(texts)})
    else:
        Printer().line(f"wrote {path}")
    return 0
