"""A policy that answers from its own random numbers, pictures, and streams of questions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from pixelis.agent import Agent
from pixelis.models.policy import Profile, Turn
from pixelis.ops.workspace import PixelBudget


class CountingPolicy:
    """Says a number between 0 and 9: the right one (of the question) when it is greedy, and as
    often as `skill` when it samples."""

    name = "counting"
    profile = Profile("counting", system="S", budget=PixelBudget(64 * 64, 64 * 64, 32))

    def __init__(self, skill=0.8):
        self.skill = skill
        self.turns = 0

    def generate(self, requests, sampling):
        return [self._turn(request, sampling) for request in requests]

    def _turn(self, request, sampling):
        self.turns += 1
        user = next(m for m in request.messages if m["role"] == "user")
        digits = [letter for letter in user["content"][-1]["text"] if letter.isdigit()]
        right = int(digits[0]) if digits else 0
        rng = np.random.default_rng(request.seed)
        if sampling.temperature and rng.random() > self.skill:
            right = (right + 1 + int(rng.integers(8))) % 10
        text = f"There are {right}."
        return Turn(text, tuple(text.encode()), None, 0.7)


@pytest.fixture
def agent():
    with Agent(CountingPolicy()) as agent:
        yield agent


@pytest.fixture
def stream(tmp_path):
    """Makes a stream file of `count` questions; gives its path."""

    def make(count=5, name="stream.jsonl"):
        (tmp_path / "media").mkdir(exist_ok=True)
        lines = []
        for number in range(count):
            pixels = np.random.default_rng(number).integers(0, 255, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "media" / f"{number}.png")
            lines.append(
                {"request_id": f"r{number}",
                 "question": f"Which digit is {number % 10}, no. {number}?",
                 "image": f"media/{number}.png", "answer_type": "number"}
            )  # fmt: skip
        path = tmp_path / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path

    return make
