"""`get_properties`: colour, shape, size, position, orientation, texture, brightness of a thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from pydantic import Field
from skimage.measure import regionprops

from pixelis.episode import Observation
from pixelis.errors import OpError
from pixelis.geometry import Box, Size
from pixelis.ops.arguments import Arguments, BoxArgument
from pixelis.ops.candidates import around, filled, grabcut
from pixelis.ops.colors import dominant
from pixelis.ops.outline import shape_of
from pixelis.ops.registry import operation
from pixelis.ops.segment import CLEAR, box_of, center_of, segmenter
from pixelis.ops.texture import texture_of
from pixelis.ops.workspace import Handle, Workspace

Property = Literal["color", "shape", "size", "position", "orientation", "texture", "brightness"]
ALL: tuple[Property, ...] = (
    "color", "shape", "size", "position", "orientation", "texture", "brightness",
)  # fmt: skip
BOX_SIDE_PX = 160
WORKING_SIDE_PX = 320  # names and ratios are read at this size, lengths at full size
ROUND_ECCENTRICITY = 0.4
ALIKE = 1.02  # ratio of two lengths or areas below which they count as alike


class PropertiesArguments(Arguments):
    """Arguments of `get_properties`."""

    mask: str | None = Field(None, description="handle of a mask, such as mask_1")
    bbox_2d: BoxArgument | None = Field(
        None, description="[x1, y1, x2, y2] around the thing, when there is no mask"
    )
    image: int = Field(0, ge=0, description="index of the image the box is given in")
    properties: list[Property] | None = Field(None, description="which to give; all when left out")
    other: str | None = Field(
        None, description="handle of a second mask: tells how the first stands beside it"
    )


class Part(NamedTuple):
    """A thing to describe: its pixels and mask in its own box.

    Attributes:
        box: that box, in source pixels.
        source: width and height of the source.
        scale: pixels of `rgb` and `mask` per source pixel.
    """

    rgb: np.ndarray
    mask: np.ndarray
    box: Box
    source: tuple[int, int]
    scale: float = 1.0


@operation(PropertiesArguments)
def get_properties(workspace: Workspace, arguments: PropertiesArguments) -> Observation:
    """Measures a thing given by a mask or a box: its colour, shape, size, position and so on.

    With a mask the fields join that mask's handle (`{mask_1.color}`); with a box the thing that
    stands out in the box is found first and gets a handle of its own (`region_1`). With `other` it
    is also said in words how the two differ (`beside` in the data): `wider`, `left`, `same color`.
    """
    if (arguments.mask is None) == (arguments.bbox_2d is None):
        raise OpError("give either mask (a handle such as mask_1) or bbox_2d, not both or neither")
    if arguments.mask is not None:
        handle, note = _masked(workspace, arguments.mask), ""
    else:
        handle, note = _boxed(workspace, arguments)
    assert handle.mask is not None
    wanted = arguments.properties or list(ALL)
    part = part_of(np.asarray(workspace.frame(handle.frame)), handle.mask)
    data = describe(part, wanted)
    told = _told(data)
    if arguments.other is not None:
        data["beside"] = _compared(workspace, part, data, arguments.other, wanted)
        told += f"; {_contrast(data['beside'])}"
    handle.data.update(data)
    text = f"{handle.name}: {told}{note}"
    return Observation(text, box=part.box, handle=handle.name, data=dict(handle.data))


def part_of(rgb: np.ndarray, mask: np.ndarray) -> Part:
    """The box of a mask cut out of a picture; both of the picture's height and width."""
    box = box_of(mask)
    x1, y1, x2, y2 = box.rounded()
    return Part(rgb[y1:y2, x1:x2], mask[y1:y2, x1:x2], box, (mask.shape[1], mask.shape[0]))


def describe(part: Part, wanted: list[Property]) -> dict[str, Any]:
    """The wanted properties as plain JSON values; lengths in source pixels."""
    small = shrunk(part)
    makers: dict[str, tuple[Callable[[Part], dict[str, Any]], Part]] = {
        "color": (_color, small),
        "shape": (_shape, small),
        "size": (_size, part),
        "position": (_position, small),
        "orientation": (_orientation, small),
        "texture": (_texture, small),
        "brightness": (_brightness, part),
    }
    data: dict[str, Any] = {}
    for name in ALL:
        if name in wanted:
            make, source = makers[name]
            data.update(make(source))
    return data


def shrunk(part: Part) -> Part:
    """The part with its longer side at most `WORKING_SIDE_PX`; itself when it is that small."""
    height, width = part.mask.shape
    scale = WORKING_SIDE_PX / max(height, width)
    if scale >= 1:
        return part
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    cover = cv2.resize(part.mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    mask = cover >= min(128, int(cover.max()))
    rgb = cv2.resize(part.rgb, size, interpolation=cv2.INTER_AREA)
    return Part(rgb, mask, part.box, part.source, scale)


# each property --------------------------------------------------------------------------------
def _color(part: Part) -> dict[str, Any]:
    colors = [
        {"name": color.name, "rgb": list(color.rgb), "share": round(color.share, 2)}
        for color in dominant(part.rgb, part.mask)
    ]
    return {"color": colors[0], "colors": colors}


def _shape(part: Part) -> dict[str, Any]:
    shape, region = shape_of(part.mask), _region(part)
    measures = {
        "match": round(shape.match, 3),
        "next": shape.second,
        "solidity": round(float(region.solidity), 3),
        "eccentricity": round(float(region.eccentricity), 3),
        "extent": round(float(region.extent), 3),
        "perimeter_px": round(float(region.perimeter) / part.scale, 1),
        "holes": int(1 - region.euler_number),
    }
    return {"shape": shape.name, "shape_measures": measures}


def _size(part: Part) -> dict[str, Any]:
    area = int(np.count_nonzero(part.mask))
    size = {
        "width_px": int(part.box.width),
        "height_px": int(part.box.height),
        "area_px": area,
        "area_share": round(area / (part.source[0] * part.source[1]), 6),
    }
    return {"size": size}


def _position(part: Part) -> dict[str, Any]:
    row, column = _region(part).centroid
    x = (part.box.x1 + (column + 0.5) / part.scale) / part.source[0]
    y = (part.box.y1 + (row + 0.5) / part.scale) / part.source[1]
    return {"position": {"name": _place(x, y), "x": round(x, 4), "y": round(y, 4)}}


def _place(x: float, y: float) -> str:
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    down = "top" if y < 1 / 3 else "bottom" if y > 2 / 3 else ""
    return f"{down} {across}".strip() or "centre"


def _orientation(part: Part) -> dict[str, Any]:
    """Angle of the long axis against the horizontal, counter-clockwise; None when it has none."""
    region = _region(part)
    if region.eccentricity < ROUND_ECCENTRICITY:
        return {"orientation_deg": None}
    return {"orientation_deg": round((np.rad2deg(region.orientation) + 90) % 180, 1)}


def _texture(part: Part) -> dict[str, Any]:
    texture = texture_of(part.rgb, part.mask)
    return {"texture": texture._asdict()}


def _brightness(part: Part) -> dict[str, Any]:
    """Mean luma (ITU-R BT.601) in [0, 1]."""
    luma = cv2.cvtColor(np.ascontiguousarray(part.rgb), cv2.COLOR_RGB2GRAY)
    return {"brightness": round(float(luma[part.mask].mean()) / 255, 3)}


def _region(part: Part) -> Any:
    return regionprops(part.mask.astype(np.uint8))[0]


def _told(data: dict[str, Any]) -> str:
    words = []
    if "color" in data:
        words.append(f"{data['color']['name']} ({data['color']['share']:.2f})")
    if "shape" in data:
        words.append(data["shape"])
    if "size" in data:
        words.append(f"{data['size']['width_px']}x{data['size']['height_px']} px")
    if "position" in data:
        words.append(data["position"]["name"])
    if data.get("orientation_deg") is not None:
        words.append(f"long axis at {data['orientation_deg']:g} degrees")
    if "texture" in data and (data["texture"]["name"] != "plain" or not words):
        words.append(data["texture"]["name"])
    if "brightness" in data:
        words.append(f"brightness {data['brightness']:.2f}")
    return ", ".join(words) or "has no long axis"


# two things -----------------------------------------------------------------------------------
def _compared(
    workspace: Workspace, part: Part, data: dict[str, Any], name: str, wanted: list[Property]
) -> dict[str, Any]:
    """How the part stands to another mask, in words, for the wanted properties."""
    handle = _masked(workspace, name)
    assert handle.mask is not None
    other = part_of(np.asarray(workspace.frame(handle.frame)), handle.mask)
    there = describe(other, [each for each in wanted if each in ("color", "shape")])
    found: dict[str, Any] = {"mask": name}
    if "size" in wanted:
        found |= _sizes(part.box, other.box)
    if "position" in wanted:
        x, y = part.box.center.x - other.box.center.x, part.box.center.y - other.box.center.y
        found |= {"x": "right" if x > 0 else "left", "y": "below" if y > 0 else "above"}
    if "color" in there:
        alike = data["color"]["name"] == there["color"]["name"]
        found["color"] = "same color" if alike else "other color"
    if "shape" in there:
        found["shape"] = "same shape" if data["shape"] == there["shape"] else "other shape"
    return found


def _sizes(one: Box, other: Box) -> dict[str, str]:
    """Words for the sides of two boxes and for what they cover; alike within `ALIKE`."""
    return {
        "width": _word(one.width / other.width, "wider", "narrower", "as wide"),
        "height": _word(one.height / other.height, "taller", "shorter", "as tall"),
        "size": _word(one.area / other.area, "larger", "smaller", "as large"),
    }


def _word(ratio: float, more: str, less: str, same: str) -> str:
    return same if 1 / ALIKE < ratio < ALIKE else more if ratio > 1 else less


def _contrast(beside: dict[str, Any]) -> str:
    words = ", ".join(value for key, value in beside.items() if key != "mask")
    return f"beside {beside['mask']}: {words or 'nothing to compare'}"


# where the thing is ---------------------------------------------------------------------------
def _masked(workspace: Workspace, name: str) -> Handle:
    handle = workspace.handle(name)
    if handle.mask is None:
        masks = [key for key, value in workspace.handles.items() if value.mask is not None]
        raise OpError(f"{name} is not a mask; masks so far: {', '.join(masks) or 'none yet'}")
    if not handle.mask.any():
        raise OpError(f"{name} is empty; segment the object again or give bbox_2d")
    return handle


def _boxed(workspace: Workspace, arguments: PropertiesArguments) -> tuple[Handle, str]:
    assert arguments.bbox_2d is not None
    box = workspace.resolve_box(arguments.bbox_2d, arguments.image)
    rgb = np.asarray(workspace.source(arguments.image))
    mask, found = thing_in(workspace, rgb, box)
    workspace.check_time()
    frame = workspace.view(arguments.image).frame
    data = {"found": found, "area_px": int(np.count_nonzero(mask))}
    handle = workspace.add_handle("region", data, box_of(mask), frame, mask)
    if found == "box":
        return handle, "; measured over the whole box, nothing in it stands out"
    place = workspace.show(box_of(mask), arguments.image)
    return handle, f"; measured on the thing found in the box, at {place}"


def thing_in(workspace: Workspace, rgb: np.ndarray, box: Box) -> tuple[np.ndarray, str]:
    """What stands out in a box, as a mask of the picture, and whether that is an `object`.

    When nothing does, the mask is the whole box and the word is `box`.
    """
    x1, y1, x2, y2 = box.grow_to(1, Size(rgb.shape[1], rgb.shape[0])).rounded()
    inside = np.zeros(rgb.shape[:2], bool)
    inside[y1:y2, x1:x2] = True
    rough = _unlike_outside(rgb, (x1, y1, x2, y2))
    seed = center_of(rough if rough is not None else inside)
    region = segmenter(workspace).segment(rgb, seed)
    if region is not None and region.confidence >= CLEAR:
        common = np.count_nonzero(region.mask & inside)
        if common > 0.8 * np.count_nonzero(region.mask) and common > 0.1 * inside.sum():
            return region.mask, "object"
    if rough is not None:
        return rough, "object"
    return inside, "box"


def _unlike_outside(rgb: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray | None:
    """The largest part of a box that differs from what surrounds the box; None without one."""
    x1, y1, x2, y2 = box
    margin = max(3, round(0.2 * max(x2 - x1, y2 - y1)))
    left, top = max(x1 - margin, 0), max(y1 - margin, 0)
    part = rgb[top : y2 + margin, left : x2 + margin]
    labels = np.full(part.shape[:2], cv2.GC_BGD, np.uint8)
    labels[y1 - top : y2 - top, x1 - left : x2 - left] = cv2.GC_PR_FGD
    scale = min(1.0, BOX_SIDE_PX / max(part.shape[:2]))
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    start = cv2.resize(labels, small.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    wanted = np.count_nonzero(start == cv2.GC_PR_FGD)
    found = grabcut(small, start, 3) if min(small.shape[:2]) > 3 else None
    if found is None or not found.any():
        return None
    deepest = center_of(found)
    largest = around(found, (int(deepest.x), int(deepest.y)))
    if largest is None or not 0.08 < np.count_nonzero(largest) / wanted < 0.97:
        return None
    mask = np.zeros(rgb.shape[:2], bool)
    size = part.shape[1::-1]
    fine = cv2.resize(filled(largest).astype(np.float32), size) > 0.5
    mask[top : y2 + margin, left : x2 + margin] = fine
    return mask if mask.any() else None
