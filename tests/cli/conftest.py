"""The command as a user runs it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

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
def card(tmp_path: Path) -> Path:
    """A red rectangle from (60, 40) to (180, 120) on a white picture of 400 by 200."""
    image = Image.new("RGB", (400, 200), "white")
    ImageDraw.Draw(image).rectangle((60, 40, 179, 119), fill=(200, 20, 30))
    path = tmp_path / "card.png"
    image.save(path)
    return path
