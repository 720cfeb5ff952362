"""Segmentation from one click, on pictures with a known mask."""

import json
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from pixelis.episode import Call
from pixelis.errors import ModelError
from pixelis.geometry import Point
from pixelis.media import Picture
from pixelis.ops.candidates import around, filled
from pixelis.ops.regions import Classic, Region
from pixelis.ops.registry import REGISTRY
from pixelis.ops.sam import Sam
from pixelis.ops.segment import box_of
from pixelis.ops.workspace import Convention, Workspace


def ground(kind: str, height: int = 240, width: int = 320) -> np.ndarray:
    random = np.random.default_rng(4)
    if kind == "plain":
        return np.full((height, width, 3), (190, 200, 210), np.float32)
    if kind == "noise":
        return np.clip(random.normal((90, 120, 90), 18, (height, width, 3)), 0, 255)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    if kind == "gradient":
        return np.stack([80 + x / 3, 120 + y / 3, 200 - x / 4], -1)
    grain = cv2.GaussianBlur(random.normal(0, 1, (height, width)), (0, 0), 3)
    return 120 + 45 * grain[..., None] / grain.std() * np.array([1, 0.9, 0.7])


def disc(x0: float, y0: float, radius: float, height: int = 240, width: int = 320) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.hypot(x - x0, y - y0) < radius


def painted(kind: str, mask: np.ndarray, pattern: str = "solid") -> np.ndarray:
    image = ground(kind, *mask.shape).astype(np.float32)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    first, second = np.array([205, 30, 40.0]), np.array([250, 240, 245.0])
    share = {"solid": 0 * x, "striped": (x // 6) % 2, "checkered": (x // 7 + y // 7) % 2}[pattern]
    surface = first * (1 - share[..., None]) + second * share[..., None]
    image = np.where(mask[..., None], surface, image)
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.6)
    return np.clip(image, 0, 255).astype(np.uint8)


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return np.count_nonzero(first & second) / np.count_nonzero(first | second)


def workspace(image: np.ndarray, units="px", **options) -> Workspace:
    return Workspace(
        Picture(Image.fromarray(image), "test", ""), convention=Convention(units), **options
    )


def ask(space: Workspace, x: float, y: float, **arguments):
    call = Call("segment_object_at", {"point_2d": [x, y], **arguments})
    return REGISTRY.run(call, space)


@pytest.mark.parametrize("kind", ["plain", "gradient", "noise", "texture"])
@pytest.mark.parametrize("pattern", ["solid", "striped", "checkered"])
def test_objects_on_backgrounds(kind, pattern):
    mask = disc(180, 110, 42)
    region = Classic().segment(painted(kind, mask, pattern), Point(188, 104))
    assert region is not None
    assert iou(region.mask, mask) > 0.85
    assert region.confidence > 0.6


@pytest.mark.parametrize("radius", [6, 12, 90])
def test_small_and_large_objects(radius):
    mask = disc(150, 118, radius)
    region = Classic().segment(painted("noise", mask), Point(150, 118))
    assert region is not None
    assert iou(region.mask, mask) > 0.8


def test_the_highlight_is_in_and_the_shadow_and_the_neighbour_are_out():
    y, x = np.mgrid[:240, :320].astype(np.float32)
    image = np.full((240, 320, 3), 238, np.float32)
    masks = []
    for x0, color in ((120, (30, 90, 200)), (169, (210, 30, 35))):
        shadow = np.exp(-((((x - x0 - 9) ** 2 + (y - 130) ** 2) / 900) ** 2))
        image *= 1 - 0.35 * shadow[..., None]
        mask = disc(x0, 120, 25)
        z = np.sqrt(np.clip(1 - ((x - x0) ** 2 + (y - 120) ** 2) / 625, 0, 1))
        shine = np.exp(-((x - x0 + 8) ** 2 + (y - 112) ** 2) / 22)[..., None]
        surface = np.array(color) * (0.5 + 0.5 * z[..., None])
        image = np.where(mask[..., None], surface * (1 - shine) + 255 * shine, image)
        masks.append(mask)
    image = np.clip(cv2.GaussianBlur(image, (0, 0), 0.7), 0, 255).astype(np.uint8)
    for mask, x0 in zip(masks, (120, 169), strict=True):
        region = Classic().segment(image, Point(x0 + 4, 126))
        assert region is not None
        assert iou(region.mask, mask) > 0.85
        assert region.mask[112, x0 - 8]


@pytest.mark.parametrize("kind", ["plain", "gradient", "noise", "texture"])
def test_an_empty_spot_is_said_to_be_empty(kind):
    space = workspace(painted(kind, disc(60, 60, 20)))
    seen = ask(space, 240, 170)
    assert seen.error is None
    assert "no clear object here" in seen.text
    assert seen.handle is None
    assert seen.confidence < 0.6
    assert len(space.images) == 1


@pytest.mark.parametrize("units", ["rel", "px"])
def test_a_near_miss_is_told_where_the_object_is(units):
    mask = disc(180, 110, 30)
    space = workspace(painted("noise", mask), units)
    x, y = 180 - 42, 110  # twelve pixels beside it
    given = (x, y) if units == "px" else (x / 0.32, y / 0.24)
    missed = ask(space, *given)
    assert missed.handle is None
    assert mask[round(missed.data["near"][1]), round(missed.data["near"][0])]
    told = [float(value) for value in re.findall(r"at \[(\S+), (\S+)\]$", missed.text)[0]]
    again = ask(space, *told)
    assert iou(space.handle(again.handle).mask, mask) > 0.85


def test_what_comes_back():
    mask = disc(180, 110, 42)
    image = painted("texture", mask)
    before = image.copy()
    space = workspace(image)
    seen = ask(space, 185, 112)
    handle = space.handle("mask_1")
    assert seen.handle == "mask_1"
    assert handle.mask.dtype == bool
    assert handle.mask.shape == (240, 320)
    assert seen.data["area_px"] == np.count_nonzero(handle.mask)
    assert seen.data["area_share"] == pytest.approx(handle.mask.mean(), abs=1e-5)
    assert seen.box == box_of(handle.mask) == tuple(seen.data["box"])
    assert max(abs(a - b) for a, b in zip(seen.box, (138, 68, 223, 153), strict=True)) <= 4
    assert (seen.image, space.views[1]) == (1, seen.view)
    assert seen.view.box.contains(seen.box.center)
    assert space.images[1].size == tuple(seen.view.size)
    json.dumps(seen.data)
    assert (image == before).all()


def test_the_outline_is_drawn_where_the_view_says():
    mask = disc(180, 110, 42)
    space = workspace(painted("plain", mask))
    seen = ask(space, 180, 110)
    pixels = np.asarray(space.images[1]).astype(int)
    line = (pixels[..., 0] > 200) & (pixels[..., 1] < 90) & (pixels[..., 2] > 200)
    ys, xs = np.nonzero(line)
    scale = seen.view.box.width / seen.view.size.width
    away = np.hypot(seen.view.box.x1 + xs * scale - 180, seen.view.box.y1 + ys * scale - 110)
    assert len(xs) > 100
    assert np.abs(away - 42).mean() < 2


def test_a_point_in_a_crop_maps_to_the_source():
    space = workspace(painted("plain", disc(180, 110, 42)))
    space.convention = Convention("rel")
    first = ask(space, 562, 458)
    second = ask(space, 500, 500, image=first.image)
    masks = [space.handle(f"mask_{number}").mask for number in (1, 2)]
    assert second.handle == "mask_2"
    assert iou(*masks) > 0.95


def test_the_same_call_gives_the_same_mask():
    image = painted("texture", disc(180, 110, 42), "checkered")
    first, second = (Classic().segment(image, Point(170, 100)) for _ in range(2))
    assert (first.mask == second.mask).all()
    assert first.confidence == second.confidence


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 3), (12, 12)])
def test_tiny_pictures_do_not_fail(size):
    image = np.zeros((*size, 3), np.uint8)
    seen = ask(workspace(image), 0, 0)
    assert seen.error is None


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"point_2d": [400, 10]}, "outside"),
        ({"point_2d": [5]}, "point_2d"),
        ({"point_2d": [5, 5], "image": 3}, "image 3 does not exist"),
        ({"point_2d": [float("nan"), 5]}, "finite"),
        ({"point_2d": [5, 5], "bbox": 1}, "unknown argument"),
    ],
)
def test_bad_arguments_are_told(arguments, part):
    seen = REGISTRY.run(
        Call("segment_object_at", arguments), workspace(painted("plain", disc(9, 9, 5)))
    )
    assert part in seen.error


class Half:
    """A backend that finds the left half of any picture."""

    def segment(self, rgb, point):
        mask = np.zeros(rgb.shape[:2], bool)
        mask[:, : rgb.shape[1] // 2] = True
        return Region(mask, 0.9)


def test_another_backend_takes_over():
    space = workspace(painted("plain", disc(180, 110, 42)), engines={"segment": Half()})
    seen = ask(space, 180, 110)
    assert seen.box == (0, 0, 160, 240)


def test_filled_closes_highlights_but_not_rings():
    highlight = disc(100, 100, 50) & ~disc(90, 90, 10)
    ring = disc(100, 100, 50) & ~disc(100, 100, 30)
    assert (filled(highlight) == disc(100, 100, 50)).all()
    assert (filled(ring) == ring).all()


def test_around_takes_the_part_at_the_seed():
    two = disc(60, 60, 20) | disc(200, 60, 20)
    assert (around(two, (205, 66)) == disc(200, 60, 20)).all()
    assert around(two, (120, 200)) is None


def tiny_sam(folder):
    """A randomly initialised SAM 2 checkpoint with a 64 px input."""
    from transformers import Sam2Config, Sam2Model

    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    sizes = [[16, 16], [8, 8], [4, 4]]
    backbone = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "image_size": [64, 64],
        "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 2, 2], "window_size_per_stage": [8, 4, 4, 4],
        "global_attention_blocks": [3], "window_positional_embedding_background_size": [4, 4],
    }  # fmt: skip
    vision = {
        "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": sizes, "fpn_hidden_size": 32,
    }  # fmt: skip
    prompt = {"hidden_size": 32, "image_size": 64, "patch_size": 16}
    decoder = {
        "hidden_size": 32,
        "mlp_dim": 32,
        "num_attention_heads": 2,
        "iou_head_hidden_dim": 32,
    }
    config = Sam2Config(
        vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder
    )
    Sam2Model(config).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_sam2_checkpoint_runs_from_a_local_folder(tmp_path):
    sam = Sam(tiny_sam(tmp_path))
    image = painted("plain", disc(180, 110, 42))
    region = sam.segment(image, Point(180, 110))
    again = sam.segment(image, Point(180, 110))
    elsewhere = sam.segment(image, Point(20, 200))
    assert region is not None
    assert region.mask.shape == (240, 320)
    assert region.mask.dtype == bool
    assert 0 <= region.confidence <= 1
    assert (region.mask == again.mask).all()
    assert elsewhere is None or elsewhere.confidence != region.confidence


@pytest.mark.parametrize("text", [None, "{}", '{"model_type": "bert"}', "not json"])
def test_a_folder_without_a_checkpoint_is_a_model_error(tmp_path, text):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config\.json"):
        Sam(tmp_path).load()
