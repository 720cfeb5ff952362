from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelis.episode import Call, Observation
from pixelis.geometry import Box, Size, View
from pixelis.media import open_media
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Convention, PixelBudget, Units, Workspace


def ramp(width: int = 800, height: int = 600) -> np.ndarray:
    """Red is x, green is y (each scaled to 0..255), so every pixel says where it is."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, width)[None, :]
    pixels[:, :, 1] = np.linspace(0, 255, height)[:, None]
    return pixels


def workspace(pixels: np.ndarray | None = None, units: Units = "rel") -> Workspace:
    return Workspace(open_media(ramp() if pixels is None else pixels), convention=Convention(units))


def zoom(space: Workspace, box: Any, **arguments: Any) -> Observation:
    return REGISTRY.run(Call("zoom_in", {"bbox_2d": box, **arguments}), space)


def shown(space: Workspace, observation: Observation) -> np.ndarray:
    assert observation.image is not None
    return np.asarray(space.images[observation.image])


def test_the_crop_shows_the_asked_part_enlarged() -> None:
    space = workspace()
    observation = zoom(space, [100, 200, 250, 400])
    assert observation.error is None
    assert observation.box == Box(80, 120, 200, 240)
    assert observation.view == View(Box(80, 120, 200, 240), Size(224, 224))
    pixels = shown(space, observation).astype(int)
    assert pixels.shape == (224, 224, 3)
    for row, column in ((0, 0), (0, 223), (223, 0), (112, 112)):
        x, y = 80 + 120 * (column + 0.5) / 224, 120 + 120 * (row + 0.5) / 224
        assert abs(pixels[row, column, 0] - x / 800 * 255) <= 2
        assert abs(pixels[row, column, 1] - y / 600 * 255) <= 2


def test_text_handle_and_data() -> None:
    space = workspace()
    first = zoom(space, [100, 100, 250, 233], label="the\n sign ")
    assert first.text == (
        "crop_1 (the sign) is image 1: part [100, 100, 250, 233] of image 0, "
        "120x80 px enlarged to 256x160"
    )
    assert (first.image, first.handle) == (1, "crop_1")
    assert first.data == {"images": [1], "box": [80, 60, 200, 140], "label": "the sign"}
    assert space.handle("crop_1").box == first.box
    assert zoom(space, [0, 0, 1000, 1000]).text == (
        "crop_2 is image 2: part [0, 0, 1000, 1000] of image 0, 800x600 px reduced to 256x192"
    )


def test_a_crop_of_a_crop_is_cut_from_the_source_at_full_resolution() -> None:
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    space = workspace(stripes)
    first = zoom(space, [0, 0, 1000, 1000])
    blurred = shown(space, first)
    assert blurred.std() < 40, "one-pixel stripes are lost in the overview"
    second = zoom(space, [250, 250, 500, 500], image=1)
    third = zoom(space, [0, 0, 125, 125], image=2)
    assert second.box == Box(256, 256, 512, 512)
    assert third.box == Box(256, 256, 288, 288)
    assert shown(space, third).std() > 90, "the stripes are back"
    direct = zoom(space, [250, 250, 281.25, 281.25])
    assert direct.box == third.box
    assert (shown(space, direct) == shown(space, third)).all()


def test_boxes_that_touch_the_far_edge_are_legal() -> None:
    space = workspace()
    observation = zoom(space, [750, 750, 1000, 1000])
    assert observation.box == Box(600, 450, 800, 600)
    assert shown(space, observation)[-1, -1, 0] >= 253


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([500, 500, 501, 501], Box(384, 284, 417, 317)),
        ([999, 999, 1000, 1000], Box(768, 568, 800, 600)),
        ([0, 0, 0.5, 1000], Box(0, 0, 32, 600)),
    ],
)
def test_tiny_boxes_grow(box: list[float], expected: Box) -> None:
    observation = zoom(workspace(), box)
    assert observation.error is None
    assert observation.box == expected


def test_pictures_smaller_than_the_least_side() -> None:
    space = workspace(ramp(10, 6))
    observation = zoom(space, [0, 0, 500, 500])
    assert observation.box == Box(0, 0, 10, 6)
    assert shown(space, observation).shape[0] > 6


def test_the_aspect_is_kept_within_the_grid() -> None:
    for budget in (PixelBudget(), PixelBudget(401_408, 4_014_080, 28)):
        space = Workspace(open_media(ramp()), budget)
        for box in ([0, 0, 1000, 1000], [0, 0, 300, 1000], [0, 0, 900, 400], [10, 10, 170, 90]):
            observation = zoom(space, box)
            assert observation.box is not None
            assert observation.view is not None
            asked = observation.box.width / observation.box.height
            size = observation.view.size
            assert abs(np.log(size.width / size.height / asked)) <= 0.1
            assert size.width * size.height <= budget.max_pixels
            assert space.images[observation.image or 0].size == size


def test_pixel_units() -> None:
    space = workspace(units="px")
    observation = zoom(space, [80, 60, 200, 140])
    assert observation.box == Box(80, 60, 200, 140)
    assert "part [80, 60, 200, 140] of image 0" in observation.text
    assert zoom(space, [100, 100, 140, 140], image=1).box == Box(100, 100, 140, 140)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"bbox_2d": [300, 10, 280, 90]}, "box [300, 10, 280, 90] is empty; need x1 < x2"),
        ({"bbox_2d": [0, 0, 1001, 10]}, "box [0, 0, 1001, 10] is outside; need"),
        ({"bbox_2d": [0, 0, 10]}, "argument bbox_2d = [0, 0, 10]"),
        ({"bbox_2d": [0, 0, float("nan"), 10]}, "argument bbox_2d.2 = nan"),
        ({"bbox_2d": [0, 0, 10, 10], "image": 4}, "image 4 does not exist; images are 0..0"),
        ({"bbox_2d": [0, 0, 10, 10], "zoom": 4}, "unknown argument 'zoom'"),
    ],
)
def test_wrong_calls(arguments: dict[str, Any], reason: str) -> None:
    space = workspace()
    observation = REGISTRY.run(Call("zoom_in", arguments), space)
    assert (observation.error or "").startswith(f"zoom_in: {reason}")
    assert len(space.images) == 1


def test_the_source_is_not_changed_and_results_repeat() -> None:
    pixels = ramp()
    space = workspace(pixels)
    first, second = (zoom(space, [100, 100, 300, 300]) for _ in range(2))
    assert (shown(space, first) == shown(space, second)).all()
    assert (np.asarray(space.images[0]) == pixels).all()
    assert isinstance(space.images[1], Image.Image)
