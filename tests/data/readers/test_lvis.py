import pytest


@pytest.fixture
def lvis(ground):
    ground.picture("val2017/000000397133.jpg")
    ground.json(
        "lvis_v1_val.json",
        {
            "images": [
                {"id": 397133, "width": 160, "height": 120, "license": 1,
                 "coco_url": "http://images.cocodataset.example/val2017/000000397133.jpg",
                 "neg_category_ids": [2], "not_exhaustive_category_ids": [1]},
            ],
            "annotations": [
                {"id": 1, "image_id": 397133, "category_id": 1, "bbox": [20.0, 10.0, 40.0, 40.0],
                 "area": 1600.0, "segmentation": [[20, 10, 60, 10, 60, 50, 20, 50]]},
            ],
            "categories": [
                {"id": 1, "name": "banana", "synset": "banana.n.02", "frequency": "f"},
                {"id": 2, "name": "bagel", "synset": "bagel.n.01", "frequency": "c"},
            ],
            "licenses": [],
        },
    )  # fmt: skip
    return ground


def test_the_picture_is_found_by_its_address(lvis):
    (record,), rejections = lvis.read("lvis")
    assert rejections.rejected == 0
    assert record.media[0] == lvis.root / "val2017/000000397133.jpg"
    assert record.things[0].label == "banana"
    assert record.things[0].mask.sum() == 1600


def test_what_may_not_be_counted_is_named(lvis):
    (record,), _ = lvis.read("lvis")
    assert record.meta == {"open": ["banana"], "absent": ["bagel"]}
