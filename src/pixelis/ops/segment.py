"""`segment_object_at`: the object under a point, as a mask other operations can use."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image
from pydantic import Field

from pixelis.episode import Observation
from pixelis.geometry import Box, Point, Size, View
from pixelis.ops.arguments import Arguments, PointArgument
from pixelis.ops.regions import Classic, Region, Segmenter
from pixelis.ops.registry import operation
from pixelis.ops.workspace import Workspace

ENGINE = "segment"
CLEAR = 0.6
NEAR_SHARES = (0.05, 0.1)
MARGIN_SHARE = 0.3
LEAST_VIEW_PX = 32
LINE_RGB, HALO_RGB = (255, 0, 255), (0, 0, 0)


class SegmentArguments(Arguments):
    """Arguments of `segment_object_at`."""

    point_2d: PointArgument = Field(description="[x, y] on the object, well inside its outline")
    image: int = Field(0, ge=0, description="index of the image the point is given in")


@operation(SegmentArguments)
def segment_object_at(workspace: Workspace, arguments: SegmentArguments) -> Observation:
    """Outlines the object under a point: gives its mask, box and area, and a view of it.

    The handle (`mask_1`, ...) can be passed to other operations. Where no object stands out at the
    point, the observation says so, carries no handle, and tells of an object close by when there is
    one (`near` in its data, source pixels). The engine is `workspace.engines`'
    `segment` when there is one, else the built-in `Classic`.
    """
    view = workspace.view(arguments.image)
    point = workspace.resolve_point(arguments.point_2d, arguments.image)
    rgb = np.asarray(workspace.source(arguments.image))
    region = within(segmenter(workspace), rgb, point, view.box)
    workspace.check_time()
    if region is None or region.confidence < CLEAR:
        place = close_by(workspace, rgb, point, view.box)
        return _nothing(workspace, arguments, region.confidence if region else 0.0, place)
    box, area = box_of(region.mask), int(np.count_nonzero(region.mask))
    data = {
        "area_px": area,
        "area_share": round(area / region.mask.size, 6),
        "box": [int(value) for value in box],
        "point": [round(point.x, 1), round(point.y, 1)],
    }
    handle = workspace.add_handle("mask", data, box, view.frame, region.mask)
    image, shown = outlined(workspace, rgb, region.mask, box, view.frame)
    index = workspace.add_image(image, shown)
    text = (
        f"{handle.name}: object at {workspace.show(box, arguments.image)}, {area} px "
        f"({percent(area / region.mask.size)} of the image), confidence {region.confidence:.2f}; "
        f"outlined in {workspace.image_name(index)}"
    )
    confidence = round(region.confidence, 3)
    return Observation(text, None, index, shown, box, handle.name, confidence, data)


def within(engine: Segmenter, rgb: np.ndarray, point: Point, part: Box) -> Region | None:
    """The object at a source point among what the named image shows.

    In a zoom the question is about what lies in the zoom: a card that fills it is background, not
    the object, so the engine is shown that part alone. The mask has the source's size.
    """
    x1, y1, x2, y2 = part.rounded()
    region = engine.segment(rgb[y1:y2, x1:x2], Point(point.x - x1, point.y - y1))
    if region is None or region.mask.shape == rgb.shape[:2]:
        return region
    mask = np.zeros(rgb.shape[:2], bool)
    mask[y1:y2, x1:x2] = region.mask
    return Region(mask, region.confidence)


def segmenter(workspace: Workspace) -> Segmenter:
    """The backend this workspace was given, else the built-in one."""
    engine: Segmenter | None = workspace.engines.get(ENGINE)
    return Classic() if engine is None else engine


def close_by(workspace: Workspace, rgb: np.ndarray, point: Point, part: Box) -> Point | None:
    """A point well inside a clear object near a source point where there is none, if there is one.

    Looked for in eight directions, first at 5, then at 10 % of the shorter side of what is seen.
    """
    engine = segmenter(workspace)
    for share in NEAR_SHARES:
        reach, found = share * min(part.width, part.height), []
        for turn in range(8):
            angle = turn * np.pi / 4
            x, y = point.x + reach * np.cos(angle), point.y + reach * np.sin(angle)
            if part.x1 <= x < part.x2 and part.y1 <= y < part.y2:
                workspace.check_time()
                region = within(engine, rgb, Point(x, y), part)
                if region is not None and region.confidence >= CLEAR:
                    found.append(region)
        if found:
            return center_of(max(found, key=lambda region: region.confidence).mask)
    return None


def _nothing(
    workspace: Workspace, arguments: SegmentArguments, confidence: float, place: Point | None
) -> Observation:
    x, y = arguments.point_2d
    text = f"no clear object here: nothing stands out at [{x:g}, {y:g}]; "
    if place is None:
        advice = "point at the middle of an object, or zoom in first"
        return Observation(text + advice, confidence=round(confidence, 3))
    text += f"the nearest one is at {workspace.show_point(place, arguments.image)}"
    data = {"near": [round(place.x, 1), round(place.y, 1)]}
    return Observation(text, confidence=round(confidence, 3), data=data)


def percent(share: float) -> str:
    """A share as a short percentage: two significant digits below one percent."""
    return f"{100 * share:.1f} %" if share >= 0.01 else f"{100 * share:.2g} %"


def box_of(mask: np.ndarray) -> Box:
    """The smallest box around the set pixels of a mask that has at least one."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def outlined(
    workspace: Workspace, rgb: np.ndarray, mask: np.ndarray, box: Box, frame: int | None
) -> tuple[Image.Image, View]:
    """A view around a mask, enlarged to the pixel budget, with the outline drawn on it."""
    source = Size(rgb.shape[1], rgb.shape[0])
    part = box.pad(MARGIN_SHARE * max(box.width, box.height)).clip(source)
    x1, y1, x2, y2 = part.grow_to(LEAST_VIEW_PX, source).rounded()
    size = workspace.budget.fit(Size(x2 - x1, y2 - y1))
    crop = Image.fromarray(rgb[y1:y2, x1:x2]).resize(size, Image.Resampling.LANCZOS)
    canvas = np.array(crop)
    inside = cv2.resize(mask[y1:y2, x1:x2].astype(np.float32), tuple(size)) > 0.5
    mode = cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    contours = cv2.findContours(inside.astype(np.uint8), *mode)[0]
    cv2.drawContours(canvas, contours, -1, HALO_RGB, 3)
    cv2.drawContours(canvas, contours, -1, LINE_RGB, 1)
    return Image.fromarray(canvas), View(Box(x1, y1, x2, y2), size, frame)


def center_of(mask: np.ndarray) -> Point:
    """The pixel of a mask (with at least one set) that lies farthest from its edge."""
    x1, y1, x2, y2 = box_of(mask).rounded()
    part = np.pad(mask[y1:y2, x1:x2], 1).astype(np.uint8)
    inner = cv2.distanceTransform(part, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(inner.argmax()), inner.shape)
    return Point(float(x1 + x), float(y1 + y))
