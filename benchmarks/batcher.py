"""Episodes a second through the batcher, against the same episodes one at a time, in one run.

python benchmarks/batcher.py --model hf:PATH --episodes 32

Both ways use the same model, pictures, questions and seeds; rounds alternate, so a busy machine
slows both. Figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from pixelis.agent import Agent, Task
from pixelis.agent.budget import Budget
from pixelis.episode import Episode
from pixelis.evals.provenance import origin
from pixelis.media import Picture
from pixelis.models.policy import Sampling

COLORS = ("red", "green", "blue", "yellow", "purple", "orange")
QUESTIONS = ("What is written on the {} card?", "Where is the {} card?", "List every card.")


def draw_task(seed: int) -> Task:
    """A picture of coloured cards and a question about one of them."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (448, 448), "white")
    draw = ImageDraw.Draw(image)
    chosen = [str(color) for color in rng.choice(COLORS, 3, replace=False)]
    for place, color in enumerate(chosen):
        x, y = 20 + 140 * place, int(rng.integers(20, 300))
        draw.rectangle((x, y, x + 110, y + 110), fill=color)
        draw.text((x + 40, y + 40), str(rng.integers(10, 99)), fill="black")
    question = QUESTIONS[seed % len(QUESTIONS)].format(chosen[0])
    return Task(Picture(image, f"cards-{seed}", f"{seed:064x}"), question, seed=seed)


def one_at_a_time(agent: Agent, tasks: list[Task]) -> list[Episode]:
    return [agent.ask(task.media, task.question, seed=task.seed) for task in tasks]


def timed(
    run: Callable[[Agent, list[Task]], list[Episode]], agent: Agent, tasks: list[Task]
) -> tuple[float, list[Episode]]:
    start = time.perf_counter()
    episodes = run(agent, tasks)
    return time.perf_counter() - start, episodes


def summary(seconds: list[float], episodes: list[Episode]) -> dict[str, float]:
    middle = statistics.median(seconds)
    steps = [step for episode in episodes for step in episode.steps]
    return {
        "seconds": round(middle, 2),
        "episodes_per_s": round(len(episodes) / middle, 2),
        "turns_per_s": round(sum(bool(step.text) for step in steps) / middle, 2),
        "tokens_per_s": round(sum(step.tokens for step in steps) / middle, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--episodes", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-batch", type=int, default=32)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    tasks = [draw_task(seed) for seed in range(given.episodes)]
    ways = {"one at a time": one_at_a_time, "batched": lambda agent, todo: agent.ask_many(todo)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    episodes: dict[str, list[Episode]] = {}
    with Agent.load(
        given.model,
        threads=given.threads,
        max_batch=given.max_batch,
        budget=Budget(new_tokens=given.new_tokens),
        sampling=Sampling(temperature=given.temperature),
    ) as agent:
        agent.ask_many(tasks[:2])  # warm up
        for _ in range(given.rounds):
            for name, way in ways.items():
                took, episodes[name] = timed(way, agent, tasks)
                seconds[name].append(took)
    found = {name: summary(seconds[name], episodes[name]) for name in ways}
    pairs = zip(*episodes.values(), strict=True)
    same = sum([s.text for s in a.steps] == [s.text for s in b.steps] for a, b in pairs)
    gain = found["batched"]["episodes_per_s"] / found["one at a time"]["episodes_per_s"]
    settings = vars(given)
    command = f"pixelis bench batcher --model {given.model} --episodes {given.episodes}"
    report = {
        **origin(given.model, command),
        **found,
        "gain": round(gain, 2),
        "same_text": f"{same}/{len(tasks)}",
        **settings,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
