"""What nano is trained with: Muon for the matrices of its blocks, AdamW for everything else.

On the vision stage Muon reached after 160 steps a dense loss of 2.28 where AdamW at its best rate
had 2.90 (one side run each, same data, same time a step), so it is not a matter of taste here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn


class Rates(NamedTuple):
    """Full learning rates of AdamW (`lr`) and Muon (`muon_lr`), and their weight decay."""

    lr: float
    muon_lr: float
    weight_decay: float


class Optimizers:
    """Muon and AdamW behind one door, with state that can be saved and loaded.

    Each parameter group carries `base`, its full learning rate; `set_rate` scales them all.
    """

    def __init__(self, parts: Sequence[torch.optim.Optimizer]) -> None:
        self.parts = list(parts)

    def groups(self) -> Iterator[dict[str, Any]]:
        for part in self.parts:
            yield from part.param_groups

    def parameters(self) -> list[nn.Parameter]:
        return [parameter for group in self.groups() for parameter in group["params"]]

    def set_rate(self, factor: float) -> None:
        for group in self.groups():
            group["lr"] = group["base"] * factor

    def update(self, loss: torch.Tensor, factor: float) -> float:
        """One step at `factor` of the full rates; gives the gradient norm before clipping to 1."""
        self.set_rate(factor)
        for part in self.parts:
            part.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        for part in self.parts:
            part.step()
        return float(norm)

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for part, saved in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(saved)


def optimizers(
    rates: Rates, modules: Sequence[nn.Module], slow: nn.Module, share: float = 1.0
) -> Optimizers:
    """Optimizers of all parameters in `modules` that learn; those of `slow` at `share` of the rate.

    Tables (embeddings, positions) and output layers are no matrices in Muon's sense: a row is
    looked up or scored by itself, so they go to AdamW, as do convolutions, norms and biases.
    """
    inside = {id(p) for p in slow.parameters()}
    matrices = _block_matrices(modules)
    parameters = {id(p): p for module in modules for p in module.parameters() if p.requires_grad}
    muon, adam = [], []
    for within, scale in ((True, share), (False, 1.0)):
        mine = [p for key, p in parameters.items() if (key in inside) == within]
        turned = [p for p in mine if id(p) in matrices]
        decayed = [p for p in mine if id(p) not in matrices and p.ndim > 1]
        rest = [p for p in mine if p.ndim <= 1]
        muon.append(_group(turned, rates.muon_lr * scale, rates.weight_decay))
        adam.append(_group(decayed, rates.lr * scale, rates.weight_decay))
        adam.append(_group(rest, rates.lr * scale, 0.0))
    parts: list[torch.optim.Optimizer] = []
    if muon := [group for group in muon if group["params"]]:
        parts.append(torch.optim.Muon(muon, adjust_lr_fn="match_rms_adamw"))
    if adam := [group for group in adam if group["params"]]:
        parts.append(torch.optim.AdamW(adam, betas=(0.9, 0.98)))
    return Optimizers(parts)


def _group(params: list[nn.Parameter], rate: float, decay: float) -> dict[str, Any]:
    return {"params": params, "lr": rate, "base": rate, "weight_decay": decay}


def _block_matrices(modules: Sequence[nn.Module]) -> set[int]:
    """Ids of weights of linear layers that lie inside transformer blocks or mergers."""
    found = set()
    for module in modules:
        for name, part in module.named_modules():
            inside = any(word in f".{name}." for word in (".layers.", ".blocks.", "merger"))
            if inside and isinstance(part, nn.Linear):
                found.add(id(part.weight))
    return found
