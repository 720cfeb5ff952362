import numpy as np
import pytest

from pixelis.data.readers import rle


def annotation(box, **more):
    x, y, width, height = box
    mask = np.zeros((120, 160), bool)
    mask[y : y + height, x : x + width] = True
    packed = rle.pack(rle.encode(mask))
    return {
        "id": 1, "bbox": list(box), "area": int(mask.sum()), "predicted_iou": 0.95,
        "stability_score": 0.97, "point_coords": [[30.0, 20.0]], "crop_box": [0, 0, 160, 120],
        "segmentation": {"size": [120, 160], "counts": packed}, **more,
    }  # fmt: skip


@pytest.fixture
def sa1b(ground):
    for number in (1, 2):
        name = f"sa_{number}"
        ground.picture(f"sa_000000/{name}.jpg")
        image = {"image_id": number, "width": 160, "height": 120, "file_name": f"{name}.jpg"}
        good = annotation((20, 10, 40, 40))
        weak = annotation((0, 0, 9, 9), id=2, predicted_iou=0.3)
        ground.json(f"sa_000000/{name}.json", {"image": image, "annotations": [good, weak]})
    return ground


def test_a_picture_comes_with_its_sure_masks(sa1b):
    records, rejections = sa1b.read("sa1b")
    assert rejections.rejected == 0
    assert [record.id for record in records] == ["sa1b-1", "sa1b-2"]
    (thing,) = records[0].things
    assert thing.label == ""
    assert thing.mask[10:50, 20:60].all()
    assert thing.mask.sum() == 1600


def test_a_document_that_is_cut_off_is_named_and_the_other_kept(sa1b):
    path = sa1b.root / "sa_000000/sa_1.json"
    path.write_bytes(path.read_bytes()[:100])
    records, rejections = sa1b.read("sa1b")
    assert [record.id for record in records] == ["sa1b-2"]
    assert "sa_1.json: record 0: not JSON" in rejections.first[0]
