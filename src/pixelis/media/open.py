"""One door for pictures and videos."""

from __future__ import annotations

from typing import Any

from pixelis.media.limits import Limits
from pixelis.media.picture import Picture, open_picture
from pixelis.media.video import Video


def open_media(source: Any, limits: Limits | None = None) -> Picture | Video:
    """The picture or video behind a path, bytes, data URL, PIL image or array."""
    return open_picture(source, limits)
