"""What a dialect does: how one checkpoint family writes calls, images and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from pixelis.episode import Call, Episode, Media, Observation, Step
from pixelis.models.dialects.parse import Ending, Malformed, Tag
from pixelis.ops.convention import Convention

Messages = list[dict[str, Any]]
Role = Literal["tool", "user"]


class Heard(NamedTuple):
    """What a conversation says of one observation: its text, notice included, and its images."""

    text: str
    images: int


@dataclass(frozen=True)
class Reading:
    """One turn, understood.

    Attributes:
        text: the turn without control tokens.
        thought: what the model thought first.
        calls: in the order written; `Malformed` for one that cannot be read.
        answer: as written, None when the turn calls or says nothing.
    """

    text: str
    thought: str = ""
    calls: tuple[Call | Malformed, ...] = ()
    answer: str | None = None


class Dialect(Protocol):
    """Episode to chat messages and back.

    Attributes:
        name: as stored in `Episode.dialect`.
        convention: how calls give boxes and observations print them and name images.
        role: who brings observations.
        tags: what calls may stand in.
        ending: how the answer is written.
        reminder: what stands behind every question.
        system: the system message for a checkpoint that brings none of its own.
    """

    name: str
    convention: Convention
    system: str
    reminder: str
    role: Role
    tags: tuple[Tag, ...]
    ending: Ending

    def messages(self, episode: Episode, system: str = "") -> Messages:
        """The conversation so far; images are placeholders in the order of the episode's images."""
        ...

    def turn(self, step: Step) -> str:
        """The text of an assistant turn that takes this step."""
        ...

    def tools(self, schemas: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The operations' schemas under the names the family uses; empty to print none."""
        ...

    def read(self, text: str) -> Reading:
        """What an assistant turn says; never raises."""
        ...

    def episode(self, messages: Sequence[Any], media: Media) -> Episode:
        """The episode a conversation tells; raises DataError when it is not one."""
        ...


def count_images(seen: Observation) -> int:
    """How many images an observation brought (`data["images"]` lists them when several)."""
    listed = seen.data.get("images")
    if isinstance(listed, Sequence) and not isinstance(listed, str):
        return len(listed)
    return 0 if seen.image is None else 1
