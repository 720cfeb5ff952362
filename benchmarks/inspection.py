"""What Inspect costs: the same questions in bare batches and under Inspect, in one run.

    python benchmarks/inspection.py --model nano --questions 100 [--rounds 3] [--json FILE]
    python benchmarks/inspection.py --empty 300

Rounds alternate, so a busy machine slows both. Wall seconds and CPU seconds of the whole process
are medians over rounds; on a busy machine the CPU seconds are the ones to look at. Both ways write
their results to a file; answers must be the same. `--empty` asks nobody (every answer is there at
once), which leaves what the harness itself costs a question.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from pixelis.agent import Agent
from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.evals.controls import agent_asker, agent_solver
from pixelis.evals.inspection import evaluate as under_inspect
from pixelis.evals.question import Benchmark, Question
from pixelis.evals.run import evaluate as bare
from pixelis.evals.worlds import read_worlds
from pixelis.geometry import Size

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


def empty(count: int) -> dict[str, float]:
    """CPU milliseconds a question of each way when the episode is there at once."""
    picture = Image.new("RGB", (64, 64), "red")
    names = tuple(f"q{number}" for number in range(count))

    def load(index: int) -> Question:
        return Question(names[index], picture, "Which?", "a", "word", "all", names[index])

    def answered(question: Question) -> Episode:
        seen = Observation("what was found " * 10)
        look = Step("a thought " * 20, Call("zoom_in", {"bbox_2d": [1, 2, 3, 4]}), seen, tokens=60)
        answer = Answer("a", "a")
        media = Media("picture", "red", Size(64, 64), "")
        steps = (look, look, Step(answer=answer, tokens=2))
        return Episode(
            question.asked, media, question.id, steps=steps, answer=answer, ended="answered"
        )

    async def ask(question: Question) -> Episode:
        return answered(question)

    def solve(questions, on_done) -> None:
        for index, question in enumerate(questions):
            on_done(index, answered(question))

    benchmark = Benchmark("empty", names, load, {}, True)
    ways = {
        "bare": lambda out: bare(benchmark, solve, out=out),
        "inspect": lambda out: under_inspect(benchmark, ask, out=out),
    }
    ways["inspect"](None)
    return {f"{name}_cpu_ms": 1000 * timed(run)[1] / count for name, run in ways.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--empty", type=int, metavar="N", help="measure N questions of no model")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.empty:
        print(json.dumps(empty(arguments.empty), indent=1))
        return
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
