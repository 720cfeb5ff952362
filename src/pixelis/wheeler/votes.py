"""The key of a text: every word votes on every cell, and a cell shows what most votes say."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from pixelis.wheeler.shape import Shape
from pixelis.wheeler.words import Pieces

SOFT = 30.0  # how sharply the least supported word decides


class Words(NamedTuple):
    """Words as the votes see them: a vector each, how much each weighs, and whose each is.

    `size` is how many texts there are.
    """

    vectors: Tensor
    weights: Tensor
    texts: Tensor
    size: int


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
        self.excuse = nn.Linear(shape.vote_width, 1)
        nn.init.zeros_(self.excuse.weight)
        nn.init.constant_(self.excuse.bias, -3.0)
        self.vote = nn.Linear(shape.vote_width, shape.cells, bias=False)
        nn.init.normal_(self.vote.weight, std=1.2 * shape.vote_width**-0.5)

    def words(self, pieces: Pieces) -> Words:
        """What is seen of each word."""
        device = self.vote.weight.device
        ids, words, texts = (torch.as_tensor(part).to(device) for part in pieces[:3])
        seen = self.even(F.gelu(self.hidden(self.norm(self.table(ids, words)))))
        return Words(seen, F.softplus(self.weigh(seen)) + 0.01, texts, pieces.size)

    def forward(self, pieces: Pieces) -> Tensor:
        """Votes (texts, cells), about unit variance."""
        return self.tally(self.words(pieces))

    def tally(self, words: Words) -> Tensor:
        """Votes (texts, cells) of words that have been seen already."""
        votes = words.weights * words.vectors
        sums = votes.new_zeros(words.size, votes.shape[1]).index_add(0, words.texts, votes)
        squares = votes.new_zeros(words.size, 1).index_add(0, words.texts, words.weights.square())
        return self.vote((sums / squares.sqrt()).to(self.vote.weight.dtype))

    def support(self, words: Words, frames: Tensor, metric: Tensor) -> Tensor:
        """How well the least supported word of each text is found in a frame, (texts,).

        A word's support is the weighted cosine between its votes and the frame, plus an excuse
        that words learn which need not be there (`tell`, `the`). Frame k, (cells,), is that of the
        memory which text k is held against; `metric` (cells,) weighs cells.
        """
        vectors, texts, rows = words.vectors, words.texts, self.vote.weight
        weighed = frames * metric
        # cosines of votes without ever writing the votes of single words out
        dots = (vectors * (weighed @ rows)[texts]).sum(1)
        lengths = (vectors @ (rows.T @ (metric[:, None] * rows)) * vectors).sum(1)
        sizes = (weighed * frames).sum(1)[texts]
        cosines = dots / (lengths * sizes).clamp(min=1e-12).sqrt()
        found = cosines + F.softplus(self.excuse(vectors))[:, 0]
        missing = found.new_zeros(words.size).index_add(0, texts, torch.exp(-SOFT * found))
        return -missing.clamp(min=1e-12).log() / SOFT
