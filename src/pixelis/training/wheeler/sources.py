"""Which corpus a run reads: TinyStories or other text where there is some, else the generator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pixelis.data.stories.damage import invented_word
from pixelis.data.stories.reader import find_tinystories, read_texts, tinystories_from_hub
from pixelis.data.stories.tell import pick
from pixelis.training.wheeler.corpus import Generator, Lines, Source
from pixelis.training.wheeler.settings import WheelerConfig

FOR_TOKENS = 6000  # texts that the tokenizer is trained on, and as many invented words


def open_source(config: WheelerConfig) -> Source:
    """The corpus of `dataset`; DataError or ConfigError when what is named cannot be read."""
    if config.dataset == "generator":
        return Generator(config.samples)
    if config.dataset == "auto":
        found = find_tinystories()
        if found is None:
            return Generator(config.samples)
        return Lines(read_texts(found, config.max_train_samples), f"tinystories {found.name}")
    if config.dataset.lower() in ("tinystories", "roneneldan/tinystories"):
        found = find_tinystories()
        if found is None:
            texts = tinystories_from_hub(config.allow_download, config.max_train_samples)
            return Lines(texts, "tinystories (hub)")
        return Lines(read_texts(found, config.max_train_samples), f"tinystories {found.name}")
    path = Path(config.dataset)
    return Lines(read_texts(path, config.max_train_samples), f"text {path.name}")


def tokenizer_texts(source: Source, seed: int) -> Iterator[str]:
    """Texts of the corpus, and invented words, so that unknown words need few tokens as well."""
    rng = np.random.default_rng([seed, 3])
    for _ in range(FOR_TOKENS):
        yield source.story(rng)
    for _ in range(FOR_TOKENS // 20):
        yield " ".join(invented_word(rng) for _ in range(10 + pick(rng, 11)))
