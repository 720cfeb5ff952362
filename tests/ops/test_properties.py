"""Properties of things in pictures, against scikit-image and known drawings."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.draw import disk, ellipse, polygon
from skimage.measure import regionprops

from pixelis.episode import Call
from pixelis.media import Picture
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Convention, Workspace

PAPER = (225, 222, 215)


def picture(mask: np.ndarray, color=(205, 25, 30)) -> np.ndarray:
    image = np.full((*mask.shape, 3), PAPER, np.uint8)
    image[mask] = color
    return image


def workspace(image: np.ndarray, mask: np.ndarray | None = None) -> Workspace:
    space = Workspace(Picture(Image.fromarray(image), "test", ""), convention=Convention("px"))
    if mask is not None:
        space.add_handle("mask", {"area_px": int(mask.sum())}, mask=mask)
    return space


def ask(space: Workspace, **arguments):
    return REGISTRY.run(Call("get_properties", arguments), space)


def spot(row: int, column: int, radius: float, shape=(200, 300)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[disk((row, column), radius, shape=shape)] = True
    return mask


def leaning(turn_deg: float, aspect: float = 0.4) -> np.ndarray:
    mask = np.zeros((200, 300), bool)
    mask[ellipse(100, 150, 40 * aspect, 40, shape=mask.shape, rotation=np.deg2rad(turn_deg))] = True
    return mask


def test_a_mask_handle_is_enriched():
    mask = spot(40, 60, 25)
    space = workspace(picture(mask), mask)
    seen = ask(space, mask="mask_1")
    data = space.handle("mask_1").data
    assert seen.error is None
    assert seen.handle == "mask_1"
    assert seen.text.startswith("mask_1: red (")
    assert "circle, 49x49 px, top left" in seen.text
    assert data["color"]["name"] == "red"
    assert data["color"]["rgb"] == pytest.approx([205, 25, 30], abs=3)
    assert (data["shape"], data["position"]["name"]) == ("circle", "top left")
    assert data["area_px"] == mask.sum()
    assert dict(seen.data) == data
    json.dumps(data)


def test_measures_agree_with_regionprops_on_the_whole_picture():
    mask = np.zeros((200, 300), bool)
    mask[polygon([30, 150, 120, 60], [40, 90, 220, 130])] = True
    mask[disk((90, 110), 12)] = False
    truth = regionprops(mask.astype(np.uint8))[0]
    data = ask(workspace(picture(mask), mask), mask="mask_1").data
    measures = data["shape_measures"]
    assert measures["solidity"] == pytest.approx(truth.solidity, abs=1e-3)
    assert measures["eccentricity"] == pytest.approx(truth.eccentricity, abs=1e-3)
    assert measures["extent"] == pytest.approx(truth.extent, abs=1e-3)
    assert measures["holes"] == 1 - truth.euler_number == 1
    assert data["size"]["area_px"] == truth.area
    assert data["position"]["x"] * 300 == pytest.approx(truth.centroid[1] + 0.5, abs=0.02)
    assert data["position"]["y"] * 200 == pytest.approx(truth.centroid[0] + 0.5, abs=0.02)


@pytest.mark.parametrize("turn", [0, 20, 45, 90, 135, 170])
def test_orientation_is_counter_clockwise_from_the_horizontal(turn):
    mask = leaning(turn)
    found = ask(workspace(picture(mask), mask), mask="mask_1").data["orientation_deg"]
    assert abs((found - turn + 90) % 180 - 90) < 2


def test_a_round_thing_has_no_orientation():
    mask = spot(100, 150, 40)
    seen = ask(workspace(picture(mask), mask), mask="mask_1", properties=["orientation"])
    assert seen.data["orientation_deg"] is None
    assert "no long axis" in seen.text


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [(20, 20, "top left"), (20, 150, "top"), (100, 280, "right"), (100, 150, "centre"),
     (180, 20, "bottom left"), (180, 280, "bottom right")],
)  # fmt: skip
def test_positions(row, column, words):
    mask = spot(row, column, 10)
    data = ask(workspace(picture(mask), mask), mask="mask_1").data
    assert data["position"]["name"] == words


def test_brightness_is_mean_luma():
    mask = spot(100, 150, 30)
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (200, 300, 3)).astype(np.uint8)
    expected = (image[mask] @ [0.299, 0.587, 0.114]).mean() / 255
    data = ask(workspace(image, mask), mask="mask_1", properties=["brightness"]).data
    assert data["brightness"] == pytest.approx(expected, abs=0.003)


def patterned(kind: str) -> np.ndarray:
    y, x = np.mgrid[:200, :300].astype(float)
    u, v = x * 0.8 + y * 0.6, -x * 0.6 + y * 0.8
    share = {
        "plain": 0 * u,
        "striped": np.sin(u / 2.5) > 0,
        "checkered": (u // 9 + v // 9) % 2 > 0,
        "dotted": np.hypot(u % 16 - 8, v % 16 - 8) < 5,
    }[kind]
    image = np.where(share[..., None], (245, 245, 243), (30, 80, 200)).astype(np.float32)
    return cv2.GaussianBlur(image, (0, 0), 0.7).astype(np.uint8)


@pytest.mark.parametrize("kind", ["plain", "striped", "checkered", "dotted"])
def test_patterns(kind):
    mask = spot(100, 150, 45)
    data = ask(workspace(patterned(kind), mask), mask="mask_1").data
    assert data["texture"]["name"] == kind
    assert (data["texture"]["contrast"] > 20) == (kind != "plain")


def test_shading_is_no_pattern():
    mask = spot(100, 150, 45)
    image = picture(mask).astype(float) * np.linspace(0.3, 1.1, 300)[None, :, None]
    image = np.clip(image, 0, 255).astype(np.uint8)
    assert ask(workspace(image, mask), mask="mask_1").data["texture"]["name"] == "plain"


def test_only_what_is_asked():
    mask = spot(100, 150, 30)
    data = ask(workspace(picture(mask), mask), mask="mask_1", properties=["size"]).data
    assert set(data) == {"area_px", "size"}
    assert data["size"]["width_px"] == 59


def test_a_box_measures_the_thing_inside_it():
    mask = spot(90, 140, 28)
    space = workspace(picture(mask, (40, 150, 60)))
    seen = ask(space, bbox_2d=[100, 50, 185, 130])
    found = space.handle("region_1").mask
    assert seen.handle == "region_1"
    assert "thing found in the box" in seen.text
    assert np.count_nonzero(found & mask) / np.count_nonzero(found | mask) > 0.9
    assert (seen.data["color"]["name"], seen.data["shape"]) == ("green", "circle")


def test_a_box_with_nothing_in_it_is_measured_whole():
    seen = ask(workspace(picture(spot(30, 40, 20))), bbox_2d=[150, 80, 220, 150])
    assert "nothing in it stands out" in seen.text
    assert (seen.data["size"]["width_px"], seen.data["shape"]) == (70, "square")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({}, "either mask"),
        ({"mask": "mask_1", "bbox_2d": [0, 0, 9, 9]}, "not both"),
        ({"mask": "mask_9"}, "no handle 'mask_9'"),
        ({"mask": "text_1"}, "text_1 is not a mask; masks so far: mask_1"),
        ({"bbox_2d": [9, 9, 2, 2]}, "empty"),
        ({"mask": "mask_1", "properties": ["weight"]}, "properties"),
    ],
)
def test_bad_arguments_are_told(arguments, part):
    mask = spot(100, 150, 30)
    space = workspace(picture(mask), mask)
    space.add_handle("text", {"text": "hello"})
    assert part in ask(space, **arguments).error


def test_a_large_thing_is_measured_in_source_pixels():
    mask = spot(540, 840, 480, (1200, 1800))
    data = ask(workspace(picture(mask), mask), mask="mask_1").data
    assert data["size"]["width_px"] == 959
    assert data["size"]["area_px"] == mask.sum()
    assert data["position"]["x"] == pytest.approx(840.5 / 1800, abs=1e-3)
    assert data["position"]["y"] == pytest.approx(540.5 / 1200, abs=1e-3)
    assert data["shape_measures"]["perimeter_px"] == pytest.approx(2 * np.pi * 480, rel=0.07)
    assert (data["shape"], data["color"]["name"]) == ("circle", "red")


def test_an_empty_mask_is_told():
    mask = np.zeros((200, 300), bool)
    assert "empty" in ask(workspace(picture(mask), mask), mask="mask_1").error


def test_the_smallest_thing_has_properties():
    mask = np.zeros((200, 300), bool)
    mask[7, 9] = True
    data = ask(workspace(picture(mask), mask), mask="mask_1").data
    assert data["color"]["name"] == "red"
    assert data["size"]["area_px"] == 1
    json.dumps(data)


def two(first: np.ndarray, second: np.ndarray, color=(205, 25, 30)) -> Workspace:
    """A picture of two things, the second in its own colour, and a mask of each."""
    image = picture(first)
    image[second] = color
    space = workspace(image, first)
    space.add_handle("mask", {"area_px": int(second.sum())}, mask=second)
    return space


def test_how_a_thing_stands_beside_another():
    space = two(spot(60, 60, 40), spot(140, 220, 20), (30, 60, 200))
    seen = ask(space, mask="mask_1", other="mask_2")
    assert seen.data["beside"] == {
        "mask": "mask_2",
        "width": "wider",
        "height": "taller",
        "size": "larger",
        "x": "left",
        "y": "above",
        "color": "other color",
        "shape": "same shape",
    }
    back = ask(space, mask="mask_2", other="mask_1", properties=["size", "position"])
    assert back.text.endswith("beside mask_1: narrower, shorter, smaller, right, below")


def test_alike_is_told():
    space = two(spot(60, 60, 30), spot(140, 220, 30))
    text = ask(space, mask="mask_1", other="mask_2", properties=["size", "color"]).text
    assert text.endswith("beside mask_2: as wide, as tall, as large, same color")


def test_measures_without_a_comparison_say_so():
    space = two(spot(60, 60, 30), spot(140, 220, 30))
    seen = ask(space, mask="mask_1", other="mask_2", properties=["brightness"])
    assert seen.text.endswith("beside mask_2: nothing to compare")


def test_the_other_must_be_a_mask():
    mask = spot(100, 150, 30)
    assert (
        "no handle 'mask_7'"
        in ask(workspace(picture(mask), mask), mask="mask_1", other="mask_7").error
    )
