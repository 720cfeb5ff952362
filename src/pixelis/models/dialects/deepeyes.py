"""The dialects `deepeyes` and `chain-of-focus`: zooming into the first image, answers in tags.

A turn is `<think>...</think>` and then one or several `<tool_call>`s of `image_zoom_in_tool`, or
`<answer>...</answer>`. Boxes are pixels of the first image as it is shown. What calls brought comes
in one user turn, for each `<tool_response>{images}{text}</tool_response>`.

Sources: DeepEyes (`visual_toolbox_v5.py`), Chain-of-Focus, which enlarges a box 1.5 times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pixelis.models.dialects.chat import Alias, Chat
from pixelis.models.dialects.dialect import Heard
from pixelis.models.dialects.qwen3 import INDEX
from pixelis.models.dialects.system import PIXELS, TAGGED, TASK, THINK_FIRST, sentences
from pixelis.models.template import IMAGE
from pixelis.ops.convention import Convention

RESPONSE = re.compile(r"<tool_response>(.*?)(?:</tool_response>|\Z)", re.DOTALL)


class DeepEyes(Chat):
    """DeepEyes-7B. A box without an image lies in the first one."""

    name = "deepeyes"
    convention = Convention("shown", aspect=100)
    system = sentences(TASK, PIXELS, "A call that names no image means image 0.")
    reminder = f"\n{THINK_FIRST} Then call tools as <tool_call></tool_call>, or answer. {TAGGED}"
    role = "user"
    together = True
    ending = "tagged"
    aliases: Mapping[str, Alias] = {
        # `bbox` is what the schema the checkpoint was trained with asks for by mistake.
        "image_zoom_in_tool": Alias("zoom_in", also={"bbox": "bbox_2d", **INDEX}),
    }
    also = INDEX

    def observation(self, text: str, images: range, action: int) -> str:
        """Images first, in the tags."""
        return f"<tool_response>{IMAGE * len(images)}{text}</tool_response>"

    def heard(self, told: str) -> list[Heard]:
        """One for each pair of tags; what stands outside them is left out."""
        bodies = RESPONSE.findall(told) or [told]
        return [Heard(body.replace(IMAGE, ""), body.count(IMAGE)) for body in bodies]


class ChainOfFocus(DeepEyes):
    """Chain-of-Focus-7B: crops show half as much again of the box's surroundings."""

    name = "chain-of-focus"
    convention = Convention("shown", aspect=100, enlarge=1.5)
