"""The dialect `mini-o3`: `<grounding>` on the original image or an earlier observation.

A turn is `<think>...</think>` and then
`<grounding>{"bbox_2d": [...], "source": "original_image"}</grounding>` or `<answer>...</answer>`.
Boxes are 0..1 of the source image, `observation_i` is the i-th crop. A crop comes in a user turn in
the very words of the training data, with their doubled `the`.

Source: Mini-o3 (`verl/trainer/constants.py`, `function_tools.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pixelis.episode import Call
from pixelis.models.dialects.chat import Chat
from pixelis.models.dialects.dialect import Heard
from pixelis.models.dialects.parse import TOOL_CALL, Malformed, Named, Tag
from pixelis.models.dialects.system import TAGGED, THINK_FIRST, sentences
from pixelis.models.template import IMAGE
from pixelis.ops.convention import Convention

ORIGINAL, LATER = "original_image", "observation_{}"
EXAMPLE = '{"bbox_2d": [x1, y1, x2, y2], "source": "original_image"}'
SOURCE = re.compile(r"observation_(\d{1,4})")
CONTINUE = (
    "Continue your reasoning process inside <think> and </think>. If needed, you can continue to "
    "zoom in on the original image or any of the observations, by outputting <grounding> and "
    "</grounding> as before. If the final answer is confirmed, put your final answer inside "
    "<answer> and </answer>."
)
CROP = "here is the the zoom-in image (Observation {}):\n" + IMAGE + ".\n"
BEFORE = re.compile(
    r"After the above Action \d+(?:(?:, here is the the zoom-in image \(Observation \d+\):\n"
    + re.escape(IMAGE)
    + r"\.\n)+|:\n)"
)


def grounded(value: Any) -> Named | Malformed:
    """The zoom that a `<grounding>` asks for."""
    if not isinstance(value, dict) or "bbox_2d" not in value:
        return Malformed(f'the grounding has no "bbox_2d"; write {EXAMPLE}')
    arguments = {key: part for key, part in value.items() if key != "source"}
    source = value.get("source", ORIGINAL)
    if source != ORIGINAL:
        number = SOURCE.fullmatch(source) if isinstance(source, str) else None
        if number is None:
            shown = json.dumps(source)[:60]
            return Malformed(f"source {shown} is not known; give {ORIGINAL} or observation_1, ...")
        arguments["image"] = int(number[1])
    return Named("zoom_in", arguments)


GROUNDING = Tag("<grounding>", "</grounding>", EXAMPLE, grounded)


class MiniO3(Chat):
    """Mini-o3-7B. It knows one operation; others are read, and written, as `<tool_call>`."""

    name = "mini-o3"
    convention = Convention("unit", aspect=200, original=ORIGINAL, later=LATER)
    system = sentences(
        "You answer questions about a picture.",
        THINK_FIRST,
        f"Whatever you cannot see clearly, zoom into with <grounding>{EXAMPLE}</grounding>: the "
        "corners of a part of the source, whose width and height count as 1.0; the source is "
        "original_image or observation_i, the i-th image you were shown since.",
        TAGGED,
    )
    role = "user"
    tags = (GROUNDING, TOOL_CALL)
    ending = "tagged"

    def call(self, call: Call) -> str:
        """A zoom as `<grounding>`; `observation_0` is the original named by its number."""
        image = call.arguments.get("image")
        named = isinstance(image, int) and not isinstance(image, bool) and 0 <= image < 10_000
        zoom = call.op == "zoom_in" and "bbox_2d" in call.arguments
        if not zoom or "source" in call.arguments or not (named or "image" not in call.arguments):
            return super().call(call)
        told = {key: value for key, value in call.arguments.items() if key != "image"}
        told["source"] = LATER.format(image) if named else ORIGINAL
        return f"<grounding>{json.dumps(told, ensure_ascii=False)}</grounding>"

    def tools(self, schemas: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """None: the one tool is described in the system message."""
        return []

    def observation(self, text: str, images: range, action: int) -> str:
        """The sentence of the training data around the image, then what the operation tells."""
        crops = "".join(", " + CROP.format(number) for number in images) or ":\n"
        return f"After the above Action {action}{crops}{text}\n{CONTINUE}"

    def heard(self, told: str) -> list[Heard]:
        """What the operation told, without the sentences around it."""
        begin = BEFORE.match(told)
        text = told[begin.end() if begin else 0 :].removesuffix(f"\n{CONTINUE}")
        return [Heard(text.replace(IMAGE, ""), told.count(IMAGE))]
