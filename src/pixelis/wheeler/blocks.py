"""Transformer layers, with a mask for padding and a cache for writing one token at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

Cache = tuple[Tensor, Tensor]


class Block(nn.Module):
    """One pre-norm layer: attention, then a feed-forward part four times as wide."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.before = nn.LayerNorm(width)
        self.into = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.middle = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """(batch, length, width) -> the same; `mask` (batch, length) is True at real tokens."""
        query, key, value = self._parts(x)
        seen = None if mask is None else mask[:, None, None, :]
        mixed = F.scaled_dot_product_attention(query, key, value, seen, is_causal=causal)
        return self._rest(x, mixed)

    def step(self, x: Tensor, cache: Cache | None) -> tuple[Tensor, Cache]:
        """One more token (batch, 1, width) after those of the cache."""
        query, key, value = self._parts(x)
        if cache is not None:
            key = torch.cat((cache[0], key), 2)
            value = torch.cat((cache[1], value), 2)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self._rest(x, mixed), (key, value)

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, length, width = x.shape
        parts = self.into(self.before(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        return query, key, value

    def _rest(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + self._drop(self.out(mixed.transpose(1, 2).reshape(x.shape)))
        return x + self._drop(self.narrow(F.gelu(self.wide(self.middle(x)))))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)
