"""The learning trap in small, and what each term of the reward does: one command each.

    python recipes/trap/study.py trap     # 3 warm starts x with and without curiosity x 3 seeds
    python recipes/trap/study.py terms    # the bundled model, one term left out at a time

A model whose operations fail often and whose guesses are sometimes right may learn to guess and
never look again. Warm starts are made from the two bundled models, so that nothing else is needed:
weights between nano (which looks) and nano-direct (which answers at once), with noise on the
language side, which spoils pointing; each is measured before it learns. Every arm is a run of
`pixelis train rft` and goes on where it was when the command is given again; `results.json` and
`curves.png` are written from the runs there are.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

FAMILIES = ["attribute_recognition", "object_counting", "geometric_comparison", "spatial_reasoning"]
# Share of the twin that answers at once, and noise as a share of each matrix's spread.
WARM = {"high": (0.0, 0.0), "medium": (0.35, 0.15), "low": (0.45, 0.3)}
TRAP = {"with": {}, "without": {"curiosity": 0.0}}
TERMS = {
    "all terms": {},
    "no curiosity": {"curiosity": 0.0},
    "no coherence": {"coherence": 0.0},
    "no misuse": {"misuse": 0.0},
    "answer only": {"curiosity": 0.0, "coherence": 0.0, "misuse": 0.0},
}
LAST = 20  # steps whose mean is an arm's end
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("trap", "terms"))
    parser.add_argument("--out", type=Path, default=Path("runs/trap"))
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=4)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--held-out", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--levels", nargs="+", choices=tuple(WARM), default=list(WARM))
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


# warm starts --------------------------------------------------------------------------------------
def warm(folder: Path, level: str) -> Path:
    """A model of this level in `folder`, made when it is not there."""
    import torch

    from pixelis.models.load import load_policy
    from pixelis.training.adapters import save_model

    place = folder / f"warm-{level}"
    if (place / "config.json").is_file():
        return place
    share, noise = WARM[level]
    looks, guesses = (load_policy(name, device="cpu") for name in ("nano", "nano-direct"))
    other = guesses.model.state_dict()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, value in looks.model.named_parameters():
            value.lerp_(other[name], share)
            if "language_model.layers" in name and value.ndim == 2:
                drawn = torch.randn(value.shape, generator=generator)
                value.add_(drawn * noise * value.std())
    profile = replace(looks.profile, name=f"nano-{level}")
    return save_model(looks.model, looks.processor, profile, place, torch.float32)


def settings(args: argparse.Namespace, model: str, out: Path, seed: int, **changes: Any) -> Any:
    from pixelis.training.settings import RftConfig

    return RftConfig(
        model=model,
        out=out,
        seed=seed,
        families=FAMILIES,
        stage="full",
        steps=args.steps,
        questions=args.questions,
        group=args.group,
        batch=args.group,
        lr=args.lr,
        turns=6,
        device=args.device,
        threads=args.threads,
        eval_every=max(args.steps // 4, 1),
        held_out=args.held_out,
        sample_every=max(args.steps // 2, 1),
        save_every=max(args.steps // 8, 1),
        keep=1,
        **changes,
    )


def measured(args: argparse.Namespace, model: str, out: Path) -> dict[str, float]:
    """What a warm start does before it learns: one step played, nothing learned; and how often its
    guesses are right when it may not look at all."""
    from pixelis.training.rft import prepare

    kept = out / "before.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    config = settings(args, model, out, 1).model_copy(update={"questions": args.held_out // 2})
    run = prepare(config)
    run.lines(run.policy.model, 0)
    names = ("rapr", "op_success", "found_calls", "ops_per_episode", "answer")
    told = {name: run.notes[name] for name in names} | run.examine(run.policy.model)
    run.player.budget = replace(run.player.budget, calls=0, steps=1)
    told["guessed"] = run.examine(run.policy.model)["held_out"]
    out.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(told, indent=2))
    return told


# arms ---------------------------------------------------------------------------------------------
def play(args: argparse.Namespace, model: str, name: str, changes: Mapping[str, Any]) -> None:
    """Runs, or goes on with, every seed of an arm."""
    from pixelis.training.record import Metrics, write_config
    from pixelis.training.rft import prepare, rft

    for seed in range(args.seeds):
        out = args.out / args.what / name / f"seed-{seed}"
        config = settings(args, model, out, 1000 + seed, **changes)
        write_config(out, config)
        started = time.monotonic()
        rft(prepare(config), Metrics(out, lambda row: None))
        print(f"{name} seed {seed}: {time.monotonic() - started:.0f} s", flush=True)


def main() -> None:
    args = parse()
    before = {}
    if args.what == "trap":
        for level in args.levels:
            model = f"hf:{warm(args.out, level)}"
            before[level] = measured(args, model, args.out / "trap" / level)
            told = ", ".join(f"{name} {value:.2f}" for name, value in before[level].items())
            print(f"{level}: {told}", flush=True)
            for name, changes in TRAP.items():
                play(args, model, f"{level}/{name}", changes)
    else:
        for name, changes in TERMS.items():
            play(args, "nano", name, changes)
    folder = args.out / args.what
    results = gather(folder)
    record = {"before": before, "arms": {name: summary(runs) for name, runs in results.items()}}
    (folder / "results.json").write_text(json.dumps(record, indent=2))
    draw(results, folder / "curves.png")
    for name, told in record["arms"].items():
        print(name, json.dumps(told))


# results ------------------------------------------------------------------------------------------
def gather(folder: Path) -> dict[str, list[list[dict[str, Any]]]]:
    """Metrics of every run below a folder, by arm."""
    from pixelis.training.curves import read_metrics

    found: dict[str, list[list[dict[str, Any]]]] = defaultdict(list)
    for path in sorted(folder.rglob("metrics.jsonl")):
        found[str(path.parent.parent.relative_to(folder))].append(read_metrics(path))
    return dict(found)


def summary(runs: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Mean and spread over seeds of an arm's last steps."""
    told: dict[str, Any] = {"seeds": len(runs), "steps": max(len(rows) for rows in runs)}
    for name in ("rapr", "answer", "op_success", "ops_per_episode", "held_out"):
        ends = [[row[name] for row in rows if name in row][-LAST:] for rows in runs]
        if name == "held_out":
            ends = [values[-1:] for values in ends]
        means = [float(np.mean(values)) for values in ends if values]
        if means:
            told[name] = [round(float(np.mean(means)), 3), round(float(np.std(means)), 3)]
    return told


def draw(results: Mapping[str, list[list[dict[str, Any]]]], picture: Path) -> None:
    """RaPR and right answers of every arm, a line each with the spread of its seeds."""
    from matplotlib.figure import Figure

    from pixelis.training.curves import smooth

    drawn = Figure(figsize=(11, 4), layout="constrained")
    axes = drawn.subplots(1, 2)
    for axis, name in zip(axes, ("rapr", "answer"), strict=True):
        levels = list(dict.fromkeys(arm.partition("/")[0] for arm in results))
        for arm, runs in results.items():
            length = min(len(rows) for rows in runs)
            values = np.array([[row.get(name, np.nan) for row in rows[:length]] for rows in runs])
            lines = np.array([smooth(one, max(length // 20, 1)) for one in values])
            middle, spread = lines.mean(0), lines.std(0)
            color = COLORS[levels.index(arm.partition("/")[0]) % len(COLORS)]
            style = "--" if "without" in arm else "-"
            axis.plot(middle, style, color=color, label=f"{arm} ({len(runs)} seeds)")
            axis.fill_between(
                range(length), middle - spread, middle + spread, color=color, alpha=0.15
            )
        axis.set_xlabel("step")
        axis.set_ylabel("share of episodes")
        axis.set_title({"rapr": "used operations", "answer": "right answers"}[name])
        axis.set_ylim(0, 1)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=7)
    drawn.savefig(picture, dpi=110)


if __name__ == "__main__":
    main()
