"""The curve of rate against reading: runs that differ in bits a token alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from pixelis.errors import DataError
from pixelis.evals.wheeler.figures import Figure
from pixelis.evals.wheeler.reading import accuracy, drawn, full_texts, read_back
from pixelis.wheeler.checkpoint import load
from pixelis.wheeler.tokens import encode_text

TEXTS = 200


def curve_figures(folder: Path) -> list[Figure]:
    """Token accuracy and exact texts of every model under `folder` (`NAME/model`), by rate."""
    places = sorted(folder.glob("*/model"))
    if not places:
        raise DataError(f"{folder} holds no runs; see recipes/wheeler for the four of the curve")
    rows: dict[str, dict[str, Any]] = {}
    for place in places:
        model = load(place)
        texts = full_texts(model, np.random.default_rng([8, 43]), "combinations", TEXTS)
        wanted = [encode_text(model.tokenizer, text) for text in texts]
        right = accuracy(wanted, read_back(model, drawn(model, texts)))
        bits = model.shape.cells * math.log2(model.shape.levels) / model.shape.max_tokens
        rows[f"{bits:g}"] = {
            "tokens": round(float(np.mean(right)), 4),
            "exact": round(float(np.mean([value == 1 for value in right])), 4),
            "steps": model.about.get("steps"),
        }
    ordered = {bits: rows[bits] for bits in sorted(rows, key=float, reverse=True)}
    lowest = list(ordered)[-1]
    return [
        Figure(
            f"reading, tokens at {lowest} bits a token",
            ordered[lowest]["tokens"],
            0.0,
            True,
            baselines={"dynamics off": ordered[lowest]["tokens"]},
            n=TEXTS,
            how="the same texts of 64 tokens, greedy; key included in the rate",
            more={"by bits a token": ordered},
        )
    ]
