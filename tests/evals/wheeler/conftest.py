from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def model():
    """Untrained, with room for the generator's sentences."""
    place = Path(__file__).parents[2] / "wheeler" / "conftest.py"
    spec = spec_from_file_location("wheeler_models", place)
    models = module_from_spec(spec)
    spec.loader.exec_module(models)
    return models.build(grid=32, buckets=4096, word_width=64, vote_width=128)


@pytest.fixture(scope="session")
def folder(model, tmp_path_factory):
    """The same model on disk."""
    from pixelis.wheeler.checkpoint import save

    return save(model, tmp_path_factory.mktemp("model"), {"steps": 0}, half=False)
