"""One door for pictures and videos; the content decides which it is, not the name."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from pixelis.media.limits import Limits
from pixelis.media.picture import Picture, open_picture
from pixelis.media.sniff import PICTURES, VIDEOS, describe, sniff
from pixelis.media.source import find_source, refusal
from pixelis.media.video import Video, open_video


def open_media(
    source: Any,
    limits: Limits | None = None,
    *,
    name: str | None = None,
    isolated: bool = False,
) -> Picture | Video:
    """The picture or video behind a path, bytes, data URL, PIL image or array.

    Args:
        source: as for `open_picture`; an opened Picture or Video is given back as it is.
        limits: caps checked before decoding.
        name: what to call a source that has no file name.
        isolated: decode videos in a worker process that is killed when it hangs or crashes; for
            files that are not trusted. An animated GIF, PNG or WebP is the picture of its first
            frame.

    Raises:
        MediaError: one line with the source's name, the reason and what is allowed.
    """
    if isinstance(source, (Picture, Video)):
        return source
    if isinstance(source, (Image.Image, np.ndarray)):
        return open_picture(source, limits, name=name)
    limits = limits or Limits()
    found = find_source(source, limits, name)
    head = found.head()
    kind = sniff(head)
    if kind is None:
        allowed = f"pictures {PICTURES}; videos {VIDEOS}"
        raise refusal(found.label, f"its content is {describe(head)}", allowed)
    if kind.media == "picture":
        return open_picture(found, limits, name=name)
    return open_video(found, limits, name=name, isolated=isolated)
