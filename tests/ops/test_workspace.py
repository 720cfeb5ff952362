from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import OpError
from pixelis.geometry import Box, Point, Size, View
from pixelis.media import open_media
from pixelis.ops.workspace import Convention, Units, Workspace


def workspace(units: Units = "rel", width: int = 400, height: int = 200) -> Workspace:
    return Workspace(
        open_media(np.zeros((height, width, 3), np.uint8)), convention=Convention(units)
    )


def test_image_zero_is_the_whole_picture() -> None:
    space = workspace()
    assert space.view(0) == View(Box(0, 0, 400, 200), Size(400, 200))
    assert space.source() is space.frame(None) is space.images[0]
    assert space.images[0].size == (400, 200)


def test_boxes_map_through_views_and_back() -> None:
    space = workspace()
    crop = View(Box(100, 50, 300, 150), Size(224, 96))
    index = space.add_image(Image.new("RGB", crop.size), crop)
    assert space.resolve_box([500, 500, 1000, 1000], index) == Box(200, 100, 300, 150)
    assert space.show(Box(200, 100, 300, 150), index) == "[500, 500, 1000, 1000]"
    assert space.show(Box(200, 100, 300, 150)) == "[500, 500, 750, 750]"
    assert space.resolve_point([500, 0], index) == Point(200, 50)


def test_pixel_units_speak_of_the_source_whatever_the_image() -> None:
    space = workspace("px")
    index = space.add_image(Image.new("RGB", (32, 32)), View(Box(100, 50, 132, 82), Size(224, 224)))
    assert space.resolve_box([10, 20, 400, 200], index) == Box(10, 20, 400, 200)
    assert space.show(Box(10, 20, 400, 200), index) == "[10, 20, 400, 200]"
    with pytest.raises(OpError, match=r"outside; need x1 < x2 within 0\.\.400"):
        space.resolve_box([0, 0, 401, 10])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([300, 10, 280, 90], r"box \[300, 10, 280, 90\] is empty"),
        ([0, 0, 0, 10], "is empty"),
        ([-1, 0, 10, 10], "is outside"),
        ([0, 0, 10, 1000.5], "is outside"),
    ],
)
def test_bad_boxes_say_what_came_and_what_is_allowed(values: list[float], reason: str) -> None:
    with pytest.raises(OpError, match=reason + ".*need x1 < x2 within 0..1000"):
        workspace().resolve_box(values)


def test_points_at_the_far_edge_are_the_last_pixel() -> None:
    assert workspace().resolve_point([1000, 1000]) == Point(399, 199)
    with pytest.raises(OpError, match="outside"):
        workspace().resolve_point([0, 1001])


def test_images_and_frames_that_do_not_exist() -> None:
    space = workspace()
    for index in (-1, 1):
        with pytest.raises(OpError, match=r"images are 0\.\.0"):
            space.view(index)
    with pytest.raises(OpError, match="still picture"):
        space.frame(0)


def test_handles_are_numbered_within_their_kind() -> None:
    space = workspace()
    names = [space.add_handle(kind).name for kind in ("mask", "text", "mask")]
    assert names == ["mask_1", "text_1", "mask_2"]
    assert space.handle("mask_2").name == "mask_2"
    with pytest.raises(OpError, match="handles so far: mask_1, text_1, mask_2"):
        space.handle("mask_9")


def test_the_clock() -> None:
    space = workspace()
    space.check_time()
    space.start_clock(lambda: 100.0)
    space.check_time(lambda: 159.0)
    with pytest.raises(OpError, match="longer than 60 s"):
        space.check_time(lambda: 161.0)


def test_rollback_forgets_images_and_numbers() -> None:
    space = workspace()
    space.add_handle("mask")
    mark = space.mark()
    space.add_handle("mask")
    space.add_handle("text")
    space.add_image(Image.new("RGB", (8, 8)), space.view(0))
    space.rollback(mark)
    assert list(space.handles) == ["mask_1"]
    assert len(space.images) == len(space.views) == 1
    assert space.add_handle("mask").name == "mask_2"


class Engine:
    closed = False

    def close(self) -> None:
        self.closed = True


def test_engines_are_made_once_and_closed() -> None:
    with workspace() as space:
        engine = space.engine("ocr", Engine)
        assert space.engine("ocr", Engine) is engine
        assert space.engine("words", dict) == {}
        assert not engine.closed
    assert engine.closed
    assert space.images == []
