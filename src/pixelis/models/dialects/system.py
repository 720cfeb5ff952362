"""System messages for checkpoints that bring none of their own, put together from sentences."""

from __future__ import annotations

TASK = (
    "You answer questions about a picture or video. Look before you answer: call one tool at a "
    "time to zoom, segment, measure, read or track, and look at what comes back."
)
RELATIVE = (
    "Boxes and points are given as numbers from 0 to 1000 relative to the width and height of the "
    "named image; images are counted from 0."
)
PIXELS = (
    "Boxes and points are given in pixels of the named image, as you see it; images are counted "
    "from 0."
)
THINK_FIRST = "Write your reasoning in <think></think> first."
GROUNDED = (
    "The final answer is short. It may refer to what a tool found as {text_1} or {mask_1.color} "
    "and end with the findings it rests on, such as [crop_1]."
)
UNKNOWN = 'If the picture does not show it, start with "I can\'t see that".'
BLIND = (
    "You are shown no images yourself: what the tools tell you in words is all there is to go by."
)
TAGGED = "Put the final answer, a short one, into <answer></answer>."


def sentences(*told: str) -> str:
    """The sentences as one paragraph."""
    return " ".join(told)
