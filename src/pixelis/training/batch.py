"""Lessons to tensors: tokens, which of them are learned, patches, dense truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from pixelis.models.nano import MERGE, PATCH_PX
from pixelis.models.template import IMAGE
from pixelis.models.tokenizer import number_ids
from pixelis.training.lessons import Lesson
from pixelis.training.pointing import Grid, Pointer, pointers
from pixelis.training.views import Seen, targets


@dataclass
class Dense:
    """What covers each patch, in the tower's patch order; see `views.targets`."""

    classes: torch.Tensor
    colors: torch.Tensor
    boxes: torch.Tensor

    def to(self, device: torch.device) -> Dense:
        return Dense(self.classes.to(device), self.colors.to(device), self.boxes.to(device))


class Pointing(NamedTuple):
    """For each coordinate to be written: its sequence, the position before it, what to look at."""

    rows: torch.Tensor
    at: torch.Tensor
    to: torch.Tensor
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
    pointing: Pointing | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch with what the model reads on `device` (its dense truth stays)."""
        names = ("input_ids", "attention_mask", "labels", "image_tokens", "pixel_values", "grid")
        moved = {name: getattr(self, name).to(device) for name in names}
        looking = self.pointing and Pointing(*(part.to(device) for part in self.pointing))
        return replace(self, pointing=looking, **moved)


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
        self._numbers = {token: value for value, token in enumerate(number_ids(tokenizer))}
        self._comma = tokenizer.convert_tokens_to_ids("\u002c\u0120")

    def ids(self, text: str) -> list[int]:
        if text not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[text] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self._known[text]

    def lesson(self, lesson: Lesson) -> Encoded:
        """Token ids with image placeholders multiplied out, and what is learned of them."""
        images = iter(lesson.images)
        encoded = Encoded([], [], [], [])
        for segment in lesson.segments:
            for token in self.ids(segment.text):
                repeat = 1
                if token == self.image_id:
                    rows, columns = (side // MERGE for side in next(images).cover.shape)
                    encoded.grids.append(Grid(len(encoded.ids), rows, columns))
                    repeat = rows * columns
                encoded.ids.extend([token] * repeat)
                encoded.labels.extend([token if segment.written else -100] * repeat)
                encoded.turns.extend([len(encoded.grids) - 1] * repeat)
        return encoded

    def pointers(self, encoded: Encoded) -> list[Pointer]:
        """Where to look while each coordinate is written."""
        values = [self._numbers.get(label) for label in encoded.labels]
        commas = [token == self._comma for token in encoded.ids]
        return pointers(values, commas, encoded.turns, encoded.grids)


class Encoded(NamedTuple):
    """A lesson as token ids, labels (-100 where given), and for each position the latest image."""

    ids: list[int]
    labels: list[int]
    turns: list[int]
    grids: list[Grid]


def collate(encoder: Encoder, lessons: Sequence[Lesson], dense: bool = True) -> Batch:
    """A right-padded batch of lessons."""
    encoded = [encoder.lesson(lesson) for lesson in lessons]
    longest = max(len(one.ids) for one in encoded)
    pad = encoder.tokenizer.pad_token_id
    shape = (len(lessons), longest)
    input_ids = torch.full(shape, pad)
    labels = torch.full(shape, -100)
    mask = torch.zeros(shape, dtype=torch.long)
    for row, one in enumerate(encoded):
        input_ids[row, : len(one.ids)] = torch.tensor(one.ids)
        labels[row, : len(one.ids)] = torch.tensor(one.labels)
        mask[row, : len(one.ids)] = 1
    images = [seen for lesson in lessons for seen in lesson.images]
    pixel_values, grid = pixels_of(images)
    image_tokens = (input_ids == encoder.image_id).int()
    expected = int(grid.prod(-1).sum()) // MERGE**2
    if int(image_tokens.sum()) != expected:
        raise ValueError(f"{int(image_tokens.sum())} image tokens for {expected} merged patches")
    truth = dense_of(images) if dense else None
    looking = _pointing([encoder.pointers(one) for one in encoded], longest)
    return Batch(input_ids, mask, labels, image_tokens, pixel_values, grid, truth, looking)


def _pointing(found: Sequence[Sequence[Pointer]], length: int) -> Pointing | None:
    flat = [(row, pointer) for row, pointers in enumerate(found) for pointer in pointers]
    if not flat:
        return None
    to = torch.zeros(len(flat), length, dtype=torch.bool)
    for number, (_, pointer) in enumerate(flat):
        to[number, pointer.to] = True
    rows = torch.tensor([row for row, _ in flat])
    at = torch.tensor([pointer.at for _, pointer in flat])
    return Pointing(rows, at, to, torch.tensor([pointer.box for _, pointer in flat]))
