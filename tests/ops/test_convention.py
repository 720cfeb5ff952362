"""The same part of the source, said in the words of each convention."""

import numpy as np
import pytest

from pixelis.episode import Call
from pixelis.errors import OpError
from pixelis.geometry import Box, Point, Size, View
from pixelis.media import open_media
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Convention, PixelBudget, Workspace

SOURCE = Size(800, 400)
PART = Box(200, 100, 600, 300)
BUDGET = PixelBudget(28 * 28, 280 * 140, 28)  # the source is shown at 280 x 140


def workspace(units: str, **words: object) -> Workspace:
    pixels = np.zeros((SOURCE.height, SOURCE.width, 3), np.uint8)
    return Workspace(open_media(pixels), BUDGET, Convention(units, **words))


SAID = {
    "rel": [250, 250, 750, 750],
    "px": [200, 100, 600, 300],
    "shown": [70, 35, 210, 105],
    "unit": [0.25, 0.25, 0.75, 0.75],
}


@pytest.mark.parametrize("units", SAID)
def test_one_part_in_every_unit(units):
    space = workspace(units)
    assert space.resolve_box(SAID[units]) == PART
    assert space.resolve_point(SAID[units][:2]) == Point(200, 100)
    assert space.show(PART) == "[" + ", ".join(f"{v:g}" for v in SAID[units]) + "]"


@pytest.mark.parametrize("units", ["rel", "shown", "unit"])
def test_one_part_of_a_crop_in_every_unit(units):
    space = workspace(units)
    space.add_image(space.images[0].resize((280, 140)), View(PART, Size(280, 140)))
    assert space.resolve_box(SAID[units], 1) == Box(300, 150, 500, 250)
    assert space.show(Box(300, 150, 500, 250), 1) == space.show(PART)


def test_either_is_shares_up_to_one_and_pixels_above():
    space = workspace("either")
    assert space.resolve_box(SAID["unit"]) == PART
    assert space.resolve_box(SAID["shown"]) == PART
    assert space.resolve_box([0.5, 0.5, 1.0, 1.0]) == Box(400, 200, 800, 400)
    assert space.resolve_box([0, 0, 1, 1]) == Box(0, 0, 800, 400)
    assert space.resolve_box([0, 0, 280, 140]) == Box(0, 0, 800, 400)
    assert space.show(PART) == "[0.25, 0.25, 0.75, 0.75]"


EDGES = {"rel": (1000, 1000), "px": SOURCE, "shown": (280, 140), "unit": (1, 1)}


@pytest.mark.parametrize("units", EDGES)
def test_the_edge_is_inside_and_beyond_it_is_not(units):
    width, height = EDGES[units]
    space = workspace(units)
    assert space.resolve_box([0, 0, width, height]) == Box(0, 0, 800, 400)
    with pytest.raises(OpError, match=f"need x1 < x2 within 0..{width} and y1 < y2"):
        space.resolve_box([0, 0, width * 1.01, height])
    with pytest.raises(OpError, match=f"x within 0..{width}, y within 0..{height}"):
        space.resolve_point([0, height * 1.01])


def test_a_small_source_is_spoken_of_at_the_size_it_is_shown_in():
    pixels = np.zeros((10, 20, 3), np.uint8)
    budget = PixelBudget(56 * 28, 560 * 280, 28)
    space = Workspace(open_media(pixels), budget, Convention("shown"))
    assert space.shown_size() == (56, 28)
    assert space.resolve_box([28, 0, 56, 28]) == Box(10, 0, 20, 10)


def zoom(space: Workspace, box: list[float]):
    return REGISTRY.run(Call("zoom_in", {"bbox_2d": box}), space)


def test_a_margin_is_a_share_of_the_image_and_an_enlarged_box_of_itself():
    assert zoom(workspace("rel", margin=0.1), SAID["rel"]).box == Box(120, 60, 680, 340)
    assert zoom(workspace("rel", enlarge=1.5), SAID["rel"]).box == Box(100, 50, 700, 350)
    assert zoom(workspace("rel", margin=0.1), [0, 0, 500, 1000]).box == Box(0, 0, 480, 400)
    assert zoom(workspace("rel"), SAID["rel"]).box == PART


def test_a_margin_has_a_limit_in_pixels():
    view = View(Box(0, 0, 9000, 900), Size(900, 90))
    widened = Convention(margin=0.1).widened(Box(4000, 400, 5000, 500), view)
    assert widened == Box(3400, 310, 5600, 590)


def test_boxes_longer_than_the_limit_are_refused():
    assert zoom(workspace("rel", aspect=4), [0, 0, 1000, 500]).error is None
    refused = zoom(workspace("rel", aspect=4), [0, 0, 1000, 100])
    assert refused.error == "zoom_in: the box is 20 times as long as it is wide; give at most 4"


def test_images_and_frames_by_the_names_of_the_family():
    named = workspace("unit", original="original_image", later="observation_{}")
    text = zoom(named, [0, 0, 0.5, 1]).text
    assert text.startswith("crop_1 is observation_1: part [0, 0, 0.5, 1] of original_image")
    counted = workspace("unit", original="image 1", first_image=1, first_frame=1)
    text = zoom(counted, [0, 0, 0.5, 1]).text
    assert text.startswith("crop_1 is image 2: part [0, 0, 0.5, 1] of image 1")
    with pytest.raises(OpError, match=r"image 8 does not exist; images are 1\.\.2"):
        counted.view(7)
    assert str(counted.no_frame(40, 40)) == "frame 41 does not exist; frames are 1..40"
