"""The one processor for every Qwen-VL checkpoint, with Pillow alone (no torchvision).

`encode` turns conversations with images into model inputs, the same way for training and for
serving: the resize is `resize.fit_image`, the text is `template.segments`, each segment is
tokenised by itself, so the tokens of a growing conversation never change behind its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub.errors import StrictDataclassError
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

from pixelis.errors import ModelError, reason_of
from pixelis.geometry import Size
from pixelis.models.resize import fit_image
from pixelis.models.rows import Batch, Rows
from pixelis.models.template import TEMPLATE, Message, segments
from pixelis.ops.workspace import PixelBudget

IMAGE_SETTINGS = (
    "size",
    "patch_size",
    "merge_size",
    "temporal_patch_size",
    "image_mean",
    "image_std",
)


class PixelProcessor(Rows, Qwen3VLProcessor):
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
            tokenizer = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            image_processor = Qwen2VLImageProcessorPil.from_pretrained(
                folder, local_files_only=True
            )
        except (OSError, ValueError, StrictDataclassError) as error:
            reason = reason_of(error)
            raise ModelError(f"{folder} has no usable processor: {reason}") from error
        return cls(image_processor, tokenizer)

    @classmethod
    def adopt(cls, processor: Any, tokenizer: Any = None) -> PixelProcessor:
        """This processor in place of another one of the Qwen-VL family, with its image settings."""
        if isinstance(processor, cls):
            return processor
        if processor is None:
            raise ModelError("a model that sees needs a Qwen-VL processor; none was given")
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
            rows.append(self.row(parts, counts[: len(listed)]))
            counts = counts[len(listed) :]
        return Batch(**self.padded(rows, side), **seen)

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
        ids, written = self.tokens(messages, sizes, tools)
        return len(ids), sum(written)

    def tokens(
        self,
        messages: Sequence[Message],
        sizes: Sequence[tuple[int, int]],
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> tuple[list[int], list[bool]]:
        """Token ids of a conversation and which of them are learned; arguments as of `count`."""
        fits = [self.budget.shown(Size(*size)) for size in sizes]
        counts = [width * height // self._multiple**2 for width, height in fits]
        return self.row(segments(messages, tools), counts)

    def _image_tokens(self, grid: torch.Tensor | None) -> list[int]:
        if grid is None:
            return []
        return (grid.prod(-1) // self.image_processor.merge_size**2).tolist()


def register() -> None:
    """Makes `AutoProcessor.from_pretrained` find `PixelProcessor`; safe to call again."""
    for config in (Qwen3VLConfig, Qwen2_5_VLConfig):
        AutoProcessor.register(config, PixelProcessor, exist_ok=True)


register()
