"""Losses of nano's training: next token (soft on coordinates) and the dense grounding loss."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen3VLForConditionalGeneration

from pixelis.models.nano import MERGE
from pixelis.models.tokenizer import number_ids
from pixelis.training.batch import Batch, Dense
from pixelis.training.pointing import LAYERS, pointing_loss, telling_loss
from pixelis.training.views import BOX_VALUES, CLASSES, COLOR_CLASSES, UNKNOWN

# A coordinate ten units off (one hundredth of the side) is nearly right; the target says so.
NEIGHBOURS = ((0, 0.6), (10, 0.15), (-10, 0.15), (20, 0.05), (-20, 0.05))


class DenseHead(nn.Module):
    """Throw-away head: each merged token tells class, colour and box of its 2x2 patches.

    Without it the language loss alone leaves locating on a plateau for thousands of steps.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sizes = (len(CLASSES), len(COLOR_CLASSES), BOX_VALUES)
        self.project = nn.Linear(width, MERGE**2 * sum(self.sizes))
        self.tell = nn.Linear(width, 4)

    def forward(self, merged: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """merged: (tokens, width) -> class, colour logits and boxes, each (tokens*4, n)."""
        flat = self.project(merged).reshape(-1, sum(self.sizes))
        return flat.split(self.sizes, dim=-1)


class DenseLoss(NamedTuple):
    """The dense loss and what it says about seeing (shares of covered patches, mean box error)."""

    loss: torch.Tensor
    classes: float
    glyphs: float
    colors: float
    box: float


def dense_loss(head: DenseHead, merged: torch.Tensor, truth: Dense) -> DenseLoss:
    """Cross-entropy on classes and colours, five times L1 on boxes (in sides)."""
    classes, colors, boxes = head(merged)
    covered = truth.classes > 0
    weight = torch.where(covered, 1.0, 0.3) * (truth.classes != UNKNOWN)
    of_class = functional.cross_entropy(classes, truth.classes, reduction="none")
    of_color = functional.cross_entropy(colors, truth.colors, reduction="none")
    errors = (boxes - truth.boxes).abs()[covered]
    told = ((of_class + 0.5 * of_color) * weight).sum() / weight.sum().clamp(min=1.0)
    loss = told + 8 * errors.sum() / max(errors.numel(), 1)
    error = errors[:, 4:]
    right = (classes.argmax(-1) == truth.classes)[covered].float()
    glyph = truth.classes[covered] >= len(CLASSES) - 36
    hit = (colors.argmax(-1) == truth.colors)[covered].float().mean()
    of_glyphs = float(right[glyph].mean()) if glyph.any() else float("nan")
    shapes = float(right[~glyph].mean())
    return DenseLoss(loss, shapes, of_glyphs, float(hit), float(error.detach().mean()))


class TokenLoss(nn.Module):
    """Cross-entropy on written tokens; coordinates (multiples of ten) get soft neighbours."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocab_size: int) -> None:
        super().__init__()
        self.number: torch.Tensor
        self.ids: torch.Tensor
        ids = number_ids(tokenizer)
        number = torch.full((vocab_size,), -1)
        number[torch.tensor(ids)] = torch.arange(len(ids))
        self.register_buffer("number", number)
        self.register_buffer("ids", torch.tensor(ids))

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """logits (n, vocab), labels (n,) -> mean loss."""
        logprobs = functional.log_softmax(logits.float(), dim=-1)
        value = self.number[labels]
        soft = (value >= 10) & (value % 10 == 0)
        hard = -logprobs[~soft].gather(1, labels[~soft, None]).sum()
        total = torch.zeros((), device=labels.device)
        weights = torch.zeros((), device=labels.device)
        for offset, weight in NEIGHBOURS:
            near = value[soft] + offset
            valid = (near >= 0) & (near <= 1000)
            picked = logprobs[soft].gather(1, self.ids[near.clamp(0, 1000), None])[:, 0]
            total = total - (picked * valid * weight).sum()
            weights = weights + weight
        return (hard + total / weights) / max(len(labels), 1)


class Forward(NamedTuple):
    """Logits of the positions that predict a written token, their labels, the merged tokens, and
    how much of the attention goes astray (`pointing.pointing_loss`), and how far off the box is
    that the hidden state holds before it is written (`pointing.telling_loss`, in sides)."""

    logits: torch.Tensor
    labels: torch.Tensor
    merged: torch.Tensor
    astray: torch.Tensor
    off: torch.Tensor


def places(model: Qwen3VLForConditionalGeneration, batch: Batch) -> torch.Tensor:
    """Position ids, shape (3, batch, length): each branch follows right behind branch 0."""
    plain, _ = model.model.get_rope_index(
        batch.input_ids, batch.image_tokens, batch.grid, attention_mask=batch.attention_mask
    )
    return plain - batch.shifts


def forward(model: Qwen3VLForConditionalGeneration, head: DenseHead, batch: Batch) -> Forward:
    """One pass over a batch.

    Only those positions go through the output layer, which is a third of the work of a small model.
    """
    features = model.model.get_image_features(batch.pixel_values, batch.grid, return_dict=True)
    merged = torch.cat(features.pooler_output)
    model.config.text_config._attn_implementation = "eager"  # the one that tells its weights
    outputs = model.model(
        input_ids=batch.input_ids,
        attention_mask=batch.mask(),
        position_ids=places(model, batch),
        mm_token_type_ids=batch.image_tokens,
        image_grid_thw=batch.grid,
        mm_encoder_outputs={"image": features},
        use_cache=False,
        output_attentions=True,
        output_hidden_states=True,
    )
    model.config.text_config._attn_implementation = "sdpa"
    hidden = outputs.last_hidden_state
    astray = off = hidden.new_zeros(())
    if batch.pointing is not None:
        rows, at, to, boxes = batch.pointing
        astray = pointing_loss(outputs.attentions, rows, at, to)
        held = outputs.hidden_states[LAYERS[-1] + 1][rows, at]
        off = telling_loss(head.tell(held).float(), boxes)
    wanted = batch.labels[:, 1:]
    where = wanted != -100
    return Forward(model.lm_head(hidden[:, :-1][where]), wanted[where], merged, astray, off)
