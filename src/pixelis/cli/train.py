"""`pixelis train pretrain|sft|ranks|rft|gate`: nano's own recipe, and fine-tuning of any model.

`sft` is one command for both: with `data` it fine-tunes any model on files of episodes, without
it runs nano's recipe, whose episodes and lessons are drawn while it trains.
"""

from __future__ import annotations

import argparse
from typing import Any

from pydantic import BaseModel

from pixelis.cli.config import add_flags, read_settings, resolve
from pixelis.cli.output import emit_json
from pixelis.cli.parser import at_least
from pixelis.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-commands; their flags come from the settings models."""
    stages = parser.add_subparsers(dest="stage", metavar="STAGE", title="stages", required=True)
    pretrain = stages.add_parser(
        "pretrain", help="Vision tower alone, then language joined, on procedural worlds."
    )
    sft = stages.add_parser(
        "sft",
        help="Fine-tune any model on --data, or nano by its own recipe.",
        description="With --data: any model on files of episodes. Without: nano's own recipe.",
    )
    ranks = stages.add_parser("ranks", help="LoRA ranks from what a short full fine-tune changes.")
    rft = stages.add_parser(
        "rft",
        help="Learning by trying: groups of episodes, rewards, GRPO.",
        description="The model plays groups of episodes about a question and learns from rewards.",
    )
    from pixelis.training.settings import (
        PretrainConfig,
        RanksConfig,
        RftConfig,
        SftConfig,
        TuneConfig,
    )

    add_flags(pretrain, PretrainConfig)
    pretrain.set_defaults(run=run_pretrain)
    own = sft.add_argument_group("nano's recipe (both, where they share a name)")
    other = sft.add_argument_group("with --data")
    add_flags(own, SftConfig)
    add_flags(other, TuneConfig, known=SftConfig.model_fields)
    sft.set_defaults(run=run_sft)
    add_flags(ranks, RanksConfig)
    ranks.set_defaults(run=run_ranks)
    add_flags(rft, RftConfig)
    rft.set_defaults(run=run_rft)
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
    """Trains or resumes; leaves `OUT/model` (or `OUT/adapter`) and the curves."""
    from pixelis.training.settings import SftConfig, TuneConfig

    if args.data is not None or "data" in read_settings(args):
        refuse_others(args, TuneConfig, SftConfig, "nano's recipe, which takes no --data")
        from pixelis.cli.tune import run

        return run(resolve(args, TuneConfig))
    refuse_others(args, SftConfig, TuneConfig, "fine-tuning on --data")
    config = resolve(args, SftConfig)
    from pixelis.training.sft import sft

    return _train(config, sft, "nano-direct" if config.direct else "nano", config.steps)


def refuse_others(
    args: argparse.Namespace, mine: type[BaseModel], other: type[BaseModel], owner: str
) -> None:
    """ConfigError when a flag was given that only the other way of fine-tuning knows."""
    for name in other.model_fields:
        if name not in mine.model_fields and getattr(args, name) is not None:
            raise ConfigError(f"--{name.replace('_', '-')} belongs to {owner}")


def run_ranks(args: argparse.Namespace) -> int:
    """Measures or trains first; leaves `OUT/ranks.json` and its plot."""
    from pixelis.cli.tune import run_ranks
    from pixelis.training.settings import RanksConfig

    return run_ranks(resolve(args, RanksConfig))


def run_rft(args: argparse.Namespace) -> int:
    """Trains or resumes; leaves `OUT/model` (or `OUT/adapter`), curves and traces."""
    from pixelis.training.settings import RftConfig

    config = resolve(args, RftConfig)
    from pixelis.cli.rft import run

    return run(config)


def run_gate(args: argparse.Namespace) -> int:
    """Prints each share beside its bar; exit 1 when one is missed."""
    from pixelis.evals.provenance import origin
    from pixelis.models.load import load_policy
    from pixelis.training.gate import measure

    figures = measure(load_policy(args.model), args.seed, args.count)
    if args.json:
        words = f"pixelis train gate --model {args.model} --count {args.count} --seed {args.seed}"
        emit_json({**origin(args.model, words), "seed": args.seed, **figures})
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
    with TrainingBar(total) as progress:
        run = train(config, Metrics(config.out, progress.show))
    folder = export(run.model, run.tokenizer, config.out / "model", name)
    draw_curves(config.out / "metrics.jsonl", config.out / "curves.png")
    print(f"model   {folder}")
    print(f"curves  {config.out / 'curves.png'}")
    print(f"try     pixelis ask PICTURE QUESTION --model hf:{folder}")
    return 0


class TrainingBar:
    """A bar on a terminal, one line every 20 steps elsewhere."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(disable=not Console().is_terminal)
        self._task = self._bar.add_task("training", total=total)
        self._shown = 0

    def __enter__(self) -> TrainingBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, values: dict[str, Any]) -> None:
        numbers = {k: v for k, v in values.items() if isinstance(v, float)}
        text = " ".join(f"{key} {value:.3g}" for key, value in numbers.items())
        examined = bool(values.get("exam"))
        label = f"{values['stage']} {text}"[:90]
        self._bar.update(self._task, advance=0 if examined else 1, description=label)
        if self._bar.disable and (examined or values["step"] % 20 == 0):
            print(f"{values['stage']} step {values['step']} {text}", flush=True)
