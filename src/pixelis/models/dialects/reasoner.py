"""The dialect `pixel-reasoner`: images and frames counted from 1, the answer in `\\boxed{}`.

A turn is free thought and then `<tool_call>`s of `crop_image_normalized` and `select_frames`, or a
last `\\boxed{...}`. Boxes are 0..1 of the target image, or its pixels when a value is above 1;
exactly 1.0 is the edge. A crop shows a tenth of the image more on every side, as in its training.

Source: Pixel-Reasoner (`experience_maker.py`), verl-tool (`pixel_reasoner.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pixelis.models.dialects.chat import Alias, Argument, Chat
from pixelis.models.dialects.dialect import Heard
from pixelis.models.dialects.system import TASK, sentences
from pixelis.models.template import IMAGE
from pixelis.ops.convention import Convention

CROPPED, SELECTED = "Here is the cropped image.", "Here are the selected frames."
BEFORE = re.compile(f"(?:{re.escape(CROPPED)}|{re.escape(SELECTED)})\n")
COUNTED = {
    "image": Argument("target_image", 1),
    "start_frame": Argument("start_frame", 1),
    "end_frame": Argument("end_frame", 1),
}
FRAMES = {
    "frames": Argument("target_frames", 1),
    "start": Argument("start", 1),
    "from": Argument("from", 1),
    "end": Argument("end", 1),
    "to": Argument("to", 1),
}
ZOOM = Alias("zoom_in", COUNTED)


class PixelReasoner(Chat):
    """Pixel-Reasoner-7B. See the module for the format."""

    name = "pixel-reasoner"
    convention = Convention("either", margin=0.1, original="image 1", first_image=1, first_frame=1)
    system = sentences(
        TASK,
        "Boxes and points are given from 0 to 1 of the width and height of the target image; "
        "images and frames are counted from 1, and image 1 is the original.",
    )
    reminder = "\nReason step by step, look where you need to, and end with \\boxed{answer}."
    role = "user"
    ending = "boxed"
    thinks = False
    aliases: Mapping[str, Alias] = {
        "crop_image_normalized": ZOOM,
        "zoom_in": ZOOM,
        "crop_image": ZOOM,
        "select_frames": Alias("select_frames", FRAMES),
    }
    everywhere = COUNTED

    def observation(self, text: str, images: range, action: int) -> str:
        """A sentence for the images, what the operation tells, and the images."""
        if not images:
            return text
        return f"{CROPPED if len(images) == 1 else SELECTED}\n{text}\n{IMAGE * len(images)}"

    def heard(self, told: str) -> list[Heard]:
        """What the operation told, without the sentence for the images."""
        count = told.count(IMAGE)
        if not count:
            return [Heard(told, 0)]
        begin = BEFORE.match(told)
        text = told[begin.end() if begin else 0 :].replace(IMAGE, "")
        return [Heard(text.removesuffix("\n"), count)]
