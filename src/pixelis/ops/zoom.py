"""`zoom_in`: a part of an image, cut from the source and enlarged for the model."""

from __future__ import annotations

from PIL import Image
from pydantic import Field

from pixelis.episode import Observation
from pixelis.errors import OpError
from pixelis.geometry import Box, Size, View
from pixelis.ops.arguments import Arguments, BoxArgument
from pixelis.ops.registry import operation
from pixelis.ops.workspace import Workspace

MIN_SIDE = 32
_LABEL_LIMIT = 80


class ZoomIn(Arguments):
    """Which part of which image to look at."""

    bbox_2d: BoxArgument = Field(description="the part to enlarge: [x1, y1, x2, y2]")
    image: int = Field(0, description="number of the image the box lies in; 0 is the original")
    label: str | None = Field(None, description="what you expect to see there")


@operation(ZoomIn)
def zoom_in(workspace: Workspace, arguments: ZoomIn) -> Observation:
    """Enlarge a part of an image to see its details.

    The part is cut from the source at full resolution, also when the box lies in an earlier crop.
    Boxes with a side under 32 source pixels grow about their centre. The aspect is kept as far as
    the model's grid allows (see `PixelBudget.fit`). The observation's `view.box` is the shown part
    in whole source pixels; its handle is `crop_k`. Raises OpError for an empty box, a box outside
    the image, or an image that does not exist.
    """
    view = workspace.view(arguments.image)
    asked = workspace.resolve_box(arguments.bbox_2d, arguments.image)
    _check_aspect(asked, workspace.convention.aspect)
    asked = workspace.convention.widened(asked, view).clip(workspace.media.size)
    part = Box(*asked.grow_to(MIN_SIDE, workspace.media.size).rounded()).clip(workspace.media.size)
    crop = Size(int(part.width), int(part.height))
    size = workspace.budget.fit(crop)
    source = workspace.source(arguments.image)
    shown = source.resize(size, Image.Resampling.LANCZOS, box=part)
    seen = View(part, size, view.frame)
    image = workspace.add_image(shown, seen)
    label = _one_line(arguments.label)
    data = {"images": [image], "box": [int(value) for value in part], "label": label}
    handle = workspace.add_handle("crop", data, box=part, frame=view.frame)
    name = f"{handle.name} ({label})" if label else handle.name
    where = (
        f"part {workspace.show(part, arguments.image)} of {workspace.image_name(arguments.image)}"
    )
    text = f"{name} is {workspace.image_name(image)}: {where}, {_change(crop, size)}"
    return Observation(text, image=image, view=seen, box=part, handle=handle.name, data=data)


def _check_aspect(box: Box, most: float) -> None:
    long, short = max(box.width, box.height), min(box.width, box.height)
    if long > most * short:
        raise OpError(
            f"the box is {long / short:.0f} times as long as it is wide; give at most {most:g}"
        )


def _change(crop: Size, size: Size) -> str:
    before = f"{crop.width}x{crop.height} px"
    if crop == size:
        return before
    verb = "enlarged" if size.width * size.height > crop.width * crop.height else "reduced"
    return f"{before} {verb} to {size.width}x{size.height}"


def _one_line(label: str | None) -> str:
    return " ".join((label or "").split())[:_LABEL_LIMIT]
