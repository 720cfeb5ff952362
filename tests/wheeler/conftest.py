from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.shape import Shape
from pixelis.wheeler.tokens import train_tokenizer

TEXTS = [
    "The old sailor found the red boat near the harbour.",
    "The young baker lost the blue cup in the garden.",
    "What color is the big umbrella behind the cat?",
    "Anna laughed because the dog stole the bread at noon.",
    "Two grey stones lie on the road to the mill.",
    "Nothing happened on Tuesday.",
]


def build(levels: int = 2, **changes) -> WheelerTextAutoencoder:
    """An untrained model, small and quick; patterns of tokens make it read all the same."""
    sizes = {
        "grid": 16,
        "tile_rows": 4 if levels == 2 else 2,
        "tile_columns": 4,
        "key_cells": 4 if levels == 2 else 2,
        "levels": levels,
        "d_model": 32,
        "heads": 2,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "buckets": 512,
        "word_width": 16,
        "vote_width": 32,
    }
    tokenizer = train_tokenizer(TEXTS, 320)
    torch.manual_seed(7)
    shape = Shape(**{**sizes, "vocab_size": tokenizer.get_vocab_size(), **changes})
    return WheelerTextAutoencoder(shape, tokenizer)


@pytest.fixture(scope="session")
def model() -> WheelerTextAutoencoder:
    return build()


@pytest.fixture(scope="session")
def model4() -> WheelerTextAutoencoder:
    """With four levels a cell."""
    return build(4)


@pytest.fixture(scope="session")
def builder():
    """`build` itself, for models of other sizes."""
    return build


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return TEXTS
