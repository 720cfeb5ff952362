"""Between frames: interpolation and arithmetic, read step by step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from pixelis.errors import ConfigError
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.code import quantise


class Step(NamedTuple):
    """One frame on the way.

    Attributes:
        share: of the second text in it, 0 to 1.
        text: what it reads as.
        error: share of cells that change when that text is encoded again; 0 for a frame that is
            exactly what its text looks like.
    """

    share: float
    text: str
    error: float
    frame: Tensor


def blend(model: WheelerTextAutoencoder, first: str, second: str, steps: int = 5) -> list[Step]:
    """Frames on the straight line between two texts, both ends included."""
    if steps < 2:
        raise ConfigError(f"steps is {steps}; both ends alone are 2")
    start, stop = model.frames([first, second])
    shares = [number / (steps - 1) for number in range(steps)]
    return [_read(model, share, (1 - share) * start + share * stop) for share in shares]


def combine(model: WheelerTextAutoencoder, plus: list[str], minus: list[str]) -> Step:
    """Frames added and taken away, kept in [-1, 1]: `king - man + woman` of frames."""
    if not plus:
        raise ConfigError("there is nothing to add; give at least one text with plus")
    total = model.frames(plus).sum(0)
    if minus:
        total = total - model.frames(minus).sum(0)
    return _read(model, 1.0, total.clamp(-1, 1))


def _read(model: WheelerTextAutoencoder, share: float, frame: Tensor) -> Step:
    text = str(model.decode(model.set_grid_from_image(frame)))
    rounded = quantise(frame, model.shape.levels)
    again = model.frames(text)[0]
    error = float((torch.abs(again - rounded) > 1e-6).float().mean())
    return Step(share, text, error, frame)
