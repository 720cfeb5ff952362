"""How a run goes on texts that it never learns from, and what it reads and writes by now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from pixelis.training.wheeler.corpus import Generator
from pixelis.training.wheeler.lessons import Lessons
from pixelis.training.wheeler.loss import losses
from pixelis.training.wheeler.settings import WheelerConfig
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder

TEXTS, PAIRS, SAMPLES = 64, 256, 4


class Validation(NamedTuple):
    """Figures on held-out combinations of words.

    Attributes:
        loss: what decides which weights are the best.
        tokens: share of tokens right, knowing those before; `exact` of sample texts written
            again greedily without any error.
        pairs: share of damaged texts whose first match among 512 is right.
    """

    loss: float
    tokens: float
    exact: float
    pairs: float


def validate(
    model: WheelerTextAutoencoder, config: WheelerConfig, samples: Path, step: int
) -> Validation:
    """Validates without training; appends texts and what became of them to `samples`.

    Always on the generator's held-out combinations, whatever the corpus is, so that runs compare.
    """
    model.eval()
    source = Generator(1, "combinations")
    lessons = Lessons(source, model.tokenizer, model.shape, TEXTS, PAIRS, config.seed + 1)
    lesson = lessons[0]
    with torch.no_grad():
        noise = torch.Generator().manual_seed(0)
        found = losses(model, lesson.to(model.device), 0.0, noise)
    rng = np.random.default_rng([config.seed, 5, step])
    texts = [source.story(rng) for _ in range(SAMPLES)]
    grids = model.encode(texts)
    again = model.decode(grids)
    kept = [_cut(model, text) for text in texts]
    with samples.open("a", encoding="utf-8") as file:
        for text, told in zip(kept, again, strict=True):
            file.write(json.dumps({"step": step, "text": text, "read": told}) + "\n")
    exact = float(np.mean([text == told for text, told in zip(kept, again, strict=True)]))
    loss = float(found.reading + config.key_weight * found.key)
    return Validation(loss, float(found.tokens_right), exact, float(found.pairs_right))


def _cut(model: WheelerTextAutoencoder, text: str) -> str:
    """The text as far as it has tiles."""
    ids = model.tokenizer.encode(text, add_special_tokens=False).ids
    return model.tokenizer.decode(ids[: model.shape.max_tokens])
