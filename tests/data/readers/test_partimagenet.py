def test_parts_come_with_their_whole(ground):
    ground.picture("images/train/n02096294_1.JPEG")
    ground.json(
        "annotations/train/train.json",
        {
            "images": [{"id": 0, "file_name": "n02096294_1.JPEG", "width": 160, "height": 120}],
            "annotations": [
                {"id": 7, "image_id": 0, "category_id": 0, "bbox": [20, 10, 40, 40], "iscrowd": 0,
                 "segmentation": [[20, 10, 60, 10, 60, 50, 20, 50]], "area": 1600},
            ],
            "categories": [{"id": 0, "name": "Quadruped Head", "supercategory": "Quadruped"}],
        },
    )  # fmt: skip
    (record,), rejections = ground.read("partimagenet")
    assert rejections.rejected == 0
    assert record.split == "train"
    assert record.things[0].label == "Quadruped Head"
    assert record.things[0].part_of == "Quadruped"
    assert record.media[0].name == "n02096294_1.JPEG"
    assert "non-commercial" in record.licence
