"""Batches: what each step learns from, a function of the step's number alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import Dataset

from pixelis.data.stories.damage import invented_word
from pixelis.data.stories.tell import pick
from pixelis.training.wheeler.corpus import Source, noise_tokens
from pixelis.wheeler.shape import Shape
from pixelis.wheeler.tokens import EOS_ID, PAD_ID, decode_ids, encode_text
from pixelis.wheeler.words import Pieces, gather

STORIES, NONSENSE = 0.7, 0.2  # the rest are invented words


class Lesson(NamedTuple):
    """One step.

    Attributes:
        ids: tokens to write and read again, (batch, max_tokens), padded; none in a step without
            reading.
        pieces: of the same texts.
        kept_ids, kept, asked, other, same: the pairs of the key; tokens, pieces, and which of
            them lost nothing.
    """

    ids: Tensor
    pieces: Pieces
    kept_ids: Tensor
    kept: Pieces
    asked: Pieces
    other: Pieces
    same: Tensor

    def to(self, device: torch.device) -> Lesson:
        """With its tensors on a device; pieces stay, the votes move them."""
        return self._replace(
            ids=self.ids.to(device), kept_ids=self.kept_ids.to(device), same=self.same.to(device)
        )


@dataclass
class Lessons(Dataset[Lesson]):
    """Lesson `step` of a run."""

    source: Source
    tokenizer: Tokenizer
    shape: Shape
    batch: int
    pairs: int
    seed: int
    read_every: int = 1

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, step: int) -> Lesson:
        rng = np.random.default_rng([self.seed, 7, step])
        count = 0 if step % self.read_every else self.batch
        rows = [self._row(rng) for _ in range(count)]
        texts = [decode_ids(self.tokenizer, row) for row in rows]
        pairs = [self.source.pair(rng) for _ in range(self.pairs)]
        kept_rows = [self._cut(encode_text(self.tokenizer, pair.kept)) for pair in pairs]
        kept, asked, other = (
            gather(column, self.shape.buckets) for column in list(zip(*pairs, strict=True))[:3]
        )
        same = torch.tensor([pair.same for pair in pairs])
        pieces = gather(texts, self.shape.buckets)
        return Lesson(self._padded(rows), pieces, self._padded(kept_rows), kept, asked, other, same)

    def _row(self, rng: np.random.Generator) -> list[int]:
        kind, most = rng.random(), self.shape.max_tokens
        if kind < STORIES:
            ids = encode_text(self.tokenizer, self.source.story(rng))
            start = pick(rng, len(ids) - most + 1) if len(ids) > most else 0
            return self._cut(ids[start:])
        if kind < STORIES + NONSENSE:
            return self._cut(noise_tokens(rng, self.tokenizer.get_vocab_size(), most))
        words = [invented_word(rng) for _ in range(1 + pick(rng, most // 2))]
        return self._cut(encode_text(self.tokenizer, " ".join(words)))

    def _cut(self, ids: list[int]) -> list[int]:
        return [*ids, EOS_ID][: self.shape.max_tokens]

    def _padded(self, rows: list[list[int]]) -> Tensor:
        ids = torch.full((len(rows), self.shape.max_tokens), PAD_ID)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
        return ids
