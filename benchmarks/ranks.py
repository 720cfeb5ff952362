"""LoRA ranks by SVD against one rank for all with as many parameters: loss and answers, by seed.

Every arm starts from the same weights and learns from the same episodes in the same order. The loss
is that of held-out episodes, a mean over their learned tokens.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import torch

from pixelis.training import ranks
from pixelis.training.examine import Examiner
from pixelis.training.probe import probe
from pixelis.training.settings import RanksConfig, TuneConfig
from pixelis.training.stock import build
from pixelis.training.tune import Tuning, learned_parameters, prepare, tune


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--out", type=Path, default=Path("runs/ranks-study"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--probe-steps", type=int, default=150)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--held-out", type=int, default=64)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--probe-lr", type=float, default=1e-4)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def measured(args: argparse.Namespace, seed: int) -> tuple[Path, dict[str, Any]]:
    """The ranks file of a seed."""
    config = RanksConfig(
        data=[args.data],
        model=args.model,
        steps=args.probe_steps,
        batch=args.batch,
        lr=args.probe_lr,
        seed=seed,
        threads=args.threads,
    )
    record = ranks.to_record(probe(config, lambda row: None), 0.9, 4, 128, 2.0)
    told, _ = ranks.write(record, args.out / f"ranks-{seed}")
    return told, record


def arm(args: argparse.Namespace, seed: int, name: str, **chosen: Any) -> dict[str, Any]:
    """One LoRA run and what came of it."""
    config = TuneConfig(
        data=[args.data],
        model=args.model,
        out=args.out / f"{name}-{seed}",
        method="lora",
        steps=args.steps,
        batch=args.batch,
        lr=args.lr,
        seed=seed,
        held_out=args.held_out,
        eval_every=args.steps + 1,
        sample_every=0,
        save_every=args.steps,
        threads=args.threads,
        skip_long=True,
        **chosen,
    )
    tuning = prepare(config)
    parameters = learned_parameters(tuning)
    rows: list[dict[str, Any]] = []
    trainer = tune(tuning, rows.append)
    accuracy = next((row["held_out"] for row in reversed(rows) if "held_out" in row), None)
    if accuracy is None:
        examiner = tuning.examiner()
        assert isinstance(examiner, Examiner)
        accuracy = examiner.ask(trainer.model)[0].accuracy
    loss = held_out_loss(tuning, trainer.model)
    return {"arm": name, "seed": seed, "parameters": parameters, "loss": loss, "right": accuracy}


@torch.no_grad()
def held_out_loss(tuning: Tuning, model: Any) -> float:
    """Mean loss of the learned tokens of the held-out episodes."""
    stock = build(tuning.asked, tuning.collator, tuning.config.out / "told", skip_long=True)
    model.eval()
    total = learned = 0.0
    for index, item in enumerate(stock.items):
        batch = tuning.collator.padded(stock.talks(tuning.collator, [index]))
        total += float(model(**batch).loss) * item.learned
        learned += item.learned
    return total / learned


def main() -> None:
    args = parse()
    found: list[dict[str, Any]] = []
    for seed in range(args.seeds):
        file, record = measured(args, seed)
        same = max(round(record["uniform_rank"]), 1)
        found.append(arm(args, seed, "svd", ranks=file))
        found.append(arm(args, seed, "uniform", rank=same))
        found.append(arm(args, seed, "half", rank=max(same // 2, 1)))
        for one in found[-3:]:
            print(json.dumps(one), flush=True)
    print(f"{'ranks':<8} {'parameters':>12} {'held-out loss':>20} {'answered rightly':>20}")
    for name in ("svd", "uniform", "half"):
        mine = [one for one in found if one["arm"] == name]
        size = statistics.mean(one["parameters"] for one in mine)
        print(f"{name:<8} {size:>12,.0f} {spread(mine, 'loss'):>20} {spread(mine, 'right'):>20}")
    (args.out / "study.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def spread(found: list[dict[str, Any]], name: str) -> str:
    values = [one[name] for one in found]
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.4f} ± {deviation:.4f}"


if __name__ == "__main__":
    main()
