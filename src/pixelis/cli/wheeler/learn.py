"""`pixelis wheeler train`: an autoencoder of one's own, resumable."""

from __future__ import annotations

import argparse
import os
from typing import Any

from pixelis.cli.config import add_flags, resolve
from pixelis.cli.output import Printer
from pixelis.cli.progress import Progress
from pixelis.errors import JobError


def add_actions(actions: Any) -> None:
    from pixelis.training.wheeler.settings import WheelerConfig

    about = "Train an autoencoder: tiny and small on a laptop, full on a GPU."
    parser = actions.add_parser("train", help=about, description=about)
    add_flags(parser, WheelerConfig)
    known = parser._option_string_actions  # --grid_size is --grid-size
    for name in [name for name in known if "-" in name[2:]]:
        known[f"--{name[2:].replace('-', '_')}"] = known[name]
    parser.set_defaults(run=run_train)


def run_train(args: argparse.Namespace) -> int:
    """Trains or resumes; leaves checkpoints, `model/`, curves and samples in the output folder."""
    from pixelis.training.wheeler.settings import WheelerConfig, with_preset

    config = resolve(args, WheelerConfig, with_preset)
    from pixelis.training.record import Metrics, write_config
    from pixelis.training.wheeler.curves import draw_curves
    from pixelis.training.wheeler.finish import finish
    from pixelis.training.wheeler.run import prepare, train

    printer = Printer()
    progress = Progress(printer, False, "training", "steps")

    def show(values: dict[str, Any]) -> None:
        progress.tell(values["step"] + 1, run.total, told(values))

    metrics = Metrics(config.output_dir, show)  # its clock counts the whole command
    run = prepare(config)
    write_config(config.output_dir, config)
    sizes = sum(parameter.numel() for parameter in run.model.parameters()) / 1e6
    printer.line(
        f"corpus {run.source.name}, {run.total} steps, {sizes:.2f} M weights, {run.device}"
        + (f", going on after step {run.step}" if run.step else "")
    )
    with progress:
        train(run, metrics)
    if not (config.output_dir / "best.pt").exists():
        raise JobError(f"{config.output_dir} has no best.pt; it was finished by another version")
    folder = finish(config.output_dir)
    draw_curves(config.output_dir / "metrics.jsonl", config.output_dir / "curves.png")
    spent = round(sum(os.times()[:4]), 1)  # of all cores, the processes that drew lessons included
    metrics({"stage": "end", "step": run.step - 1, "cpu_seconds": spent})
    printer.field("model", str(folder), indent=0)
    printer.field("samples", str(config.output_dir / "samples.jsonl"), indent=0)
    printer.field("curves", str(config.output_dir / "curves.png"), indent=0)
    printer.field("try", f'pixelis wheeler encode "Hello world" --model {folder}', indent=0)
    return 0


def told(values: dict[str, Any]) -> str:
    """The numbers that matter in a few words."""
    if values["stage"] == "validation":
        return f"held out: tokens {values['tokens']:.3f}, pairs {values['pairs']:.3f}"
    if values["stage"] == "end":
        return f"{values['cpu_seconds']:.0f} CPU seconds"
    return ", ".join(f"{k} {values[k]:.3f}" for k in ("reading", "key", "novel") if k in values)
