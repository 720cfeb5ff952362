"""What is learned: reading a frame, also a damaged one, and keys that damaged texts still match."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from pixelis.training.wheeler.lessons import Lesson
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.code import quantise
from pixelis.wheeler.tokens import BOS_ID, PAD_ID
from pixelis.wheeler.votes import Words

SHARPNESS = 24.0  # of the contrastive softmax; what a cosine is multiplied by
MARGIN = 0.03  # by which a paraphrase shall be liker than a stranger
BETA, ETA, TICKS = 60.0, 0.5, 2  # the dynamics in the loop, as they run later


class Losses(NamedTuple):
    """Parts of the loss, and shares that tell how well it goes (no gradient)."""

    reading: Tensor
    key: Tensor
    loop: Tensor
    novel: Tensor
    tokens_right: Tensor
    pairs_right: Tensor


def losses(
    model: WheelerTextAutoencoder,
    lesson: Lesson,
    noise: float,
    generator: torch.Generator,
    ticks: int = TICKS,
) -> Losses:
    """All losses of a lesson; `generator` draws the noise; without ticks the loop's loss is 0."""
    key, loop, novel, pairs_right = key_losses(model, lesson, ticks)
    reading = tokens_right = key * 0
    if len(lesson.ids):
        reading, tokens_right = reading_loss(model, lesson, noise, generator)
    return Losses(reading, key, loop, novel, tokens_right, pairs_right)


def reading_loss(
    model: WheelerTextAutoencoder, lesson: Lesson, noise: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the tokens, and the share of them that is right without noise.

    Half of the frames are damaged: cells flipped and others blotted out, each with a probability
    up to `noise`.
    """
    ids = lesson.ids
    mask = ids != PAD_ID
    with torch.no_grad():
        votes = model.ballot(lesson.pieces)
    values = model.compose(model.encoder(ids, mask), mask, votes)
    frame = quantise(values.float(), model.shape.levels)
    hurt = damage_cells(frame, noise, generator)
    sight = model.see(model.lift(model.framed(hurt)))
    before = torch.cat((torch.full_like(ids[:, :1], BOS_ID), ids[:, :-1]), 1)
    logits = model.decoder(sight, before)
    loss = F.cross_entropy(logits.float().flatten(0, 1), ids.flatten(), ignore_index=PAD_ID)
    whole = mask & (hurt == frame).all(1, keepdim=True)
    right = (logits.argmax(-1) == ids) & whole
    return loss, right.sum() / whole.sum().clamp(min=1)


def damage_cells(frame: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Cells of the first half of the batch: some change sign, some are blotted out (0)."""
    if noise == 0:
        return frame
    half = len(frame) // 2
    draw = torch.rand(half, frame.shape[1] + 2, generator=generator).to(frame.device)
    flips = draw[:, 2:] < noise * draw[:, :1]
    blots = draw[:, 2:] > 1 - noise * draw[:, 1:2]
    hurt = torch.where(flips, -frame[:half], frame[:half]).masked_fill(blots, 0.0)
    return torch.cat((hurt, frame[half:]))


def key_losses(
    model: WheelerTextAutoencoder, lesson: Lesson, ticks: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """InfoNCE (van den Oord et al. 2018) of probes against stored frames; the same after some
    ticks of the dynamics among them; the loss of novelty; and the share of pairs whose first match
    is right.

    The text that differs in one word stands beside each that is kept, as the hardest rival.
    Novelty asks whether every word of a text is found in a frame: of what says the same, the least
    supported word has to be better found than that of any text in which one word is another.
    """
    levels = model.shape.levels
    mask = lesson.kept_ids != PAD_ID
    with torch.no_grad():
        tokens = torch.tanh(model.encoder.code(lesson.kept_ids))
    votes = model.votes
    asked_words, other_words = votes.words(lesson.asked), votes.words(lesson.other)
    asked, strange = (torch.tanh(votes.tally(words)) for words in (asked_words, other_words))
    kept = quantise(model.compose(tokens, mask, model.ballot(lesson.kept)), levels)
    other = quantise(model.compose(tokens, mask, strange), levels)
    metric = model.weights()
    with torch.autocast(asked.device.type, enabled=False):  # likenesses differ by thousandths
        frames = torch.cat((kept, other)).float()
        key, loop, right = _rivalry(asked.float(), frames, metric, ticks)
        novel = kept.float().sum() * 0
        if bool(lesson.same.any()):
            known = votes.support(_floats(asked_words), kept.float(), metric)[lesson.same]
            found = votes.support(_floats(other_words), kept.float(), metric)
            novel = F.softplus(SHARPNESS * (found[None] - known[:, None] + MARGIN)).mean()
    return key, loop, novel, right


def _rivalry(
    asked: Tensor, frames: Tensor, metric: Tensor, ticks: int
) -> tuple[Tensor, Tensor, Tensor]:
    weights = metric.sqrt()
    stored = F.normalize(frames * weights, dim=1)
    first = F.normalize(asked * weights, dim=1) @ stored.T
    target = torch.arange(len(asked), device=asked.device)
    key = F.cross_entropy(SHARPNESS * first, target)
    state = asked
    for _ in range(ticks):
        pull = F.softmax(BETA * F.normalize(state * weights, dim=1) @ stored.T, 1) @ frames
        state = (1 - ETA) * state + ETA * pull
    settled = F.normalize(state * weights, dim=1) @ stored.T
    loop = F.cross_entropy(SHARPNESS * settled, target) if ticks else key * 0
    return key, loop, (first.argmax(1) == target).float().mean()


def _floats(words: Words) -> Words:
    return words._replace(vectors=words.vectors.float(), weights=words.weights.float())
