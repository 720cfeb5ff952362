"""The key of a text: every word votes on every cell, and a cell shows what most votes say."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from pixelis.wheeler.shape import Shape
from pixelis.wheeler.words import Pieces


class Votes(nn.Module):
    """Hashed pieces -> one vote for each cell of the frame.

    The pieces of a word are summed and seen by a small network, which gives the word's votes and
    how much they weigh; rare and telling words learn to weigh more. Nothing depends on the order
    of words, so what is left of a damaged text still votes as before.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(shape.buckets, shape.word_width, mode="sum")
        nn.init.normal_(self.table.weight, std=0.5)
        self.norm = nn.RMSNorm(shape.word_width)
        self.hidden = nn.Linear(shape.word_width, shape.vote_width)
        # without the mean: else all words have one direction in common, and all texts look alike
        self.even = nn.LayerNorm(shape.vote_width, elementwise_affine=False)
        self.weigh = nn.Linear(shape.vote_width, 1)
        self.vote = nn.Linear(shape.vote_width, shape.cells, bias=False)
        nn.init.normal_(self.vote.weight, std=1.2 * shape.vote_width**-0.5)

    def forward(self, pieces: Pieces) -> Tensor:
        """Votes (texts, cells), about unit variance."""
        device, dtype = self.vote.weight.device, self.vote.weight.dtype
        ids, words, texts = (torch.as_tensor(part).to(device) for part in pieces[:3])
        word = self.even(F.gelu(self.hidden(self.norm(self.table(ids, words)))))
        weight = F.softplus(self.weigh(word)) + 0.01
        votes = weight * word
        sums = torch.zeros(pieces.size, votes.shape[1], device=device, dtype=votes.dtype)
        sums = sums.index_add(0, texts, votes)
        squares = torch.zeros(pieces.size, 1, device=device, dtype=votes.dtype)
        squares = squares.index_add(0, texts, weight.square())
        return self.vote((sums / squares.sqrt()).to(dtype))
