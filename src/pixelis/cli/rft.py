"""What `pixelis train rft` does and prints."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from pixelis.cli.output import Printer
from pixelis.training.settings import RftConfig

if TYPE_CHECKING:
    from pixelis.training.rft import Run

SHOWN = (
    "reward",
    "answer",
    "rapr",
    "op_success",
    "ops_per_episode",
    "even_groups",
    "entropy",
    "kl",
    "held_out",
)
BARS = " ▁▂▃▄▅▆▇█"
TREND = 40  # steps


def run(config: RftConfig) -> int:
    """Trains or resumes; `--dry-run` only says what would be done."""
    from pixelis.cli.tune import on_own_card, place_of
    from pixelis.training.rft import prepare

    place = place_of()
    own = on_own_card(config, place)
    prepared = prepare(own, (place.rank, place.world))
    if place.rank == 0:
        _introduce(prepared)
    if not config.dry_run:
        _train(prepared, place.rank == 0)
    return 0


def _introduce(prepared: Run) -> None:
    from pixelis.training.rft import episodes_of

    config, printer = prepared.config, Printer()
    where = ", ".join(map(str, config.data)) or ", ".join(config.families) or "all families"
    fields = {
        "model": f"{prepared.policy.name}, {prepared.parameters:,} parameters",
        "method": prepared.method,
        "questions": f"{where}; {len(prepared.asked)} held out",
        "steps": f"{config.steps} of {config.questions} questions x {config.group} episodes "
        f"on {prepared.place[1]} process(es), {episodes_of(prepared):,} episodes in all",
        "reward": f"answer + {config.curiosity:g} curiosity + {config.coherence:g} coherence "
        f"- {config.misuse:g} misuse, from stage {config.stage}",
    }
    for name, value in fields.items():
        printer.field(name, value, indent=0)


def _train(prepared: Run, first: bool) -> None:
    from pixelis.training.charts import draw
    from pixelis.training.record import Metrics, write_config
    from pixelis.training.rft import rft
    from pixelis.training.tune import export

    config = prepared.config
    if first:
        write_config(config.out, config)
    with View(config.steps) as view:
        trainer = rft(prepared, Metrics(config.out, view.show))
    if not first:
        return
    made = export(prepared, trainer.accelerator.unwrap_model(trainer.model))
    printer = Printer()
    for name, folder in made.items():
        printer.field(name, str(folder), indent=0)
    metrics = config.out / "metrics.jsonl"
    if metrics.is_file():
        draw(metrics, config.out / "curves.png")
        printer.field("curves", str(config.out / "curves.png"), indent=0)
    if (config.out / "samples").is_dir():
        printer.field("traces", str(config.out / "samples"), indent=0)
    best = list(made.values())[-1]
    printer.field("try", f"pixelis ask PICTURE QUESTION --model hf:{best}", indent=0)


class View:
    """A table that keeps up with the run on a terminal, one line a step elsewhere."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console()
        self._total = total
        self._step = 0
        self._trends: dict[str, deque[float]] = {name: deque(maxlen=TREND) for name in SHOWN}
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> View:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, values: dict[str, Any]) -> None:
        """Takes in a row of metrics."""
        self._step = values["step"] + 1
        for name in SHOWN:
            if isinstance(values.get(name), float):
                self._trends[name].append(values[name])
        if self._live is not None:
            self._live.update(self._table(values), refresh=True)
        else:
            given = [f"{name} {values[name]:.3g}" for name in SHOWN if name in values]
            print(f"rft step {values['step']} {' '.join(given)}", flush=True)

    def _table(self, values: dict[str, Any]) -> Any:
        from rich.table import Table

        table = Table(title=f"step {self._step} of {self._total}", title_justify="left")
        for heading in ("", "now", f"last {TREND}"):
            table.add_column(heading)
        for name, trend in self._trends.items():
            if trend:
                table.add_row(name, f"{trend[-1]:.3g}", spark(list(trend)))
        ops = values.get("ops") or {}
        if ops:
            table.add_row("calls", " ".join(f"{name} {rate:.2f}" for name, rate in ops.items()))
        return table


def spark(values: list[float]) -> str:
    """A line of bars between the least and the largest value."""
    low, high = min(values), max(values)
    width = (high - low) or 1.0
    return "".join(BARS[1 + round((value - low) / width * 7)] for value in values)
