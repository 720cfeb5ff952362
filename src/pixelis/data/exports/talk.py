"""What every export needs of an episode: its messages, its images in order, the tools, gold."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from pixelis.agent.replay import replay, restore
from pixelis.answers.types import CANNOT
from pixelis.data.episodes import UNKNOWN, Sample
from pixelis.errors import DataError
from pixelis.media import Video
from pixelis.models.dialects import get_dialect
from pixelis.models.template import TOOLS_AFTER, TOOLS_BEFORE, count_images
from pixelis.ops import REGISTRY

PLACE = "<image>"
PLACEHOLDER = re.compile(r"<(image|video|audio)>", re.IGNORECASE)
LARGE_PX = 1_000_000  # larger pictures are written as JPEG


class Talk(NamedTuple):
    """One episode as a conversation.

    Attributes:
        messages: `role` and `content`, a list of {"type": "text", "text"} and {"type": "image"};
            the first is the system's. Observations have the role the episode's dialect gives.
        images: RGB, one for each image part, in order.
        tools: schemas of the operations, in the OpenAI shape.
    """

    messages: list[dict[str, Any]]
    images: list[Image.Image]
    tools: list[dict[str, Any]]


def talk_of(sample: Sample) -> Talk:
    """The episode as a conversation.

    Images are cut from the source again by running the calls, at the operations' own resolution;
    where the source is gone they are those the record holds. Raises DataError when the images are
    not as many as the messages speak of.
    """
    dialect = get_dialect(sample.episode.dialect)
    told = [_plain(message) for message in dialect.messages(sample.episode, dialect.system)]
    images = images_of(sample)
    if count_images(told) != len(images):
        shown = count_images(told)
        where = f"{sample.row.where}: images"
        raise DataError(f"{where}: came {len(images)}; the episode shows {shown}")
    return Talk(told, images, dialect.tools(REGISTRY.schemas()))


def opening_of(sample: Sample) -> Talk:
    """The system message and the question with its picture: what a rollout starts from."""
    dialect = get_dialect(sample.episode.dialect)
    told = [_plain(message) for message in dialect.messages(sample.episode, dialect.system)[:2]]
    with sample.open() as media:
        first = media.frame(0) if isinstance(media, Video) else media.image
    return Talk(told, [first.convert("RGB")], dialect.tools(REGISTRY.schemas()))


def images_of(sample: Sample) -> list[Image.Image]:
    """What the model was shown; MediaError when neither source nor images are there."""
    stored = None if sample.has_source() else sample.stored_images()
    if stored is not None:
        return stored
    with sample.open_source() as media, restore(sample.episode, media) as workspace:
        replay(sample.episode, media, workspace=workspace)
        return [image.convert("RGB") for image in workspace.images]


def system_with_tools(talk: Talk) -> str:
    """The system message with the schemas printed below it, as Qwen's template prints them."""
    system = "".join(part.get("text", "") for part in talk.messages[0]["content"])
    listed = "".join("\n" + json.dumps(tool, ensure_ascii=False) for tool in talk.tools)
    return f"{system}\n\n{TOOLS_BEFORE}{listed}{TOOLS_AFTER}"


def flat(message: dict[str, Any], place: str = PLACE) -> str:
    """The content as one text with `<image>` for each image; such marks in texts are defused."""
    return "".join(
        place if part["type"] == "image" else defused(part["text"]) for part in message["content"]
    )


def defused(text: str) -> str:
    """A text in which no trainer finds a placeholder: `<image>` becomes `(image)`."""
    return PLACEHOLDER.sub(r"(\1)", text)


def gold_of(sample: Sample) -> str | list[str]:
    """The right answer; a list when several count; the refusal when nobody can know."""
    if not sample.gold:
        return CANNOT
    return sample.gold[0] if len(sample.gold) == 1 else list(sample.gold)


def facts_of(sample: Sample, index: int) -> dict[str, Any]:
    """What a reward or a sampler wants to know beside the conversation."""
    value = sample.row.value
    return {
        "index": index,
        "id": sample.id,
        "split": sample.split,
        "family": sample.family,
        "kind": sample.kind,
        "question": sample.episode.question,
        "answer_type": sample.answer_type if sample.gold else UNKNOWN,
        "choices": list(sample.choices),
        "difficulty": float(value.get("difficulty") or 0.0),
        "weight": float(value.get("weight") or 1.0),
        "licence": str(sample.provenance.get("licence") or ""),
    }


@dataclass
class Shelf:
    """Pictures written once each below `folder/images`, named by their hash."""

    folder: Path

    def put(self, image: Image.Image) -> str:
        """The picture's path relative to the folder."""
        data, ending = encoded(image)
        name = f"images/{hashlib.sha256(data).hexdigest()[:20]}{ending}"
        path = self.folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return name


def encoded(image: Image.Image) -> tuple[bytes, str]:
    """PNG bytes, or JPEG of a large picture, with the ending of such a file."""
    buffer = io.BytesIO()
    if image.width * image.height > LARGE_PX:
        image.save(buffer, "JPEG", quality=95)
        return buffer.getvalue(), ".jpg"
    image.save(buffer, "PNG")
    return buffer.getvalue(), ".png"


def first_of_each(samples: Sequence[Sample]) -> Iterator[Sample]:
    """One sample of each question about a picture: what reinforcement learning starts from."""
    seen: set[tuple[str, str]] = set()
    for sample in samples:
        key = (sample.episode.media.sha256 or sample.id, sample.episode.question)
        if key not in seen:
            seen.add(key)
            yield sample


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    return {"role": message["role"], "content": parts}
