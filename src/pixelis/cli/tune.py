"""What `pixelis train sft --data` and `pixelis train ranks` do and print."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pixelis.cli.output import Printer
from pixelis.errors import ConfigError
from pixelis.training.settings import RanksConfig, RftConfig, TuneConfig

if TYPE_CHECKING:
    from pixelis.training.tune import Tuning

Config = TypeVar("Config", TuneConfig, RftConfig)


def run(config: TuneConfig) -> int:
    """Trains or resumes; `--dry-run` only says what it would take."""
    from pixelis.training.tune import prepare

    place = place_of()
    first = place.rank == 0
    tuning = prepare(on_own_card(config, place), place.world, _told if first else None)
    if first:
        _introduce(tuning)
    if not config.dry_run:
        _train(tuning, first)
    return 0


def run_ranks(config: RanksConfig) -> int:
    """Measures two sets of weights, or fine-tunes first."""
    from pixelis.training import ranks
    from pixelis.training.probe import probe, stored

    if bool(config.before) != bool(config.after):
        raise ConfigError("before and after belong together; give both, or --data instead")
    if not config.before and not config.data:
        raise ConfigError("give --data to fine-tune on, or --before and --after to compare")
    spectra = stored(config) if config.before else _probed(config, probe)
    record = ranks.to_record(spectra, config.energy, config.least, config.most, config.alpha)
    told, drawn = ranks.write({"model": config.model, **record}, config.out)
    printer = Printer()
    printer.field("layers", str(len(spectra)), indent=0)
    given = record["rank_pattern"].values()
    printer.field("ranks", f"{min(given)} to {max(given)}", indent=0)
    same = f"{record['parameters']:,}, as many as rank {record['uniform_rank']:g} everywhere"
    printer.field("size", same, indent=0)
    printer.field("file", str(told), indent=0)
    printer.field("plot", str(drawn), indent=0)
    printer.field("use", f"pixelis train sft --data … --method lora --ranks {told}", indent=0)
    return 0


def _probed(config: RanksConfig, probe: Any) -> Any:
    from pixelis.cli.train import TrainingBar

    with TrainingBar(config.steps) as bar:
        return probe(config, bar.show)


def _train(tuning: Tuning, first: bool) -> None:
    from pixelis.cli.train import TrainingBar
    from pixelis.training.curves import TUNING, draw_curves
    from pixelis.training.record import Metrics, write_config
    from pixelis.training.tune import export, resume_point, tune

    config = tuning.config
    before = resume_point(tuning)  # refuses another run's folder before its config.json is changed
    if first:
        if before is not None:
            step = before.name.rpartition("-")[2]
            Printer().field("goes on", f"from step {step} of {tuning.steps}", indent=0)
        write_config(config.out, config)
    with TrainingBar(tuning.steps) as bar:
        trainer = tune(tuning, Metrics(config.out, bar.show))
    if not first:
        return
    made = export(tuning, trainer.accelerator.unwrap_model(trainer.model))
    metrics = config.out / "metrics.jsonl"
    printer = Printer()
    for name, folder in made.items():
        printer.field(name, str(folder), indent=0)
    if metrics.is_file():
        draw_curves(metrics, config.out / "curves.png", TUNING)
        printer.field("curves", str(config.out / "curves.png"), indent=0)
    best = list(made.values())[-1]
    printer.field("try", f"pixelis ask PICTURE QUESTION --model hf:{best}", indent=0)


def _introduce(tuning: Tuning) -> None:
    """What is about to be done, and what it is reckoned to take."""
    from pixelis.training.tune import learned_parameters, takes

    stock, printer = tuning.stock, Printer()
    longest = max(item.tokens for item in stock.items)
    learned = sum(item.learned for item in stock.items)
    drawn = tuning.steps * tuning.order.count
    memory = takes(tuning)
    fields = {
        "model": f"{tuning.policy.name}, {tuning.parameters:,} parameters",
        "method": f"{tuning.method}, {learned_parameters(tuning):,} parameters learned",
        "data": f"{len(stock.items)} episodes, {len(tuning.asked)} questions held out",
        "tokens": f"{tuning.tokens:,}, {learned / tuning.tokens:.0%} learned, longest {longest:,}",
        "steps": f"{tuning.steps} of {tuning.order.count} episodes, {drawn:,} in all",
        "memory": f"{memory.peak / 1e9:.2f} GB reckoned: weights {memory.weights / 1e9:.2f}, "
        f"learned {memory.learned / 1e9:.2f}, passes {memory.activations / 1e9:.2f}",
    }
    for name, value in fields.items():
        printer.field(name, value, indent=0)
    for reason, count in stock.skipped.items():
        printer.field("left out", f"{count}: {reason}", "yellow", indent=0)
    for told in (*([stock.broken] if stock.broken else []), *tuning.broken.first[:5]):
        printer.field("broken", told, "yellow", indent=0)
    if (more := tuning.broken.rejected - 5) > 0:
        printer.field("broken", f"{more} more; see: pixelis data check", "yellow", indent=0)


def _told(done: int, total: int) -> None:
    if done % 500 == 0 and done < total:
        Printer().field("read", f"{done} of {total} episodes", indent=0)


class Place(NamedTuple):
    """This process among those that accelerate or torchrun started together."""

    rank: int
    world: int
    local: int


def place_of() -> Place:
    """As accelerate or torchrun tell it in the environment."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    found = (int(os.environ.get(name, only)) for name, only in zip(names, (0, 1, 0), strict=True))
    return Place(*found)


def on_own_card(config: Config, place: Place) -> Config:
    """The settings with this process's own GPU, where there are several processes."""
    if place.world == 1 or config.device != "auto":
        return config
    from pixelis.models.local import choose_device

    device = choose_device("auto")
    own = f"{device}:{place.local}" if device == "cuda" else device
    return config.model_copy(update={"device": own})
