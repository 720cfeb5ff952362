"""What Inspect costs: the same questions in bare batches and under Inspect, in one run.

    python benchmarks/inspection.py --model nano --questions 100 [--rounds 3] [--json FILE]

Rounds alternate, so a busy machine slows both. Wall seconds and CPU seconds of the whole process
are medians over rounds; on a busy machine the CPU seconds are the ones to look at. Both ways write
their results to a file; answers must be the same.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pixelis.agent import Agent
from pixelis.evals.controls import agent_asker, agent_solver
from pixelis.evals.inspection import evaluate as under_inspect
from pixelis.evals.run import evaluate as bare
from pixelis.evals.worlds import read_worlds

PICTURES = (
    *("text_extraction", "attribute_recognition", "object_counting", "geometric_comparison"),
    *("spatial_reasoning", "relationship_detection"),
)


def timed(run: Callable[[Path], list]) -> tuple[float, float, list]:
    """Wall seconds, CPU seconds, answers."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        results = run(Path(folder))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall, cpu, [(result.id, result.answer) for result in results]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    benchmark = read_worlds(limit=arguments.questions, families=PICTURES)
    seconds: dict[str, list[tuple[float, float]]] = {"bare": [], "inspect": []}
    with Agent.load(arguments.model) as agent:
        ways = {
            "bare": lambda out: bare(benchmark, agent_solver(agent), out=out),
            "inspect": lambda out: under_inspect(benchmark, agent_asker(agent), out=out),
        }
        ways["inspect"](None)  # imports and the first pass of the model are nobody's cost
        told = {}
        for _ in range(arguments.rounds):
            for name, run in ways.items():
                wall, cpu, answers = timed(run)
                seconds[name].append((wall, cpu))
                told[name] = answers
    figures = {
        name: {
            "wall_s": statistics.median(wall for wall, _ in rounds),
            "cpu_s": statistics.median(cpu for _, cpu in rounds),
        }
        for name, rounds in seconds.items()
    }
    figures["overhead"] = {
        key: figures["inspect"][key] / figures["bare"][key] - 1 for key in ("wall_s", "cpu_s")
    }
    same = sum(one == other for one, other in zip(told["bare"], told["inspect"], strict=True))
    figures["same_answers"] = {"same": same, "questions": len(told["bare"])}
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
