"""Operations measured on small datasets in their true layout, and on worlds."""

import json

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import ConfigError, DataError
from pixelis.evals.operations import measure


@pytest.fixture
def coco(tmp_path):
    """One picture with a red square, annotated exactly."""
    image = Image.new("RGB", (160, 120), "white")
    image.paste("red", (40, 30, 100, 90))
    (tmp_path / "val2017").mkdir()
    image.save(tmp_path / "val2017/1.jpg", quality=95)
    corners = [40, 30, 100, 30, 100, 90, 40, 90]
    annotation = {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [40, 30, 60, 60], "area": 3600,
        "iscrowd": 0, "segmentation": [corners],
    }  # fmt: skip
    document = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 160, "height": 120}],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "card"}],
        "licenses": [],
    }
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/instances_val2017.json").write_text(json.dumps(document))
    return tmp_path


def test_masks_of_coco(coco):
    figures = measure("coco", coco)["segment_object_at"]
    assert figures["n"] == figures["found"] == 1
    assert figures["iou"] > 0.95
    assert figures["dice"] == pytest.approx(2 * figures["iou"] / (1 + figures["iou"]))
    assert figures["boundary_f1"] > 0.95


def test_tracks_of_mot17(tmp_path):
    folder = tmp_path / "train/MOT17-02-FRCNN"
    (folder / "img1").mkdir(parents=True)
    (folder / "gt").mkdir()
    rng = np.random.default_rng(1)
    ground = rng.integers(190, 230, (120, 200, 3), np.uint8)
    lines = []
    for number in range(12):
        pixels = ground.copy()
        left = 20 + 6 * number
        pixels[40:80, left : left + 30] = (200, 30, 40)
        pixels[50:70, left + 5 : left + 25] = (30, 40, 200)
        Image.fromarray(pixels).save(folder / f"img1/{number + 1:06d}.jpg", quality=95)
        lines.append(f"{number + 1},1,{left + 1},41,30,40,1,1,1.0")
    (folder / "gt/gt.txt").write_text("\n".join(lines) + "\n")
    (folder / "seqinfo.ini").write_text(
        "[Sequence]\nname=MOT17-02-FRCNN\nimDir=img1\nframeRate=8\nseqLength=12\n"
        "imWidth=200\nimHeight=120\nimExt=.jpg\n"
    )
    figures = measure("mot17", tmp_path)["track_object"]
    assert figures["boxes"] == 11  # the first one was given
    assert figures["mota"] > 0.9
    assert figures["motp"] > 0.8


@pytest.mark.slow
def test_worlds_have_figures_for_every_operation():
    figures = measure("worlds", limit=7)
    assert set(figures) == {"segment_object_at", "get_properties", "track_object", "read_text"}
    assert figures["segment_object_at"]["box_iou"] > 0.5
    assert figures["get_properties"]["color_precision"] > 0.5
    assert 0 <= figures["read_text"]["cer"] < 0.5


def test_what_cannot_be_measured_is_named(tmp_path):
    with pytest.raises(ConfigError, match="source 'kitti' is not known; give worlds, coco, mot17"):
        measure("kitti")
    with pytest.raises(ConfigError, match="--source coco needs --data DIR"):
        measure("coco")
    with pytest.raises(DataError):
        measure("coco", tmp_path)
