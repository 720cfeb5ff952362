"""The default dialect `qwen3-vl`, which nano speaks.

A turn is `<think>{thought}</think>\\n` (left out when there is no thought), then calls as
`<tool_call>\\n{"name": ..., "arguments": {...}}\\n</tool_call>`, or the answer as free text.
Coordinates are 0..1000 of the named image; images are counted from 0 over the whole dialogue.
"""

from __future__ import annotations

from collections.abc import Mapping

from pixelis.models.dialects.chat import Alias, Chat
from pixelis.models.dialects.system import (
    GROUNDED,
    RELATIVE,
    TASK,
    THINK_FIRST,
    UNKNOWN,
    sentences,
)

INDEX = {"img_idx": "image"}  # as the family's cookbook calls it, whatever the operation


class Qwen3(Chat):
    """Qwen3-VL's way of calling tools. See the module for the format."""

    name = "qwen3-vl"
    system = sentences(TASK, RELATIVE, THINK_FIRST, GROUNDED, UNKNOWN)
    # Our own name is written; the family's cookbook name is read as well.
    aliases: Mapping[str, Alias] = {
        "zoom_in": Alias("zoom_in", also=INDEX),
        "image_zoom_in_tool": Alias("zoom_in", also=INDEX),
    }
    also = INDEX
