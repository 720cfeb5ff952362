"""Conversations as rows of tokens: what training and serving feed a model, word for word alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pixelis.errors import ModelError
from pixelis.models.template import END, IMAGE, Segment

IGNORED = -100  # label of a token that is not learned


@dataclass(frozen=True)
class Batch:
    """Conversations ready for the model.

    Attributes:
        input_ids: (batch, length) int64.
        attention_mask: (batch, length) int64, 0 where padded.
        mm_token_type_ids: (batch, length) int64, 1 on image tokens.
        written: (batch, length) bool, True on tokens the model wrote, turns with `learned` False
            left out.
        pixel_values: (patches, features) float32, all images in order; None without images.
        image_grid_thw: (images, 3) int64, patches in time, height, width; None without images.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    mm_token_type_ids: torch.Tensor
    written: torch.Tensor
    pixel_values: torch.Tensor | None = None
    image_grid_thw: torch.Tensor | None = None

    def inputs(self) -> dict[str, torch.Tensor]:
        """Keyword arguments of the model's `forward` and `generate`."""
        given = {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "mm_token_type_ids": self.mm_token_type_ids,
        }
        if self.pixel_values is not None and self.image_grid_thw is not None:
            given |= {"pixel_values": self.pixel_values, "image_grid_thw": self.image_grid_thw}
        return given

    def labels(self) -> torch.Tensor:
        """`input_ids` where the model wrote, -100 elsewhere (not shifted)."""
        return self.input_ids.masked_fill(~self.written, IGNORED)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        moved: dict[str, Any] = {
            name: value if value is None else value.to(device) for name, value in vars(self).items()
        }
        return type(self)(**moved)


class Rows:
    """Tokenises segments, each by itself, and pads them; a part of every processor.

    Attributes:
        tokenizer: of the Qwen family.
        image_token_id: the placeholder of an image; -1 where there are no images.
    """

    tokenizer: Any
    image_token_id: int
    _tokenised: dict[str, list[int]]

    def row(self, parts: Sequence[Segment], counts: Sequence[int]) -> tuple[list[int], list[bool]]:
        """Tokens of one conversation, image placeholders widened, and which the model wrote."""
        places = sum(part.text.count(IMAGE) for part in parts)
        if places != len(counts):
            raise ModelError(
                f"conversation has {places} image placeholders and {len(counts)} images; "
                "they must be equal in number"
            )
        ids: list[int] = []
        written: list[bool] = []
        waiting = iter(counts)
        for part in parts:
            if part.ids is not None:
                tokens, mask = self._given(part.ids)
            else:
                tokens = self._widened(self._tokens(part.text), waiting)
                mask = [part.written] * len(tokens)
            ids += tokens
            written += mask if part.learned else [False] * len(mask)
        return ids, written

    def _given(self, ids: Sequence[int]) -> tuple[list[int], list[bool]]:
        """Sampled tokens; a turn that was cut off is closed, but the model did not write that."""
        closing = self.tokenizer.convert_tokens_to_ids(END)
        closed = bool(ids) and ids[-1] == closing
        extra = [] if closed else [closing]
        return [*ids, *extra], [True] * len(ids) + [False] * len(extra)

    def _tokens(self, text: str) -> list[int]:
        if text not in self._tokenised:
            if len(self._tokenised) > 4096:
                self._tokenised.clear()
            self._tokenised[text] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self._tokenised[text]

    def _widened(self, tokens: Sequence[int], waiting: Any) -> list[int]:
        wide: list[int] = []
        for token in tokens:
            wide += [token] * next(waiting) if token == self.image_token_id else [token]
        return wide

    def padded(
        self, rows: Sequence[tuple[list[int], list[bool]]], side: str
    ) -> dict[str, torch.Tensor]:
        """The fields of a `Batch` but for the images, padded on the `left` or `right`."""
        length = max((len(ids) for ids, _ in rows), default=0)
        shape = (len(rows), length)
        ids = torch.full(shape, self.tokenizer.pad_token_id, dtype=torch.int64)
        mask = torch.zeros(shape, dtype=torch.int64)
        written = torch.zeros(shape, dtype=torch.bool)
        for row, (tokens, wrote) in enumerate(rows):
            place = slice(length - len(tokens), length) if side == "left" else slice(len(tokens))
            ids[row, place] = torch.tensor(tokens, dtype=torch.int64)
            written[row, place] = torch.tensor(wrote, dtype=torch.bool)
            mask[row, place] = 1
        kinds = ((ids == self.image_token_id) & mask.bool()).long()
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "mm_token_type_ids": kinds,
            "written": written,
        }
