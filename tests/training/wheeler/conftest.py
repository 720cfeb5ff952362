from __future__ import annotations

import pytest

from pixelis.training.wheeler.settings import WheelerConfig, with_preset


@pytest.fixture
def config(tmp_path):
    """Settings of a run of a few steps of a model smaller than tiny."""

    def make(**changes) -> WheelerConfig:
        values = {
            "preset": "tiny",
            "dataset": "generator",
            "samples": 64,
            "batch_size": 8,
            "pairs": 8,
            "vocab_size": 320,
            "d_model": 32,
            "num_workers": 0,
            "save_every": 3,
            "validate_every": 100,
            "output_dir": tmp_path / "run",
            "dropout": 0.1,
        }
        return WheelerConfig(**with_preset({**values, **changes}))

    return make
