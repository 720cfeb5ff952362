"""`pixelis wheeler check|measure`: the contract live, the goals from committed results."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least
from pixelis.cli.wheeler.model import action, load_model
from pixelis.errors import ConfigError, JobError

RESULTS = "recipes/wheeler/results"
PARTS = (
    *("recall", "novelty", "reading", "occlusion", "capacity", "speed", "agent"),
    *("training", "curve"),
)


def add_actions(actions: Any) -> None:
    check = action(actions, "check", "Measure the contract; print it and the goals.", run_check)
    check.add_argument("--results", metavar="DIR", help=f"folder of results (default: {RESULTS})")
    check.add_argument(
        "--memories", metavar="N", type=at_least(10), default=1000, help="stored (default: 1000)"
    )

    measure = action(actions, "measure", "Measure goals against baselines; slow.", run_measure)
    measure.add_argument(
        "parts", metavar="PART", nargs="*", help=f"{', '.join(PARTS)} (default: all but the last 2)"
    )
    measure.add_argument("--out", metavar="DIR", help=f"folder of results (default: {RESULTS})")
    measure.add_argument(
        "--run", metavar="DIR", dest="trained", help="of training, for the parts training and curve"
    )
    measure.add_argument("--note", metavar="TEXT", default="", help="kept with the results")


def run_check(args: argparse.Namespace) -> int:
    """Exit 1 when a line of the contract fails; goals that are short are told, not failed."""
    from pixelis.evals.wheeler.contract import Scene, c10, check
    from pixelis.evals.wheeler.figures import read

    goals = read(results_folder(args.results))
    printer = Printer()
    lines: dict[str, Any] = {}
    scene = Scene(load_model(args.model), args.model, args.memories)
    for name, line in [*check(scene), ("C10", c10(goals))]:
        lines[name] = {"ok": line.ok, "value": line.value, "says": line.says}
        if not args.json:
            mark = printer.style("ok    ", "green") if line.ok else printer.style("failed", "red")
            print(f"{name:<4}{mark}  {printer.style(line.says)}", flush=True)
            printer.field("", f"{line.value}", "dim", indent=0)
    if args.json:
        emit_json({"contract": lines, "goals": {k: _goal(v) for k, v in goals.items()}})
    else:
        tell_goals(printer, goals)
    failed = [name for name, line in lines.items() if not line["ok"]]
    if failed:
        raise JobError(f"the contract does not hold: {', '.join(failed)}")
    return 0


def run_measure(args: argparse.Namespace) -> int:
    """Writes one file of results a part."""
    from pixelis.evals.wheeler.figures import save
    from pixelis.evals.wheeler.measure import about, figures_of

    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        raise ConfigError(f"no part {unknown[0]!r}; parts are {', '.join(PARTS)}")
    folder = results_folder(args.out, must_exist=False)
    model = load_model(args.model)
    printer = Printer()
    for part in args.parts or PARTS[:-2]:
        start = time.monotonic()
        figures = figures_of(part, model, Path(args.trained) if args.trained else None)
        seconds = time.monotonic() - start
        told = figures[0].name.partition(",")[0].replace(" ", "-")  # a run of each preset
        name = told if part == "training" else part
        path = save(folder, name, figures, about(model, seconds, args.note))
        if not args.json:
            printer.line(f"{path} ({seconds:.0f} s)", "dim")
            tell_goals(printer, {figure.name: vars(figure) for figure in figures})
    if args.json:
        from pixelis.evals.wheeler.figures import read

        emit_json({name: _goal(goal) for name, goal in read(folder).items()})
    return 0


def results_folder(given: str | None, must_exist: bool = True) -> Path:
    """`--results`, or the folder in the checkout this runs from or here."""
    if given:
        places = [Path(given)]
    else:
        places = [Path(__file__).resolve().parents[4] / RESULTS, Path.cwd() / RESULTS]
    for place in places:
        if place.is_dir() or (not must_exist and place.parents[1].is_dir()):
            return place
    if given and not must_exist:
        return places[0]
    raise ConfigError(
        f"there is no folder {given or RESULTS}; name it, or run: pixelis wheeler measure"
    )


def tell_goals(printer: Printer, goals: dict[str, Any]) -> None:
    """One goal a line, with its baselines under it."""
    for name, goal in goals.items():
        wanted = f"target {goal['target']:g}" if goal["target"] else "no target"
        reached = "" if not goal["target"] else "reached" if goal["ok"] else "short"
        color = ("dim",) if not goal["target"] else ("green",) if goal["ok"] else ("yellow",)
        low_high = "({:.3f} to {:.3f})".format(*goal["interval"]) if goal["interval"] else ""
        printer.line(f"{name}: {goal['value']:g} {low_high} {wanted} {reached}".rstrip(), *color)
        others = ", ".join(f"{arm} {_short(value)}" for arm, value in goal["baselines"].items())
        if others:
            printer.field("", others, "dim", indent=0)


def _short(value: Any) -> str:
    return "cannot" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _goal(goal: dict[str, Any]) -> dict[str, Any]:
    names = ("ok", "value", "target", "baselines", "interval", "gains", "n", "how", "more")
    told = {name: goal[name] for name in names}
    return told if goal["target"] else {**told, "ok": None, "target": None}
