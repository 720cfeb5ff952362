"""The one way from an episode to what a model is trained on, for every model with a profile.

The tokens are those that serving sends: messages by the profile's dialect, schemas where it prints
them, images at its budget, each turn tokenised by itself. Learned is only what the model wrote;
turns that are wrong on purpose (`Episode.slips`) are read and not imitated.

Rows can be padded to one length, or packed: several episodes in one row behind one another, each
with positions of its own that start at 0, so that none sees its neighbours. A packed row carries
no attention mask; transformers tells its episodes apart by the text positions that stand first
in `position_ids` (shape 4, 1, length), and FlashAttention takes their lengths from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from PIL import Image

from pixelis.agent.prompt import schemas
from pixelis.episode import Episode
from pixelis.errors import DataError
from pixelis.models.dialects import get_dialect
from pixelis.models.dialects.dialect import Messages
from pixelis.models.policy import Profile
from pixelis.models.processor import Batch, PixelProcessor
from pixelis.models.template import count_images
from pixelis.ops.registry import REGISTRY, Registry

Positions = Callable[..., tuple[torch.Tensor, torch.Tensor]]
"""`get_rope_index` of a Qwen-VL model: token ids, kinds and grids to positions (3, 1, length)."""


class Conversation(Protocol):
    """What is collated; an agent's `Rollout` is one as well."""

    @property
    def messages(self) -> Messages: ...

    @property
    def images(self) -> Sequence[Image.Image]: ...

    @property
    def tools(self) -> list[dict[str, Any]] | None: ...


class Talk(NamedTuple):
    """An episode as a conversation; see `Conversation`."""

    messages: Messages
    images: Sequence[Image.Image]
    tools: list[dict[str, Any]] | None


class Length(NamedTuple):
    """Tokens of an episode, and how many of them are learned."""

    tokens: int
    learned: int


class Collator:
    """Episodes to model inputs.

    Args:
        processor: of the model.
        profile: how the model is spoken to; the same one that serves it.
        room: most tokens of one episode.
        positions: needed for packing only.
        registry: the operations whose schemas are shown.
    """

    def __init__(
        self,
        processor: PixelProcessor,
        profile: Profile,
        room: int,
        positions: Positions | None = None,
        registry: Registry = REGISTRY,
    ) -> None:
        self.processor = processor
        self.profile = profile
        self.room = room
        self.positions = positions
        self.registry = registry
        self.dialect = get_dialect(profile.dialect)
        processor.set_budget(profile.budget)

    def talk(self, episode: Episode, images: Sequence[Image.Image]) -> Talk:
        """The conversation of an episode told in this profile's dialect.

        Raises DataError when it is told in another one.
        """
        if episode.dialect != self.dialect.name:
            raise DataError(
                f"episode {episode.id} is told in {episode.dialect} and this model speaks "
                f"{self.dialect.name}; retell it"
            )
        messages = self.dialect.messages(episode, self.profile.system)
        video = episode.media.kind == "video"
        tools = schemas(self.profile, self.dialect, self.registry, video)
        return Talk(messages, images, tools)

    def length(self, episode: Episode, sizes: Sequence[tuple[int, int]]) -> Length:
        """Tokens of an episode with images of these sizes; its pixels are not looked at."""
        told = self.talk(episode, ())
        return Length(*self.processor.count(told.messages, sizes, told.tools))

    def padded(self, talks: Sequence[Conversation]) -> dict[str, torch.Tensor]:
        """One row for each conversation, filled up on the right; see `Batch.inputs`.

        `labels` are the ids where something is learned and -100 elsewhere, not shifted.
        """
        batch = self._encode(talks)
        return {**batch.inputs(), "labels": batch.labels()}

    def packed(self, talks: Sequence[Conversation]) -> dict[str, torch.Tensor]:
        """One row with all conversations behind one another; see the module."""
        if self.positions is None:
            raise ValueError("packing needs the model's get_rope_index; give positions")
        rows = [self.padded([talk]) for talk in talks]
        packed = {
            name: torch.cat([row[name] for row in rows], dim=1)
            for name in ("input_ids", "mm_token_type_ids", "labels")
        }
        packed["position_ids"] = torch.cat([self._places(row) for row in rows], dim=2)
        for name in ("pixel_values", "image_grid_thw"):
            parts = [row[name] for row in rows if name in row]
            packed |= {name: torch.cat(parts)} if parts else {}
        return packed

    def _places(self, row: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Positions of one episode, shape (4, 1, length): in the text, then in time, y and x."""
        assert self.positions is not None
        ids = row["input_ids"]
        grids = row.get("image_grid_thw")
        seen, _ = self.positions(ids, row["mm_token_type_ids"], image_grid_thw=grids)
        text = torch.arange(ids.shape[1]).expand(1, 1, -1)
        return torch.cat([text, seen.to(text.dtype)])

    def _encode(self, talks: Sequence[Conversation]) -> Batch:
        for talk in talks:
            if (told := count_images(talk.messages)) != len(talk.images):
                raise DataError(f"an episode speaks of {told} images, {len(talk.images)} came")
        batch = self.processor.encode(
            [talk.messages for talk in talks],
            [talk.images for talk in talks],
            tools=[talk.tools for talk in talks],
        )
        longest = int(batch.attention_mask.sum(1).max())
        if longest > self.room:
            raise DataError(too_long("an episode", longest, self.room))
        assert not bool(batch.written[:, 0].any()), "nothing comes before the first token"
        return batch


def too_long(name: str, tokens: int, room: int) -> str:
    """The line for an episode that does not fit."""
    return (
        f"{name} has {tokens} tokens and there is room for {room}; raise --room up to the model's "
        "context, lower --max-pixels, or leave it out with --skip-long"
    )
