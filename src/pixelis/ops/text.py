"""The operation `read_text`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from pixelis.episode import Observation
from pixelis.errors import OpError
from pixelis.geometry import Box
from pixelis.ops.arguments import Arguments, BoxArgument
from pixelis.ops.lookup import look_up
from pixelis.ops.ocr import Line, shared_reader
from pixelis.ops.registry import operation
from pixelis.ops.workspace import Workspace

MOST_SOUGHT = 80  # letters of a label
SMALLEST_SIDE = 8  # px; narrower boxes are grown, they cannot hold a letter


class ReadText(Arguments):
    bbox_2d: BoxArgument | None = Field(
        None, description="Part to read: [x1, y1, x2, y2]; the whole image when left out."
    )
    image: int = Field(0, ge=0, description="Index of the image the box refers to.")
    find: str | None = Field(
        None,
        min_length=1,
        max_length=MOST_SOUGHT,
        description="A label on the page; what stands beside it is told instead of everything.",
    )
    column: str | None = Field(
        None,
        min_length=1,
        max_length=MOST_SOUGHT,
        description="With find, in a table: the header of the column wanted.",
    )


@operation(ReadText)
def read_text(workspace: Workspace, arguments: ReadText) -> Observation:
    """Reads the text in a box, or in the whole image, line by line in reading order.

    Pixels come from the source at full resolution, also for a box on a crop. The handle `text_n`
    has the fields `text` (all lines), `lines` (text, box in source px, confidence in [0, 1]) and
    `line_1`, `line_2`, ...; `{text_n.first}` and `{text_n.last}` are its ends. Finding nothing is
    no error.

    With `find` it also has `found`, the line that says the label, and `value`, what belongs to it
    (both with text and box): the rest of that line, or the next text to the right; with `column`
    the text of that row under that header.
    """
    if arguments.column is not None and arguments.find is None:
        raise OpError("column needs find, the label of the row")
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
    told = ""
    sought: dict[str, Any] = {}
    if arguments.find is not None:
        told, sought = _sought(workspace, arguments, lines)
    handle = workspace.add_handle("text", {**fields(lines), **sought}, box, frame)
    told = told or quote(handle.data["text"], workspace.text_limit)
    return Observation(
        text=f"{handle.name} ({_count(lines)}): {told}",
        box=box,
        handle=handle.name,
        confidence=confidence(lines),
        data=handle.data,
    )


def _sought(
    workspace: Workspace, arguments: ReadText, lines: Sequence[Line]
) -> tuple[str, dict[str, Any]]:
    """What is told of a label, and its fields; no fields when it is not there."""
    assert arguments.find is not None
    limit = workspace.text_limit
    found = look_up(lines, arguments.find, arguments.column)
    if found is None:
        whole = quote("\n".join(line.text for line in lines), limit)
        return f"{quote(arguments.find, limit)} is not there; {whole}", {}
    place = workspace.show(found.box, arguments.image)
    told = f"line_{found.line} {quote(found.text, limit)} at {place}"
    data: dict[str, Any] = {"found": _placed(found.text, found.box)}
    under = f" under {quote(arguments.column, limit)}" if arguments.column else ""
    if found.value is None:
        return f"{told}, nothing beside it{under}", data
    data["value"] = _placed(found.value.text, found.value.box)
    return f"{told}, value{under}: {quote(found.value.text, limit)}", data


def _placed(text: str, box: Box) -> dict[str, Any]:
    return {"text": text, "box": list(box.rounded())}


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
