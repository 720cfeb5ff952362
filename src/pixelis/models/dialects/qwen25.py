"""The dialect `qwen2.5-vl`: the shell of `qwen3-vl`, boxes in pixels of the image as it is shown.

The pixels are those after the resize (sides are multiples of 28), not those of the file. The
checkpoint's own chat template knows no tools; `pixelis.models.template` writes them as its
text-only sister Qwen2.5 does. A conversation always has a system turn, as its template would add.
"""

from __future__ import annotations

from pixelis.episode import Episode
from pixelis.models.dialects.dialect import Messages
from pixelis.models.dialects.qwen3 import Qwen3
from pixelis.models.dialects.system import (
    GROUNDED,
    PIXELS,
    TASK,
    THINK_FIRST,
    UNKNOWN,
    sentences,
)
from pixelis.models.template import HELPFUL
from pixelis.ops.convention import Convention


class Qwen25(Qwen3):
    """Qwen2.5-VL, prompted to call tools."""

    name = "qwen2.5-vl"
    convention = Convention("shown")
    system = sentences(TASK, PIXELS, THINK_FIRST, GROUNDED, UNKNOWN)

    def messages(self, episode: Episode, system: str = "") -> Messages:
        """As `Chat.messages`, with the family's own system message when none is given."""
        return super().messages(episode, system or HELPFUL)
