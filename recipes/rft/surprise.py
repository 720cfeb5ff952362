"""How surprise wears off: the forward model on transitions that repeat, and on ones it never saw.

    python recipes/rft/surprise.py --out runs/surprise

Real operations on procedural pictures: one zoom and one outline a picture, at random places. The
model learns from the same transitions again and again; its error on them falls, on pictures it
never saw it stays high. Several seeds, each with other pictures and other first weights.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/surprise"))
    parser.add_argument("--pictures", type=int, default=24, help="as many repeat as are new")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args()


def rollout(seed: int, index: int):
    """An episode of two calls at random places, really run."""
    from pixelis.agent import Rollout
    from pixelis.agent.loop import describe
    from pixelis.data import tasks
    from pixelis.episode import Call, Episode, Step
    from pixelis.media import open_media
    from pixelis.ops import REGISTRY
    from pixelis.ops.workspace import PixelBudget, Workspace

    task = tasks.draw(seed, index, families=("attribute_recognition",))
    media = open_media(task.source)
    rng = np.random.default_rng([seed, index])
    x, y = (int(v) for v in rng.integers(0, 500, 2))
    calls = [
        Call("zoom_in", {"bbox_2d": [x, y, x + 400, y + 400]}),
        Call("segment_object_at", {"point_2d": [int(v) for v in rng.integers(100, 900, 2)]}),
    ]
    workspace = Workspace(media, PixelBudget(65536, 65536, 32))
    steps = tuple(Step(call=call, observation=REGISTRY.run(call, workspace)) for call in calls)
    episode = Episode(task.question, describe(media), steps=steps)
    return Rollout(episode, [], tuple(workspace.images))


def curves(seed: int, args: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Mean error on what repeats and on what is new, before every round."""
    from pixelis.training.surprise import Forward, transitions

    drawn = [transitions(rollout(seed, index)) for index in range(2 * args.pictures)]
    known = [one for each in drawn[: args.pictures] for one in each]
    new = [one for each in drawn[args.pictures :] for one in each]
    model = Forward(seed)
    repeated, unseen = [], []
    for _ in range(args.rounds):
        repeated.append(float(np.mean(model.errors(known))))
        unseen.append(float(np.mean(model.errors(new))))
        model.learn(known)
    return repeated, unseen


def draw(repeated: np.ndarray, unseen: np.ndarray, picture: Path) -> None:
    """Means over seeds with their spread."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(5.5, 3.6), layout="constrained")
    axis = drawn.subplots()
    for values, name, color in ((repeated, "repeated", "#0072B2"), (unseen, "new", "#D55E00")):
        middle, spread = values.mean(0), values.std(0)
        axis.plot(middle, color=color, label=f"{name} ({len(values)} seeds)")
        axis.fill_between(
            range(len(middle)), middle - spread, middle + spread, color=color, alpha=0.2
        )
    axis.set_xlabel("rounds (4 updates each)")
    axis.set_ylabel("error, share of the target's length squared")
    axis.set_ylim(0)
    axis.grid(alpha=0.3)
    axis.legend()
    drawn.savefig(picture, dpi=110)


def main() -> None:
    args = parse()
    args.out.mkdir(parents=True, exist_ok=True)
    both = [curves(seed, args) for seed in range(args.seeds)]
    repeated, unseen = (np.array(part) for part in zip(*both, strict=True))
    told = {
        "seeds": args.seeds,
        "pictures": args.pictures,
        "rounds": args.rounds,
        "repeated": {"first": float(repeated[:, 0].mean()), "last": float(repeated[:, -1].mean())},
        "new": {"first": float(unseen[:, 0].mean()), "last": float(unseen[:, -1].mean())},
    }
    (args.out / "results.json").write_text(json.dumps(told, indent=2) + "\n")
    draw(repeated, unseen, args.out / "surprise.png")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
