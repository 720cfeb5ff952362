"""The anchored rule on many frames at once, in torch, on a CPU or a GPU."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from pixelis.wheeler.rules import BETA, ETA

STILL = 5e-7
MOST_TICKS = 2000
LAND = 1e-7  # change of the pulls after which the rest of the way is known


class Settled(NamedTuple):
    """Settled frames.

    Attributes:
        frames: (B, cells) float32; `weights` (B, N) say how much each stored frame pulls there.
        ticks: (B,) ticks until each stood still.
        converged: (B,) False where the limit of ticks came first.
    """

    frames: Tensor
    weights: Tensor
    ticks: Tensor
    converged: Tensor


def pulls(frames: Tensor, unit: Tensor, roots: Tensor | None, beta: float) -> Tensor:
    """Pulls (B, N) of stored frames on frames (B, cells); `unit` are the stored ones, scaled."""
    weighed = frames if roots is None else frames * roots
    return F.softmax(beta * (F.normalize(weighed, dim=1) @ unit.T), dim=1)


def settle(
    frames: Tensor,
    stored: Tensor,
    metric: Tensor | None = None,
    beta: float = BETA,
    eta: float = ETA,
    max_ticks: int = MOST_TICKS,
) -> Settled:
    """Settles frames (B, cells) among stored ones (N, cells), all float32 on one device.

    Once the pulls stand still, x moves along a geometric series towards its sum, so it goes there
    in one step; the tick after that proves that it is a fixed point, or settling goes on.
    """
    roots = None if metric is None else metric.sqrt()
    unit = F.normalize(stored if roots is None else stored * roots, dim=1)
    state = frames.clone()
    before = torch.zeros(len(frames), len(stored), device=frames.device)
    ticks = torch.zeros(len(frames), dtype=torch.int64, device=frames.device)
    open_ = torch.arange(len(frames), device=frames.device)
    for _ in range(max_ticks if len(stored) else 0):
        now = state[open_]
        weights = pulls(now, unit, roots, beta)
        pull = weights @ stored
        landed = (weights - before[open_]).abs().amax(1) < LAND
        then = torch.where(landed[:, None], pull, now + eta * (pull - now))
        moved = eta * (pull - now).abs().amax(1)
        state[open_], before[open_] = then, weights
        ticks[open_] += 1
        open_ = open_[moved > STILL]
        if len(open_) == 0:
            break
    converged = torch.ones(len(frames), dtype=torch.bool, device=frames.device)
    converged[open_] = len(stored) == 0
    return Settled(state, before, ticks, converged)
