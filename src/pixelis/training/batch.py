"""Lessons to tensors: tokens, which of them are learned, patches, dense truth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

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
    """One padded batch; `labels` is -100 where nothing is learned, already aligned with inputs.

    `branches` and `shifts` tell which tokens see each other and how far each one's position is
    moved back (see `Lesson`); `pointing` where to look while coordinates are written.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    image_tokens: torch.Tensor
    pixel_values: torch.Tensor
    grid: torch.Tensor
    branches: torch.Tensor
    shifts: torch.Tensor
    dense: Dense | None = None
    pointing: Pointing | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch with what the model reads on `device` (its dense truth stays)."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {
            key: value.to(device)
            for key, value in values.items()
            if isinstance(value, torch.Tensor)
        }
        looking = self.pointing and Pointing(*(part.to(device) for part in self.pointing))
        return replace(self, pointing=looking, **moved)

    def mask(self) -> torch.Tensor:
        """What to add to attention scores, shape (batch, 1, length, length): 0 or very little.

        A token sees itself and what comes before it in its own branch and in branch 0.
        """
        length = self.input_ids.shape[1]
        whose = self.branches
        common = (whose[:, None] == 0) | (whose[:, None] == whose[:, :, None])
        earlier = torch.ones(length, length, dtype=torch.bool, device=whose.device).tril()
        seen = common & earlier & self.attention_mask[:, None].bool()
        seen |= torch.eye(length, dtype=torch.bool, device=whose.device)
        least = torch.finfo(torch.float32).min
        return torch.zeros(seen.shape, device=whose.device).masked_fill(~seen, least)[:, None]


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


def image_named(text: str) -> int | None:
    """The image that a call's coordinates are given in; None where text has no call.

    Without a call it is the latest image that is spoken of.
    """
    if "<tool_call>" not in text:
        return None
    named = re.search(r'"image": (\d+)', text)
    return int(named[1]) if named else 0


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
        encoded = Encoded([], [], [], [], [], [])
        starts: list[int] = []
        branches = lesson.branches or (0,) * len(lesson.segments)
        for segment, branch in zip(lesson.segments, branches, strict=True):
            if branch > len(starts):
                starts.append(len(encoded.ids))
            named = image_named(segment.text)
            for token in self.ids(segment.text):
                repeat = 1
                if token == self.image_id:
                    rows, columns = (side // MERGE for side in next(images).cover.shape)
                    encoded.grids.append(Grid(len(encoded.ids), rows, columns))
                    repeat = rows * columns
                encoded.ids.extend([token] * repeat)
                encoded.labels.extend([token if segment.written else -100] * repeat)
                latest = len(encoded.grids) - 1
                encoded.turns.extend([latest if named is None else min(named, latest)] * repeat)
                encoded.branches.extend([branch] * repeat)
                encoded.shifts.extend([starts[branch - 1] - starts[0] if branch else 0] * repeat)
        return encoded

    def pointers(self, encoded: Encoded) -> list[Pointer]:
        """Where to look while each coordinate is written."""
        values = [self._numbers.get(label) for label in encoded.labels]
        commas = [token == self._comma for token in encoded.ids]
        return pointers(values, commas, encoded.turns, encoded.grids)


class Encoded(NamedTuple):
    """A lesson as token ids and labels (-100 where given); for each position the image that is
    spoken of, its branch, and how far its place is moved back to stand right behind what all see.
    """

    ids: list[int]
    labels: list[int]
    turns: list[int]
    branches: list[int]
    shifts: list[int]
    grids: list[Grid]


def collate(encoder: Encoder, lessons: Sequence[Lesson], dense: bool = True) -> Batch:
    """A right-padded batch of lessons."""
    encoded = [encoder.lesson(lesson) for lesson in lessons]
    longest = max(len(one.ids) for one in encoded)
    pad = encoder.tokenizer.pad_token_id
    input_ids = _padded([one.ids for one in encoded], longest, pad)
    labels = _padded([one.labels for one in encoded], longest, -100)
    branches = _padded([one.branches for one in encoded], longest, 0)
    shifts = _padded([one.shifts for one in encoded], longest, 0)
    mask = _padded([[1] * len(one.ids) for one in encoded], longest, 0)
    images = [seen for lesson in lessons for seen in lesson.images]
    pixel_values, grid = pixels_of(images)
    image_tokens = (input_ids == encoder.image_id).int()
    expected = int(grid.prod(-1).sum()) // MERGE**2
    if int(image_tokens.sum()) != expected:
        raise ValueError(f"{int(image_tokens.sum())} image tokens for {expected} merged patches")
    truth = dense_of(images) if dense else None
    looking = _pointing([encoder.pointers(one) for one in encoded], longest)
    text = (input_ids, mask, labels, image_tokens)
    return Batch(*text, pixel_values, grid, branches, shifts, truth, looking)


def _padded(rows: Sequence[Sequence[int]], length: int, value: int) -> torch.Tensor:
    """Rows of whole numbers, filled up on the right."""
    filled = torch.full((len(rows), length), value)
    for place, row in enumerate(rows):
        filled[place, : len(row)] = torch.tensor(row)
    return filled


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
