"""The operations and `ask` as tools of another assistant, each with pictures of what it found."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from pixelis.agent import Agent
from pixelis.episode import Call, Observation
from pixelis.errors import MediaError
from pixelis.media import Limits, Picture, Video, open_media
from pixelis.models.dialects.dialect import count_images
from pixelis.ops.registry import Registry
from pixelis.ops.workspace import Workspace
from pixelis.server.overlay import drawn

MEDIA = {
    "type": "string",
    "description": "the picture or clip: a data URL, a file path where the server allows paths, or "
    "the media id that an earlier result gave",
}
GUIDE = (
    "Look closer at pictures and clips. Give the picture as `media` (a data URL, or a path where "
    "allowed); results carry a media id for later calls about the same picture, in which image "
    "numbers and handles such as mask_1 stay valid. Boxes and points are 0..1000 along each side "
    "of the image they are given in; image 0 is the original. `ask` lets Pixelis look by itself."
)
OPEN = 8  # pictures kept open; the one not used for longest is closed
MOST_IMAGES = 8  # of one result


@dataclass(frozen=True)
class Found:
    """What a tool gives back.

    Attributes:
        images: what it looks like, RGB.
        facts: plain JSON; boxes in source pixels.
        error: True when the call could not be done; the text says why.
    """

    text: str
    images: Sequence[Image.Image] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: bool = False


@dataclass(eq=False)
class Opened:
    """A picture with the workspace of all calls about it; one call at a time."""

    media: Picture | Video
    workspace: Workspace
    lock: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False

    def close(self) -> None:
        with self.lock:
            self.closed = True
            self.workspace.close()
            self.media.close()


class Tools:
    """Safe to use from several threads.

    Args:
        roots: folders whose files may be named by path; none means that no path is taken.
        agent: made at the first `ask`, because a model takes a while to load.
    """

    def __init__(
        self,
        registry: Registry,
        limits: Limits,
        agent: Callable[[], Agent],
        roots: Sequence[Path] = (),
    ) -> None:
        self.registry, self.limits = registry, limits
        self.roots = [root.resolve() for root in roots]
        self._make = agent
        self._agent: Agent | None = None
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str], Opened] = OrderedDict()

    def schemas(self) -> list[dict[str, Any]]:
        """Name, description and input schema of every tool."""
        told = []
        for operation in self.registry:
            function = operation.schema["function"]
            taken = function["parameters"]
            schema = {
                **taken,
                "properties": {"media": MEDIA, **taken.get("properties", {})},
                "required": ["media", *taken.get("required", ())],
            }
            told.append({**function, "parameters": schema})
        question = {"type": "string", "minLength": 1, "maxLength": 4000}
        asking = {
            "type": "object",
            "properties": {"media": MEDIA, "question": question},
            "required": ["media", "question"],
            "additionalProperties": False,
        }
        about = "Answer a question about a picture or clip by looking closer, with the steps taken."
        return [*told, {"name": "ask", "description": about, "parameters": asking}]

    def call(self, name: str, arguments: Mapping[str, Any], owner: str = "") -> Found:
        """Runs a tool; what went wrong is told in words, never raised.

        Args:
            owner: whose pictures the media ids speak of; nobody reaches those of another.
        """
        rest = dict(arguments)
        media = rest.pop("media", None)
        if not isinstance(media, str) or not media:
            return Found(f"{name}: media is missing; give a data URL, path or media id", error=True)
        try:
            id, opened = self._opened(media, owner)
        except MediaError as error:
            return Found(f"{name}: {error}", error=True)
        with opened.lock:
            if opened.closed:  # others opened many while this call waited its turn
                return Found(f"{name}: the picture was closed; send it again", error=True)
            if name == "ask":
                return self._ask(id, opened, rest)
            return self._operate(id, opened, name, rest)

    def close(self) -> None:
        with self._lock:
            opened, self._open = list(self._open.values()), OrderedDict()
            agent, self._agent = self._agent, None
        for one in opened:
            one.close()
        if agent is not None:
            agent.close()

    # media ------------------------------------------------------------------------------------
    def _opened(self, given: str, owner: str) -> tuple[str, Opened]:
        with self._lock:
            if (owner, given) in self._open:
                self._open.move_to_end((owner, given))
                return given, self._open[owner, given]
        if given[:5].lower() == "data:":
            media = open_media(given, self.limits, name="picture", isolated=True)
        else:
            media = open_media(self._allowed(given), self.limits, isolated=True)
        id = "media_" + hashlib.sha256(f"{owner}/{media.sha256}".encode()).hexdigest()[:12]
        with self._lock:
            if (owner, id) in self._open:
                media.close()
            else:
                self._open[owner, id] = Opened(media, Workspace(media))
            self._open.move_to_end((owner, id))
            oldest = self._open.popitem(last=False)[1] if len(self._open) > OPEN else None
            opened = self._open[owner, id]
        if oldest is not None:
            oldest.close()
        return id, opened

    def _allowed(self, given: str) -> Path:
        """A file below one of the roots, links followed; MediaError for every other."""
        if not self.roots:
            raise MediaError(
                "only data URLs and media ids are taken here; --root DIR also allows its files"
            )
        if "://" in given:
            raise MediaError("nothing is fetched; give the picture as a data URL or a path")
        path = Path(given)
        tries = [path] if path.is_absolute() else [root / path for root in self.roots]
        try:
            real = [each.resolve() for each in tries]
        except (OSError, ValueError, RuntimeError) as error:
            raise MediaError(f"{given[:200]!r} is not a usable path") from error
        inside = [each for each in real if any(each.is_relative_to(root) for root in self.roots)]
        if not inside:
            raise MediaError(
                f"{given[:200]!r} is outside the folders that may be read; --root DIR adds one"
            )
        return next(filter(os.path.isfile, inside), inside[0])

    # calls ------------------------------------------------------------------------------------
    def _operate(self, id: str, opened: Opened, name: str, arguments: dict[str, Any]) -> Found:
        workspace = opened.workspace
        seen = self.registry.run(Call(name, arguments), workspace)
        if seen.error is not None:
            return Found(seen.text, facts={"media": id}, error=True)
        return Found(seen.text, _pictures(workspace, seen), _facts(id, seen))

    def _ask(self, id: str, opened: Opened, arguments: dict[str, Any]) -> Found:
        question = arguments.get("question")
        if not isinstance(question, str) or not question.strip() or len(arguments) > 1:
            return Found("ask: give media and question, a text", error=True)
        agent = self._model()
        workspace = agent.workspace(opened.media)
        episode = agent.ask(opened.media, question.strip()[:4000], workspace=workspace)
        answer = episode.answer
        facts = {
            "media": id,
            "answer": answer.text if answer else None,
            "evidence": list(answer.evidence) if answer else [],
            "confidence": answer.confidence if answer else None,
            "ended": episode.ended,
            "steps": episode.to_dict()["steps"],
        }
        if answer is None:
            return Found(f"no answer: the episode ended by {episode.ended}", (), facts, True)
        rests = ", ".join(answer.evidence) or "nothing it looked at"
        images = [
            image
            for seen in episode.observations
            if seen.error is None
            for image in _pictures(workspace, seen)
        ]
        return Found(f"{answer.text}\n(rests on {rests})", images[-MOST_IMAGES:], facts)

    def _model(self) -> Agent:
        with self._lock:
            if self._agent is None:
                self._agent = self._make()
            return self._agent


def _pictures(workspace: Workspace, seen: Observation) -> list[Image.Image]:
    """The images an operation made, or the source with what it found drawn on it."""
    if seen.image is not None:
        end = seen.image + min(count_images(seen), MOST_IMAGES)
        return workspace.images[seen.image : end]
    return drawn(workspace, seen)


def _facts(id: str, seen: Observation) -> dict[str, Any]:
    return {
        "media": id,
        "handle": seen.handle,
        "image": seen.image,
        "box": None if seen.box is None else list(seen.box),
        "confidence": seen.confidence,
        "data": dict(seen.data),
    }
