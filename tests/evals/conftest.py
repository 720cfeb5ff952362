"""Pictures with a small coloured patch, questions about it, and a policy that looks for real."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import Field

from pixelis.agent import Agent
from pixelis.episode import Observation
from pixelis.evals.controls import agent_solver
from pixelis.evals.question import Benchmark, Question
from pixelis.evals.run import evaluate
from pixelis.geometry import View
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.ops.arguments import Arguments, BoxArgument, PointArgument
from pixelis.ops.registry import Registry
from pixelis.ops.workspace import PixelBudget, Workspace

COLORS = {"red": (210, 30, 40), "green": (30, 150, 70), "blue": (30, 80, 200)}
SIDE = 400


class ZoomArguments(Arguments):
    bbox_2d: BoxArgument = Field(description="part to show")
    image: int = 0


class PointArguments(Arguments):
    point_2d: PointArgument | None = None
    frames: list[int] = Field(default=[1, 2], min_length=2, max_length=2)


def build_registry() -> Registry:
    registry = Registry()

    @registry.operation(ZoomArguments)
    def zoom_in(work: Workspace, args: ZoomArguments) -> Observation:
        """Shows a part larger."""
        box = work.resolve_box(args.bbox_2d, args.image)
        crop = work.source(args.image).crop(box.rounded()).resize((64, 64))
        view = View(box, work.budget.fit(work.media.size))
        return Observation("here", image=work.add_image(crop, view), view=view, box=box)

    @registry.operation(PointArguments)
    def point_at(work: Workspace, args: PointArguments) -> Observation:
        """Repeats its arguments."""
        return Observation(json.dumps([args.point_2d, args.frames]))

    return registry


class Looker:
    """Zooms onto the place named in the question, then names the colour it sees.

    Told to answer at once, it names the colour of the whole picture, which is always white.
    """

    def __init__(self) -> None:
        self.profile = Profile("looker", budget=PixelBudget(64 * 64, 64 * 64, 32))
        self.name = "looker"
        self.batches: list[int] = []

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        self.batches.append(len(requests))
        return [self._turn(request) for request in requests]

    def _turn(self, request: Request) -> Turn:
        words = json.dumps(request.messages, default=str)
        if len(request.images) == 1 and "answer now" not in words:
            place = re.search(r"place (\d+) (\d+) (\d+) (\d+)", words)
            assert place is not None
            call = {"name": "zoom_in", "arguments": {"bbox_2d": [int(x) for x in place.groups()]}}
            return self._say(f"<tool_call>\n{json.dumps(call)}\n</tool_call>")
        return self._say(name_of(request.images[-1]))

    def _say(self, text: str) -> Turn:
        return Turn(text, tuple(text.encode()), None, 0.9, "stop")


def name_of(image: Image.Image) -> str:
    """The colour of the middle of an image."""
    pixels = np.asarray(image.convert("RGB"), float)
    height, width = pixels.shape[:2]
    middle = pixels[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3].mean((0, 1))
    table = {**COLORS, "white": (255, 255, 255)}
    return min(table, key=lambda name: np.abs(middle - table[name]).sum())


def patch(color: str, x: int, y: int, side: int = 40) -> Image.Image:
    """A white picture with one coloured square whose corner is at x, y."""
    image = Image.new("RGB", (SIDE, SIDE), "white")
    image.paste(COLORS[color], (x, y, x + side, y + side))
    return image


def build_benchmark(count: int = 24) -> Benchmark:
    """Patches away from the middle, asked for by their place in 0..1000."""
    rng = np.random.default_rng(5)
    questions = []
    for index in range(count):
        color = sorted(COLORS)[index % 3]
        x, y = int(rng.integers(0, 90)), int(rng.integers(0, SIDE - 40))
        corners = [value * 1000 // SIDE for value in (x, y, x + 40, y + 40)]
        text = f"What colour is at place {' '.join(map(str, corners))}?"
        questions.append(
            Question(
                id=f"q{index}",
                media=patch(color, x, y),
                text=text,
                gold=color,
                answer_type="color",
                family="left" if x < 45 else "right",
                picture=f"p{index}",
            )
        )
    names = tuple(question.id for question in questions)
    return Benchmark("patches", names, questions.__getitem__, {"count": count}, frozen=True)


@pytest.fixture
def registry() -> Registry:
    return build_registry()


@pytest.fixture
def benchmark() -> Benchmark:
    return build_benchmark()


@pytest.fixture
def make_agent() -> Callable[..., Agent]:
    def make(registry: Registry | None = None) -> Agent:
        return Agent(Looker(), registry or build_registry())

    return make


@pytest.fixture
def write_questions(tmp_path: Path) -> Callable[..., Path]:
    """Writes records as JSONL beside two pictures and gives the file."""

    def write(*records: object) -> Path:
        for color in ("red", "blue"):
            patch(color, 10, 10).save(tmp_path / f"{color}.png")
        path = tmp_path / "questions.jsonl"
        lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def results(benchmark, make_agent):
    with make_agent() as agent:
        return evaluate(benchmark, agent_solver(agent))


@pytest.fixture
def mixed(results):
    """Six wrong of 24, with calls that failed, doubts and gaps in confidence."""
    wrong = [replace(r, correct=False, score=0.5, answer="<b>|pink</b>") for r in results[:6]]
    wrong[0] = replace(wrong[0], known=False, ops=3, failed_ops=2)
    wrong[1] = replace(wrong[1], confidence=None, ended="tokens")
    return [*wrong, *results[6:]]
