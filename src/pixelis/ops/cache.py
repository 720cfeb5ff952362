"""Observations remembered: operations are pure, so the same call on the same media in the same
state need not be run twice.

A group of rollouts about one picture asks much the same again and again, and reading text takes
most of its time. What a call can depend on is its key: the media, how the workspace speaks, the
call, how many images and handles there are (their names stand in the text), what the images show
and, for handles it names, what they hold.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import astuple, dataclass, replace
from threading import Lock
from typing import Any

from PIL import Image

from pixelis.episode import Call, Observation
from pixelis.geometry import View
from pixelis.ops.registry import Operation, Registry
from pixelis.ops.workspace import Handle, Workspace


@dataclass(frozen=True)
class Effect:
    """What a call gave and what it changed: images and views added, handles made or changed."""

    seen: Observation
    images: tuple[Image.Image, ...]
    views: tuple[View, ...]
    handles: tuple[Handle, ...]


class Cache(Registry):
    """A registry that remembers the last `size` observations of another one; safe for threads.

    Media without a hash and workspaces with engines of their own are always run. Errors are not
    remembered: one of them may have been a matter of time.

    Attributes:
        hits, misses: calls answered from memory and calls run.
    """

    def __init__(self, inner: Registry, size: int = 4096) -> None:
        super().__init__()
        self.inner = inner
        self.size = size
        self.hits = self.misses = 0
        self._known: OrderedDict[str, Effect] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str) -> Operation:
        return self.inner.get(name)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.inner)

    def run(self, call: Call, workspace: Workspace) -> Observation:
        key = state_key(call, workspace)
        if key is None:
            return self.inner.run(call, workspace)
        with self._lock:
            effect = self._known.get(key)
            self.hits += effect is not None
            self.misses += effect is None
            if effect is not None:
                self._known.move_to_end(key)
        if effect is not None:
            return _apply(effect, workspace)
        return self._run(call, workspace, key)

    def _run(self, call: Call, workspace: Workspace, key: str) -> Observation:
        images = len(workspace.images)
        before = {name: deepcopy(handle.data) for name, handle in workspace.handles.items()}
        seen = self.inner.run(call, workspace)
        if seen.error is None:
            changed = [h for h in workspace.handles.values() if before.get(h.name) != h.data]
            effect = Effect(
                replace(seen, data=deepcopy(seen.data)),
                tuple(workspace.images[images:]),
                tuple(workspace.views[images:]),
                tuple(map(_copied, changed)),
            )
            with self._lock:
                self._known[key] = effect
                if len(self._known) > self.size:
                    self._known.popitem(last=False)
        return seen


def state_key(call: Call, workspace: Workspace) -> str | None:
    """Equal for calls that give the same; None where that cannot be told."""
    if not workspace.media.sha256 or workspace.engines:
        return None
    named = [
        _held(workspace.handles[value])
        for value in call.arguments.values()
        if isinstance(value, str) and value in workspace.handles
    ]
    told: list[Any] = [
        workspace.media.sha256,
        list(workspace.media.size),
        astuple(workspace.budget),
        astuple(workspace.convention),
        workspace.text_limit,
        call.key(),
        [[list(view.box), list(view.size), view.frame] for view in workspace.views],
        sorted(workspace.mark().counts.items()),
        named,
    ]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def _held(handle: Handle) -> list[Any]:
    mask = b"" if handle.mask is None else handle.mask.tobytes()
    return [handle.name, handle.data, handle.box, handle.frame, hashlib.sha256(mask).hexdigest()]


def _copied(handle: Handle) -> Handle:
    return Handle(handle.name, deepcopy(handle.data), handle.box, handle.frame, handle.mask)


def _apply(effect: Effect, workspace: Workspace) -> Observation:
    """Does to the workspace what running the call would have done."""
    for image, view in zip(effect.images, effect.views, strict=True):
        workspace.add_image(image, view)
    seen = replace(effect.seen, data=deepcopy(effect.seen.data))
    for remembered in effect.handles:
        handle = _copied(remembered)
        if handle.name == seen.handle and handle.data == seen.data:
            handle.data = seen.data  # type: ignore[assignment]  # one dict, as operations leave it
        workspace.take_handle(handle)
    return seen
