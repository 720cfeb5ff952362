"""Studies on recorded rollouts: what votes are worth, what the gate lets through, what harm does.

    python recipes/online/study.py --stream stream.jsonl --replies replies.jsonl --store store \
        --out results

`stream` is what was asked, with gold answers in `answer`; `replies` what `pixelis evolve --json`
printed; `store` where it kept the votes. Nothing here runs a model: votes, calibration, gate and
canary are pure, so an arm costs milliseconds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pixelis.answers import correct
from pixelis.evals.statistics import mean_interval
from pixelis.evolve import calibration, gate
from pixelis.evolve.vote import STRATEGIES, Ballot, Verdict, tally
from pixelis.memory import Memory
from pixelis.sequential import Sequential

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#777777"
SEEDS = 20


class Recorded(NamedTuple):
    """One question: its ballots, and a judge of answers."""

    ballots: list[Ballot]
    right: Callable[[str], bool]


def read(stream: Path, replies: Path, store: Path) -> list[Recorded]:
    """What was recorded, in the order of the replies."""
    asked = {}
    for line in stream.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        asked[str(record["request_id"])] = record
    found = []
    with Memory(store, must_exist=True) as memory:
        for line in replies.read_text(encoding="utf-8").splitlines():
            reply = json.loads(line)
            record = asked[reply["request_id"]]
            one = memory.get(reply["experience_id"])
            support = one.provenance["support"] if one else 0.0
            ballots = [
                Ballot(v.answer, v.canonical, v.confidence, support >= 0.5, v.source)
                for v in memory.votes(reply["experience_id"])
            ]
            kind, gold = record["answer_type"], record["answer"]
            found.append(Recorded(ballots, lambda a, g=gold, k=kind: bool(a) and correct(a, g, k)))
    return found


def share(values: Sequence[bool]) -> dict[str, Any]:
    """A share with its 95 % interval."""
    low, high = mean_interval([float(v) for v in values])
    mean = float(np.mean(values)) if len(values) else 0.0
    return {"value": round(mean, 4), "interval": [round(low, 4), round(high, 4)], "n": len(values)}


def voting(data: Sequence[Recorded]) -> dict[str, Any]:
    """Accuracy of the greedy answer and of each vote."""
    greedy = [one.right(one.ballots[0].answer) for one in data]
    arms = {
        name: [one.right(tally(one.ballots, name).answer) for one in data] for name in STRATEGIES
    }
    return {"greedy": share(greedy), **{name: share(arm) for name, arm in arms.items()}}


def calibrated(
    data: Sequence[Recorded], out: Path
) -> tuple[calibration.Calibration, dict[str, Any]]:
    """Errors before and after, cross-fitted, and the figure of both."""
    verdicts = [tally(one.ballots) for one in data]
    raw = [verdict.confidence for verdict in verdicts]
    right = [one.right(v.answer) for one, v in zip(data, verdicts, strict=True)]
    told = {kind: calibration.measure(raw, right, kind)._asdict() for kind in calibration.KINDS[1:]}
    best = min(told, key=lambda kind: told[kind]["loss"])
    found = calibration.fit(raw, right, best)
    draw(raw, right, best, told[best], out / "calibration.png")
    return found, {**told, "chosen": best}


def draw(raw: Any, right: Any, kind: Any, told: Any, path: Path) -> None:
    """Confidence against share of right answers; 'after' is what maps fitted on others give."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(5.5, 5), layout="constrained")
    axis.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="what it says is what it is")
    arms = (
        ("before", raw, ORANGE, "o"),
        ("after", calibration.unseen(raw, right, kind), BLUE, "s"),
    )
    for name, sure, color, mark in arms:
        points = calibration.curve(sure, right, 8)
        sizes = [12 + 3 * count for _, _, count in points]
        axis.scatter([p[0] for p in points], [p[1] for p in points], sizes, color, marker=mark,
                     label=f"{name}: error {told[name]:.3f}")  # fmt: skip
    axis.set(xlabel="confidence", ylabel="share of right answers", xlim=(0, 1), ylim=(0, 1.02))
    axis.set_title(f"{len(raw)} questions; larger marks are more answers")
    axis.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def gates(data: Sequence[Recorded], known: calibration.Calibration) -> dict[str, Any]:
    """What each arm learns, and how many of its labels are right."""
    whole = gate.Settings(review=0.0, cold=0)
    arms = {
        "gate": whole,
        "no support asked": replace(whole, support=0.0),
        "no upper band": replace(whole, high=1.0),
        "ambiguous too": replace(whole, low=whole.doubt),
        "no gate": replace(whole, doubt=0.0, low=0.0, high=1.0, support=0.0, novelty=2.0),
    }
    return {name: learned(data, known, arm) for name, arm in arms.items()}


def learned(
    data: Sequence[Recorded], known: calibration.Calibration, settings: gate.Settings
) -> dict[str, Any]:
    labels = []
    for one in data:
        verdict = tally(one.ballots)
        if decide(verdict, known, settings, 10**6) == "learn":
            labels.append(one.right(verdict.answer))
    return {"learned": len(labels), "of": len(data), "label_accuracy": share(labels)}


def decide(
    verdict: Verdict, known: calibration.Calibration, settings: gate.Settings, kept: int
) -> str:
    sure = known(verdict.confidence)
    return gate.observe(verdict, sure, gate.Stats(kept), settings).action


def poison(data: Sequence[Recorded], known: calibration.Calibration) -> dict[str, Any]:
    """Streams in which some questions get all their votes forced to one wrong answer.

    The gate cannot see that (the votes agree): what it lets through is told, because this is what
    the canary is for.
    """
    told = {}
    for rate in (0.0, 0.1, 0.3, 1.0):
        labels = []
        for seed in range(SEEDS):
            rng = np.random.default_rng(seed)
            for one in data:
                forced = rng.random() < rate
                ballots = one.ballots
                if forced:
                    ballots = [b._replace(answer="forced", canonical="forced") for b in ballots]
                verdict = tally(ballots)
                if decide(verdict, known, gate.Settings(review=0.0, cold=0), 10**6) == "learn":
                    labels.append(one.right(verdict.answer))
        told[f"{rate:.0%} forced"] = {"label_accuracy": share(labels)["value"], "n": len(labels)}
    return told


def canaries() -> dict[str, Any]:
    """How often the canary's test promotes candidates that really change by so much."""
    told = {}
    for change in (-0.1, -0.05, -0.02, 0.0, 0.02, 0.05):
        differing = max(0.1, 2 * abs(change))
        states, asked = [], []
        for seed in range(10 * SEEDS):
            rng = np.random.default_rng(seed)
            odds = [(differing - change) / 2, 1 - differing, (differing + change) / 2]
            d = rng.choice([-1, 0, 1], size=800, p=odds)
            test = Sequential(least=100).run(d.tolist())
            states.append(test.verdict)
            asked.append(test.n)
        told[f"{change:+.2f}"] = {
            "promoted": states.count("no_worse") / len(states),
            "refused as worse": states.count("worse") / len(states),
            "mean questions": float(np.mean(asked)),
        }
    return told


def cold(data: Sequence[Recorded], known: calibration.Calibration) -> dict[str, int]:
    """Learned among the first N questions, with and without the cold start."""
    found = {}
    for name, first in (("cold start of 100", 100), ("none", 0)):
        settings = gate.Settings(review=0.0, cold=first)
        actions = [decide(tally(o.ballots), known, settings, n) for n, o in enumerate(data)]
        found[name] = actions.count("learn")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("stream", "replies", "store", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    data = read(args.stream, args.replies, args.store)
    known, errors = calibrated(data, args.out)
    (args.out / "calibration.json").write_text(json.dumps(known.to_dict(), indent=2) + "\n")
    found = {
        "questions": len(data),
        "voting": voting(data),
        "calibration": errors,
        "gate": gates(data, known),
        "gate_without_calibration": gates(data, calibration.Calibration()),
        "poison_without_calibration": poison(data, calibration.Calibration()),
        "cold_start": cold(data, known),
        "canary": canaries(),
    }
    (args.out / "study.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
