"""Lessons to tensors: tokens, which of them are learned, patches, dense truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from pixelis.models.nano import MERGE, PATCH_PX
from pixelis.models.template import IMAGE
from pixelis.training.lessons import Lesson
from pixelis.training.views import Seen, targets


@dataclass
class Dense:
    """What covers each patch, in the tower's patch order; see `views.targets`."""

    classes: torch.Tensor
    colors: torch.Tensor
    boxes: torch.Tensor


@dataclass
class Batch:
    """One padded batch; `labels` is -100 where nothing is learned, already aligned with inputs."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    image_tokens: torch.Tensor
    pixel_values: torch.Tensor
    grid: torch.Tensor
    dense: Dense | None = None


def patchify(pixels: np.ndarray) -> np.ndarray:
    """uint8 (height, width, 3) to float32 (patches, 3*16*16) in [-1, 1], as Qwen's processor does.

    Patches come in blocks of 2x2 (the ones a merged token is made of), channel first inside.
    """
    height, width, _ = pixels.shape
    rows, columns = height // PATCH_PX, width // PATCH_PX
    image = pixels.astype(np.float32) / 127.5 - 1
    blocks = image.reshape(
        rows // MERGE, MERGE, PATCH_PX, columns // MERGE, MERGE, PATCH_PX, 3
    ).transpose(0, 3, 1, 4, 6, 2, 5)
    return blocks.reshape(rows * columns, -1)


def block_order(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Per-patch values in row order, reordered into the tower's 2x2 block order."""
    grid = values.reshape(rows // MERGE, MERGE, columns // MERGE, MERGE, *values.shape[1:])
    return np.moveaxis(grid, 1, 2).reshape(values.shape)


def pixels_of(images: Sequence[Seen]) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches of all images in one tensor, and their grids (1, rows, columns)."""
    patches = np.concatenate([patchify(seen.pixels) for seen in images])
    grid = [[1, *seen.cover.shape] for seen in images]
    return torch.from_numpy(patches), torch.tensor(grid)


def dense_of(images: Sequence[Seen]) -> Dense:
    """Dense truth of all images in the tower's patch order."""
    parts = []
    for seen in images:
        rows, columns = seen.cover.shape
        parts.append([block_order(values, rows, columns) for values in targets(seen)])
    classes, colors, boxes = (torch.from_numpy(np.concatenate(p)) for p in zip(*parts, strict=True))
    return Dense(classes, colors, boxes)


class Encoder:
    """Turns lessons into token ids; strings seen before are not tokenised again."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.image_id = tokenizer.convert_tokens_to_ids(IMAGE)
        self._known: dict[str, list[int]] = {}

    def ids(self, text: str) -> list[int]:
        if text not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[text] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self._known[text]

    def lesson(self, lesson: Lesson) -> tuple[list[int], list[int]]:
        """Token ids with image placeholders multiplied out, and labels (-100 where given)."""
        counts = iter(seen.cover.size // MERGE**2 for seen in lesson.images)
        ids: list[int] = []
        labels: list[int] = []
        for segment in lesson.segments:
            for token in self.ids(segment.text):
                repeat = next(counts) if token == self.image_id else 1
                ids += [token] * repeat
                labels += [token if segment.written else -100] * repeat
        return ids, labels


def collate(encoder: Encoder, lessons: Sequence[Lesson], dense: bool = True) -> Batch:
    """A right-padded batch of lessons."""
    encoded = [encoder.lesson(lesson) for lesson in lessons]
    longest = max(len(ids) for ids, _ in encoded)
    pad = encoder.tokenizer.pad_token_id
    shape = (len(lessons), longest)
    input_ids = torch.full(shape, pad)
    labels = torch.full(shape, -100)
    mask = torch.zeros(shape, dtype=torch.long)
    for row, (ids, wanted) in enumerate(encoded):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        labels[row, : len(ids)] = torch.tensor(wanted)
        mask[row, : len(ids)] = 1
    images = [seen for lesson in lessons for seen in lesson.images]
    pixel_values, grid = pixels_of(images)
    image_tokens = (input_ids == encoder.image_id).int()
    expected = int(grid.prod(-1).sum()) // MERGE**2
    if int(image_tokens.sum()) != expected:
        raise ValueError(f"{int(image_tokens.sum())} image tokens for {expected} merged patches")
    truth = dense_of(images) if dense else None
    return Batch(input_ids, mask, labels, image_tokens, pixel_values, grid, truth)
