from __future__ import annotations

import subprocess
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from pixelis.cli.main import main


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """An untrained model on disk, with room enough for votes to tell texts apart."""
    from pixelis.wheeler.checkpoint import save

    place = Path(__file__).parents[2] / "wheeler" / "conftest.py"
    spec = spec_from_file_location("wheeler_models", place)
    models = module_from_spec(spec)
    spec.loader.exec_module(models)
    model = models.build(grid=32, buckets=2048, word_width=32, vote_width=64)
    return save(model, tmp_path_factory.mktemp("model"), {"steps": 0}, half=False)


@pytest.fixture
def wheeler(
    capfd: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`wheeler(action, ...)` with the untrained model and a store of its own, in this process."""

    def run(
        action: str, *arguments: object, model: object = folder
    ) -> subprocess.CompletedProcess[str]:
        words = ["wheeler", action, *map(str, arguments)]
        if action != "train":
            words += ["--model", str(model)]
        if action in ("remember", "recall", "forget", "memories", "view", "gallery"):
            words += ["--store", str(tmp_path / "store.sqlite")]
        capfd.readouterr()
        code = main(words)
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run
