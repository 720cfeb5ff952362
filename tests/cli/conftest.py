"""The command as a user runs it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from safetensors.numpy import save_file

from pixelis.cli.main import main
from pixelis.memory import Experience, Memory
from pixelis.memory.reviews import Reviews
from pixelis.online.versions import WEIGHTS, Versions

Pixelis = Callable[..., subprocess.CompletedProcess[str]]
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="session")
def pixelis() -> Pixelis:
    """`pixelis(*arguments)` runs the command and gives exit code, stdout and stderr."""

    def run(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIXELIS_", "PYTHON"))}
        return subprocess.run(
            [sys.executable, "-m", "pixelis", *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            env={**kept, "PYTHONPATH": str(SOURCE), **options.pop("env", {})},
            timeout=300,
            check=False,
            **options,
        )

    return run


@pytest.fixture
def inside(capfd: pytest.CaptureFixture[str]) -> Pixelis:
    """Like `pixelis`, in this process: much faster where a fresh one is not the point."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        code = main(list(map(str, arguments)))
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, err)

    return run


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A red rectangle from (60, 40) to (180, 120) on a white picture of 400 by 200."""
    image = Image.new("RGB", (400, 200), "white")
    ImageDraw.Draw(image).rectangle((60, 40, 179, 119), fill=(200, 20, 30))
    path = tmp_path / "card.png"
    image.save(path)
    return path


@pytest.fixture(scope="session")
def untrained(tmp_path_factory) -> Path:
    """A checkpoint folder of a tiny model that has learned nothing: it writes noise."""
    place = Path(__file__).parents[1] / "models" / "conftest.py"
    spec = spec_from_file_location("tiny", place)
    tiny = module_from_spec(spec)
    spec.loader.exec_module(tiny)
    folder = tmp_path_factory.mktemp("untrained")
    tokenizer, budget = tiny.build_tokenizer(), tiny.PixelBudget(64 * 64, 96 * 96, 32)
    tiny.build_model(tokenizer).save_pretrained(folder)
    tiny.PixelProcessor.build(tokenizer, budget, tiny.VISION).save_pretrained(folder)
    tiny.write_profile(folder, tiny.Profile("tiny", system="S", budget=budget, new_tokens=16))
    return folder


@pytest.fixture
def reviewed(tmp_path):
    """A store with three reviews that wait and two adapter versions, the second promoted."""
    with Memory(tmp_path / "store") as memory:
        for answer in ("7", "8", "9"):
            one = memory.add(Experience("How many?", answer, answer, "number"))
            Reviews(memory).ask(one.id, "sampled for a person")
        versions = Versions(memory)
        for number in (1, 2):
            weights = {"w": np.full(3, number, np.float32)}
            versions.add(lambda to, w=weights: save_file(w, to / WEIGHTS), number - 1, [one.id])
            versions.promote(number, "test")
    return str(tmp_path / "store")


@pytest.fixture
def told(capsys):
    """Runs the command in this process; gives its exit code and the JSON it printed."""

    def run(*words):
        code = main(list(map(str, words)))
        out = capsys.readouterr().out
        return code, json.loads(out) if out else None

    return run
