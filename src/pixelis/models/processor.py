"""The one processor for every Qwen-VL checkpoint, with Pillow alone (no torchvision).

`encode` turns conversations with images into model inputs, the same way for training and for
serving: the resize is `resize.fit_image`, the text is `template.segments`, each segment is
tokenised by itself, so the tokens of a growing conversation never change behind its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from transformers import (
    AutoProcessor,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Qwen2_5_VLConfig,
    Qwen2VLImageProcessorPil,
    Qwen3VLConfig,
    Qwen3VLProcessor,
)
from transformers.image_utils import make_flat_list_of_images
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLVisionConfig

from pixelis.errors import ModelError
from pixelis.geometry import Size
from pixelis.models.resize import fit_image
from pixelis.models.template import END, IMAGE, TEMPLATE, Message, Segment, segments
from pixelis.ops.workspace import PixelBudget

IGNORED = -100  # label of a token that is not learned
IMAGE_SETTINGS = (
    "size",
    "patch_size",
    "merge_size",
    "temporal_patch_size",
    "image_mean",
    "image_std",
)


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
        return Batch(**moved)


class PixelProcessor(Qwen3VLProcessor):
    """Image processor and tokenizer, no video processor; `AutoProcessor` finds it by name."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        chat_template: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            image_processor, tokenizer, None, chat_template=chat_template or TEMPLATE, **kwargs
        )
        self._tokenised: dict[str, list[int]] = {}

    @classmethod
    def build(
        cls, tokenizer: PreTrainedTokenizerBase, budget: PixelBudget, vision: Qwen3VLVisionConfig
    ) -> PixelProcessor:
        """A processor for the vision tower of this configuration; pixels reach it in [-1, 1]."""
        sizes: dict[str, Any] = {
            "patch_size": vision.patch_size,
            "merge_size": vision.spatial_merge_size,
            "temporal_patch_size": vision.temporal_patch_size,
        }
        image_processor = Qwen2VLImageProcessorPil(
            **sizes,
            image_mean=[0.5, 0.5, 0.5],
            image_std=[0.5, 0.5, 0.5],
        )
        processor = cls(image_processor, tokenizer)
        processor.set_budget(budget)
        return processor

    @classmethod
    def load(cls, folder: Path) -> PixelProcessor:
        """The processor of a local checkpoint, also of one saved for torchvision's classes.

        Raises ModelError when the folder lacks a tokenizer or image settings.
        """
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            image_processor = Qwen2VLImageProcessorPil.from_pretrained(
                folder, local_files_only=True
            )
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(f"{folder} has no usable processor: {reason}") from error
        return cls(image_processor, tokenizer)

    @classmethod
    def adopt(cls, processor: Any, tokenizer: Any = None) -> PixelProcessor:
        """This processor in place of another one of the Qwen-VL family, with its image settings."""
        if isinstance(processor, cls):
            return processor
        images = getattr(processor, "image_processor", processor)
        try:
            settings = {name: getattr(images, name) for name in IMAGE_SETTINGS}
        except AttributeError as error:
            raise ModelError(
                f"{type(processor).__name__} is no Qwen-VL processor: {error}"
            ) from error
        tokenizer = tokenizer or getattr(processor, "tokenizer", None)
        return cls(Qwen2VLImageProcessorPil(**settings), tokenizer)

    def _process_images(self, images: Any, **kwargs: Any) -> Any:
        """The library's step with the resize of `encode`, so that another program that loads this
        processor, such as a server, shows the model the very same pixels.
        """
        listed = make_flat_list_of_images(images)
        if all(isinstance(image, Image.Image) for image in listed):
            images = [fit_image(image, self.budget) for image in listed]
            kwargs["do_resize"] = False
        return super()._process_images(images, **kwargs)

    # images -----------------------------------------------------------------------------------
    @property
    def budget(self) -> PixelBudget:
        """Pixel range of an image as the model sees it."""
        size = self.image_processor.size
        return PixelBudget(size["shortest_edge"], size["longest_edge"], self._multiple)

    def set_budget(self, budget: PixelBudget) -> None:
        """Takes over a profile's pixel range; ModelError when its multiple does not fit."""
        if budget.multiple % self._multiple:
            raise ModelError(
                f"pixel budget has multiple {budget.multiple}; the vision tower needs sides that "
                f"are multiples of {self._multiple}"
            )
        self.image_processor.size = {
            "shortest_edge": budget.min_pixels,
            "longest_edge": budget.max_pixels,
        }

    @property
    def _multiple(self) -> int:
        return self.image_processor.patch_size * self.image_processor.merge_size

    def pixels(self, images: Sequence[Image.Image]) -> dict[str, torch.Tensor]:
        """`pixel_values` and `image_grid_thw` of images of any size, resized by the budget."""
        budget = self.budget
        fit = [fit_image(image, budget) for image in images]
        return dict(self.image_processor(images=fit, do_resize=False, return_tensors="pt"))

    # conversations ----------------------------------------------------------------------------
    def encode(
        self,
        conversations: Sequence[Sequence[Message]],
        images: Sequence[Sequence[Image.Image]],
        *,
        tools: Sequence[Sequence[Mapping[str, Any]] | None] | None = None,
        prompt: bool = False,
        side: Literal["left", "right"] = "right",
    ) -> Batch:
        """Model inputs of whole conversations.

        Args:
            conversations: messages of each; an assistant message may carry `token_ids`, which
                are then used in place of tokenising its text.
            images: of each conversation, as many as it has placeholders.
            tools: schemas to print for each conversation; None prints none.
            prompt: end with the opening of an assistant turn.
            side: where padding goes; `left` for generation, `right` for training.

        Raises:
            ModelError: images and placeholders of a conversation differ in number.
        """
        tools = tools or [None] * len(conversations)
        if not len(conversations) == len(images) == len(tools):
            raise ModelError(
                f"{len(conversations)} conversations came with {len(images)} lists of images and "
                f"{len(tools)} of tools; give one of each"
            )
        everything = [image for listed in images for image in listed]
        seen = self.pixels(everything) if everything else {}
        counts = self._image_tokens(seen.get("image_grid_thw"))
        rows = []
        for messages, listed, schemas in zip(conversations, images, tools, strict=True):
            parts = segments(messages, schemas, prompt)
            rows.append(self._row(parts, counts[: len(listed)]))
            counts = counts[len(listed) :]
        return Batch(**self._padded(rows, side), **seen)

    def count(
        self,
        messages: Sequence[Message],
        sizes: Sequence[tuple[int, int]],
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> tuple[int, int]:
        """Tokens of a conversation and how many of them are learned, without looking at pixels.

        Args:
            sizes: width and height of each image in pixels, before any resize.
        """
        fits = [self.budget.shown(Size(*size)) for size in sizes]
        counts = [width * height // self._multiple**2 for width, height in fits]
        ids, written = self._row(segments(messages, tools), counts)
        return len(ids), sum(written)

    def _image_tokens(self, grid: torch.Tensor | None) -> list[int]:
        if grid is None:
            return []
        return (grid.prod(-1) // self.image_processor.merge_size**2).tolist()

    def _row(self, parts: Sequence[Segment], counts: Sequence[int]) -> tuple[list[int], list[bool]]:
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

    def _padded(
        self, rows: Sequence[tuple[list[int], list[bool]]], side: str
    ) -> dict[str, torch.Tensor]:
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


def register() -> None:
    """Makes `AutoProcessor.from_pretrained` find `PixelProcessor`; safe to call again."""
    for config in (Qwen3VLConfig, Qwen2_5_VLConfig):
        AutoProcessor.register(config, PixelProcessor, exist_ok=True)


register()
