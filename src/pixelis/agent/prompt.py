"""What stands in the prompt besides question and images: the schemas of the operations."""

from __future__ import annotations

from typing import Any

from pixelis.models.dialects import Dialect
from pixelis.models.policy import Profile
from pixelis.ops.registry import Registry


def schemas(
    profile: Profile, dialect: Dialect, registry: Registry, video: bool
) -> list[dict[str, Any]] | None:
    """Schemas of the operations that make sense for the media, None when the profile prints none.

    Training and serving both ask here, so that a model sees the same tools in both.
    """
    if not profile.tools_in_prompt:
        return None
    known = [one.schema for one in registry if video or not one.video_only]
    return dialect.tools(known) or None
