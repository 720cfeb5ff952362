"""What is learned from an episode by reinforcement: its tokens, which of them the model chose, with
what probability, and the images; and how such lines become the tensors of TRL's GRPO loss.

Tokens are those the model was served and wrote, never told anew. A turn that the conversation does
not keep as it was written is read and not learned.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from pixelis.agent import Rollout
from pixelis.errors import CheckpointError, ModelError
from pixelis.models.processor import PixelProcessor


@dataclass(frozen=True, eq=False)
class Line:
    """One episode as tokens.

    Attributes:
        ids: the whole conversation.
        written: True on tokens that the model chose and that are learned.
        logprobs: of those tokens when they were chosen, in order.
        images: at the model's size, one for each placeholder.
    """

    ids: tuple[int, ...]
    written: tuple[bool, ...]
    logprobs: tuple[float, ...]
    images: tuple[Image.Image, ...]

    @property
    def start(self) -> int:
        """Where the model begins to write; the prompt ends there."""
        return self.written.index(True) if True in self.written else len(self.ids) - 1


class Weighed(NamedTuple):
    """A line and its advantage; `replayed` when an older policy wrote it."""

    line: Line
    advantage: float
    replayed: bool = False


def line_of(rollout: Rollout, processor: PixelProcessor) -> Line:
    """The line of an episode.

    Raises ModelError for one that failed (it has no conversation) and when tokens, probabilities
    or images do not match: an update on the wrong tokens would be worse than none.
    """
    if not rollout.messages:
        reason = rollout.episode.meta.get("error", "no reason was kept")
        raise ModelError(f"episode {rollout.episode.id} failed: {reason}")
    messages: list[dict[str, Any]] = []
    logprobs: list[float] = []
    turns = iter(rollout.turns)
    for message in rollout.messages:
        if message["role"] == "assistant":
            turn = next(turns)
            if message.get("token_ids") and turn.logprobs is not None:
                logprobs += turn.logprobs
            else:
                message = {**message, "learned": False}
        messages.append(message)
    sizes = [image.size for image in rollout.images]
    ids, written = processor.tokens(messages, sizes, rollout.tools)
    if sum(written) != len(logprobs):
        raise ModelError(
            f"episode {rollout.episode.id}: {sum(written)} tokens are learned and "
            f"{len(logprobs)} probabilities came; they must be equal in number"
        )
    return Line(tuple(ids), tuple(written), tuple(logprobs), rollout.images)


def unlearned(line: Line) -> Weighed:
    """The line with nothing to learn in it, to fill a place in a batch."""
    return Weighed(replace(line, written=(False,) * len(line.ids), logprobs=()), 0.0)


def tensors(
    batch: Sequence[Weighed], processor: PixelProcessor, device: torch.device | str = "cpu"
) -> dict[str, Any]:
    """What `GRPOTrainer` computes its loss from; TRL 1.16 names, all rows in order.

    Prompts are padded on the left and what follows on the right. `tool_mask` is 1 on learned
    tokens; `chosen_logprobs` holds their probabilities when they were chosen, 0 elsewhere, and
    `replayed` marks rows of an older policy. ModelError when image tokens and patches differ.
    """
    prompts = [weighed.line.ids[: weighed.line.start] for weighed in batch]
    rests = [weighed.line.ids[weighed.line.start :] for weighed in batch]
    masks = [weighed.line.written[weighed.line.start :] for weighed in batch]
    pad = processor.tokenizer.pad_token_id
    prompt_ids, prompt_mask = _padded(prompts, pad, left=True)
    completion_ids, completion_mask = _padded(rests, pad, left=False)
    tool_mask, _ = _padded(masks, 0, left=False)
    logprobs = torch.zeros(tool_mask.shape)
    for row, weighed in enumerate(batch):
        logprobs[row][tool_mask[row].bool()] = torch.tensor(weighed.line.logprobs)
    images = [image for weighed in batch for image in weighed.line.images]
    seen = processor.pixels(images)
    ids = torch.cat([prompt_ids, completion_ids], 1)
    kinds = (ids == processor.image_token_id).long()
    _check(batch, kinds, seen["image_grid_thw"], processor.image_processor.merge_size)
    made = {
        "prompt_ids": prompt_ids,
        "prompt_mask": prompt_mask,
        "completion_ids": completion_ids,
        "completion_mask": completion_mask,
        "tool_mask": tool_mask,
        "advantages": torch.tensor([weighed.advantage for weighed in batch]),
        "chosen_logprobs": logprobs,
        "replayed": torch.tensor([weighed.replayed for weighed in batch]),
        "mm_token_type_ids": kinds,
        **seen,
    }
    placed: dict[str, Any] = {name: value.to(device) for name, value in made.items()}
    placed["num_images"] = [len(weighed.line.images) for weighed in batch]
    return placed


def _padded(rows: Sequence[Sequence[Any]], value: int, left: bool) -> tuple[Any, Any]:
    """Rows of whole numbers filled up with `value`, and 1 where they are not."""
    longest = max(map(len, rows))
    filled = torch.full((len(rows), longest), value)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for number, row in enumerate(rows):
        place = slice(longest - len(row), longest) if left else slice(len(row))
        filled[number, place] = torch.tensor(row, dtype=torch.long)
        mask[number, place] = 1
    return filled, mask


def _check(
    batch: Sequence[Weighed], kinds: torch.Tensor, grid: torch.Tensor, merge_size: int
) -> None:
    """ModelError when a row's image tokens are not those of its images."""
    counts = iter((grid.prod(-1) // merge_size**2).tolist())
    for row, weighed in enumerate(batch):
        needed = sum(next(counts) for _ in weighed.line.images)
        if (told := int(kinds[row].sum())) != needed:
            raise ModelError(
                f"row {row} has {told} image tokens and its {len(weighed.line.images)} images "
                f"take {needed}; they must be equal in number"
            )


# files --------------------------------------------------------------------------------------------
def write_lines(folder: Path, name: str, groups: Sequence[Sequence[Weighed]]) -> None:
    """Stores groups of lines as `NAME.json` with their images as PNG beside it, an image that
    several lines share once."""
    folder.mkdir(parents=True, exist_ok=True)
    stored: dict[int, str] = {}
    told = []
    for group in groups:
        rows = []
        for line, advantage, _ in group:
            for image in line.images:
                if id(image) not in stored:
                    stored[id(image)] = f"{name}-{len(stored)}.png"
                    image.save(folder / stored[id(image)])
            files = [stored[id(image)] for image in line.images]
            mask = [int(one) for one in line.written]
            rows.append([list(line.ids), mask, list(line.logprobs), files, advantage])
        told.append(rows)
    (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def read_lines(folder: Path, name: str) -> list[list[Weighed]]:
    """What `write_lines` stored; CheckpointError when it cannot be read."""
    try:
        told = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        opened: dict[str, Image.Image] = {}
        return [[_line(folder, opened, *row) for row in rows] for rows in told]
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{folder / name}.json cannot be read: {error}") from error


def _line(
    folder: Path,
    opened: dict[str, Image.Image],
    ids: list[int],
    written: list[int],
    logprobs: list[float],
    files: list[str],
    advantage: float,
) -> Weighed:
    for file in files:
        if file not in opened:
            with Image.open(folder / file) as image:
                opened[file] = image.convert("RGB")
    if len(ids) != len(written) or sum(written) != len(logprobs) or not math.isfinite(advantage):
        raise ValueError("tokens, mask and probabilities differ in number")
    images = tuple(opened[file] for file in files)
    line = Line(tuple(ids), tuple(map(bool, written)), tuple(logprobs), images)
    return Weighed(line, advantage, True)
