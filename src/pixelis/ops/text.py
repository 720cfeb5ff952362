"""The operation `read_text`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from pixelis.episode import Observation
from pixelis.ops.arguments import Arguments, BoxArgument
from pixelis.ops.ocr import Line, shared_reader
from pixelis.ops.registry import operation
from pixelis.ops.workspace import Workspace

SMALLEST_SIDE = 8  # px; narrower boxes are grown, they cannot hold a letter


class ReadText(Arguments):
    bbox_2d: BoxArgument | None = Field(
        None, description="Part to read: [x1, y1, x2, y2]; the whole image when left out."
    )
    image: int = Field(0, ge=0, description="Index of the image the box refers to.")


@operation(ReadText)
def read_text(workspace: Workspace, arguments: ReadText) -> Observation:
    """Reads the text in a box, or in the whole image, line by line in reading order.

    Pixels come from the source at full resolution, also for a box on a crop. The handle `text_n`
    has the fields `text` (all lines), `lines` (text, box in source px, confidence in [0, 1]) and
    `line_1`, `line_2`, ... Finding nothing is no error.
    """
    if arguments.bbox_2d is None:
        box = workspace.view(arguments.image).box
    else:
        box = workspace.resolve_box(arguments.bbox_2d, arguments.image)
    box = box.grow_to(SMALLEST_SIDE, workspace.media.size)
    corner = box.rounded()
    pixels = np.asarray(workspace.source(arguments.image).crop(corner).convert("RGB"))
    lines = shared_reader().read(pixels, check=workspace.check_time)
    if not lines:
        return Observation(text="no text found", box=box, data={"text": "", "lines": []})
    lines = [line.moved(corner[0], corner[1]) for line in lines]
    frame = workspace.view(arguments.image).frame
    handle = workspace.add_handle("text", fields(lines), box, frame)
    return Observation(
        text=f"{handle.name} ({_count(lines)}): {quote(handle.data['text'], workspace.text_limit)}",
        box=box,
        handle=handle.name,
        confidence=confidence(lines),
        data=handle.data,
    )


def fields(lines: Sequence[Line]) -> dict[str, Any]:
    """What `{text_1...}` can refer to, as plain JSON values."""
    listed = [
        {
            "text": line.text,
            "box": list(line.box.rounded()),
            "confidence": round(line.confidence, 3),
        }
        for line in lines
    ]
    numbered = {f"line_{number}": line.text for number, line in enumerate(lines, start=1)}
    return {"text": "\n".join(line.text for line in lines), "lines": listed, **numbered}


def confidence(lines: Sequence[Line]) -> float:
    """Mean confidence, each line weighted by its number of characters."""
    total = sum(len(line.text) for line in lines)
    return round(sum(line.confidence * len(line.text) for line in lines) / total, 4)


def quote(text: str, limit: int) -> str:
    """The text in quotation marks, cut after `limit` characters with `...` in their place."""
    return f'"{text}"' if len(text) <= limit else f'"{text[:limit].rstrip()} ..."'


def _count(lines: Sequence[Line]) -> str:
    return "1 line" if len(lines) == 1 else f"{len(lines)} lines"
