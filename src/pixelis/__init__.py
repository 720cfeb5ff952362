"""Pixelis: a vision-language agent that reasons in pixel space.

import pixelis
agent = pixelis.Agent.load("nano")
episode = agent.ask("photo.jpg", "What does the sign say?")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelis.agent import Agent, Budget, Task
    from pixelis.episode import Episode

# Imported on first use: `import pixelis` must stay cheap.
_HOMES = {
    "Agent": "pixelis.agent",
    "Budget": "pixelis.agent",
    "Task": "pixelis.agent",
    "Episode": "pixelis.episode",
}
__all__ = ["Agent", "Budget", "Episode", "Task"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pixelis' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
