"""The dialects `deepeyes-v2`, `thyme` and `pyvision`: checkpoints that write python.

Python is not run here. A turn with `<code>` is told so and what it can call instead, as
`<tool_call>`; `<think>` and `<answer>` are read as in `deepeyes`.
"""

from __future__ import annotations

from pixelis.models.dialects.deepeyes import DeepEyes
from pixelis.models.dialects.parse import SHAPE, TOOL_CALL, Malformed, Named, Tag
from pixelis.models.dialects.system import PIXELS, TASK, THINK_FIRST, sentences

REFUSAL = (
    "python in <code> is not run, because code that a model writes could do anything to the "
    f"machine it runs on; call an operation as <tool_call>{SHAPE}</tool_call> or answer in "
    "<answer></answer>"
)


def refused(value: object) -> Named | Malformed:
    """The body of `<code>` is not looked at."""
    return Malformed(REFUSAL)


CODE = Tag("<code>", "</code>", SHAPE, refused, REFUSAL)


class Code(DeepEyes):
    """A family that looks by writing python, without its python.

    Args:
        name: of the dialect.
    """

    system = sentences(TASK, PIXELS, THINK_FIRST, "Python is not run; call tools instead.")
    tags = (CODE, TOOL_CALL)

    def __init__(self, name: str) -> None:
        self.name = name
