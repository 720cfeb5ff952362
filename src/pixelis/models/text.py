"""Text models as policies: they see no image, only what operations tell in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub.errors import StrictDataclassError
from PIL import Image
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from pixelis.errors import ModelError, reason_of
from pixelis.models.dialects import get_dialect
from pixelis.models.dialects.pick import DEFAULT
from pixelis.models.dialects.system import BLIND, sentences
from pixelis.models.policy import Profile
from pixelis.models.rows import Batch, Rows
from pixelis.models.template import END, Message, count_images, segments
from pixelis.ops.workspace import PixelBudget

# Nothing is fetched, and no code that lies beside the weights is run, nor asked about.
OURS_ALONE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


class TextBatch(Batch):
    """A batch for a model that knows no kinds of tokens."""

    def inputs(self) -> dict[str, torch.Tensor]:
        """Keyword arguments of the model's `forward` and `generate`."""
        return {"input_ids": self.input_ids, "attention_mask": self.attention_mask}


class TextProcessor(Rows):
    """What `PixelProcessor` is for models that see, without the images.

    Args:
        tokenizer: of a model in the chat format of the Qwen family.
    """

    image_token_id = -1
    budget = PixelBudget()  # images are still cut and counted, though no model looks at them

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self._tokenised: dict[str, list[int]] = {}

    @classmethod
    def load(cls, folder: Path) -> TextProcessor:
        """The processor of a local checkpoint; ModelError when the folder lacks a tokenizer."""
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, **OURS_ALONE)
        except (OSError, ValueError, StrictDataclassError) as error:
            reason = reason_of(error)
            raise ModelError(f"{folder} has no usable tokenizer: {reason}") from error
        if END not in tokenizer.get_vocab():  # without its files the library makes an empty one
            raise ModelError(
                f"{folder} has no usable tokenizer: it lacks {END}; give one of the Qwen family"
            )
        return cls(tokenizer)

    def set_budget(self, budget: PixelBudget) -> None:
        """Any will do."""

    def encode(
        self,
        conversations: Sequence[Sequence[Message]],
        images: Sequence[Sequence[Image.Image]],
        *,
        tools: Sequence[Sequence[Mapping[str, Any]] | None] | None = None,
        prompt: bool = False,
        side: Literal["left", "right"] = "right",
    ) -> Batch:
        """As `PixelProcessor.encode`, with every image left out.

        Raises ModelError when images and placeholders of a conversation differ in number, as for a
        model that sees.
        """
        tools = tools or [None] * len(conversations)
        rows = []
        for messages, listed, schemas in zip(conversations, images, tools, strict=True):
            if count_images(messages) != len(listed):
                raise ModelError(
                    f"conversation has {count_images(messages)} image placeholders and "
                    f"{len(listed)} images; they must be equal in number"
                )
            rows.append(self.row(segments([*map(unseen, messages)], schemas, prompt), ()))
        return TextBatch(**self.padded(rows, side))


def unseen(message: Message) -> Message:
    """The message without its images."""
    content = message["content"]
    if content is None or isinstance(content, str):
        return message
    return {**message, "content": [part for part in content if part["type"] != "image"]}


def sees(config: Any) -> bool:
    """Whether a model of this configuration looks at images."""
    return getattr(config, "vision_config", None) is not None


def text_profile(name: str) -> Profile:
    """A profile for a text model that has none beside its weights."""
    dialect = get_dialect(DEFAULT)
    return Profile(name, dialect.name, sentences(dialect.system, BLIND), tools_in_prompt=True)
