"""`pixelis train pretrain|sft|gate`: nano's own recipe, resumable, and whether it can see."""

from __future__ import annotations

import argparse
from typing import Any

from pixelis.cli.config import add_flags, resolve
from pixelis.cli.output import emit_json
from pixelis.cli.parser import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-commands; their flags come from the settings models."""
    stages = parser.add_subparsers(dest="stage", metavar="STAGE", title="stages", required=True)
    pretrain = stages.add_parser(
        "pretrain", help="Vision tower alone, then language joined, on procedural worlds."
    )
    sft = stages.add_parser("sft", help="Fine-tune on executed episodes (or --direct: the twin).")
    from pixelis.training.settings import PretrainConfig, SftConfig

    add_flags(pretrain, PretrainConfig)
    pretrain.set_defaults(run=run_pretrain)
    add_flags(sft, SftConfig)
    sft.set_defaults(run=run_sft)
    gate = stages.add_parser("gate", help="Measure seeing: boxes, shapes, colours, single glyphs.")
    gate.add_argument("--model", default="nano", help="as in `pixelis ask` (default: nano)")
    gate.add_argument("--count", metavar="N", type=at_least(1), default=200, help="of each kind")
    gate.add_argument("--seed", metavar="N", type=at_least(0), default=1, help="of the scenes")
    gate.add_argument("--json", action="store_true", help="print one JSON document")
    gate.set_defaults(run=run_gate)


def run_pretrain(args: argparse.Namespace) -> int:
    """Trains or resumes; leaves `OUT/model` and the curves."""
    from pixelis.training.settings import PretrainConfig

    config = resolve(args, PretrainConfig)
    from pixelis.training.pretrain import pretrain

    return _train(config, pretrain, "nano-base", config.vision_steps + config.joint_steps)


def run_sft(args: argparse.Namespace) -> int:
    """Trains or resumes; leaves `OUT/model` and the curves."""
    from pixelis.training.settings import SftConfig

    config = resolve(args, SftConfig)
    from pixelis.training.sft import sft

    return _train(config, sft, "nano-direct" if config.direct else "nano", config.steps)


def run_gate(args: argparse.Namespace) -> int:
    """Prints each share beside its bar; exit 1 when one is missed."""
    from pixelis.models.load import load_policy
    from pixelis.training.gate import measure

    figures = measure(load_policy(args.model), args.seed, args.count)
    if args.json:
        emit_json({"model": args.model, "seed": args.seed, **figures})
    else:
        for name, bar in figures["bars"].items():
            mark = "ok" if figures[name] >= bar else "missed"
            print(f"{name:<6} {figures[name]:.3f}  bar {bar:.2f}  {mark}")
        print(f"median corner error {figures['median_corner_error']:.0f} of 1000")
    return 0 if figures["passed"] else 1


def _train(config: Any, train: Any, name: str, total: int) -> int:
    from pixelis.training.curves import draw_curves
    from pixelis.training.export import export
    from pixelis.training.record import Metrics, write_config

    write_config(config.out, config)
    with _Progress(total) as progress:
        run = train(config, Metrics(config.out, progress.show))
    folder = export(run.model, run.tokenizer, config.out / "model", name)
    draw_curves(config.out / "metrics.jsonl", config.out / "curves.png")
    print(f"model   {folder}")
    print(f"curves  {config.out / 'curves.png'}")
    print(f"try     pixelis ask PICTURE QUESTION --model hf:{folder}")
    return 0


class _Progress:
    """A bar on a terminal, one line every 20 steps elsewhere."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(disable=not Console().is_terminal)
        self._task = self._bar.add_task("training", total=total)
        self._shown = 0

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, values: dict[str, Any]) -> None:
        numbers = {k: v for k, v in values.items() if isinstance(v, float)}
        text = " ".join(f"{key} {value:.3g}" for key, value in numbers.items())
        self._bar.update(self._task, advance=1, description=f"{values['stage']} {text}"[:90])
        if self._bar.disable and values["step"] % 20 == 0:
            print(f"{values['stage']} step {values['step']} {text}", flush=True)
