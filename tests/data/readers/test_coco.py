import json
from copy import deepcopy

import numpy as np
import pytest

from pixelis.data.readers import rle
from pixelis.errors import DataError

RED, BLUE = (20, 10, 60, 50), (80, 60, 140, 100)


def square(box) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2, y1, x2, y2, x1, y2]


def mask_of(box) -> np.ndarray:
    mask = np.zeros((120, 160), bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def instances() -> dict:
    """Two pictures, three objects: a polygon, packed run lengths, and a crowd of plain ones."""
    return {
        "info": {"year": 2017},
        "licenses": [{"id": 4, "name": "Attribution License", "url": "by/2.0"}],
        "images": [
            {"id": 139, "file_name": "000000000139.jpg", "width": 160, "height": 120, "license": 4},
            {"id": 285, "file_name": "000000000285.jpg", "width": 160, "height": 120, "license": 4},
        ],
        "annotations": [
            {"id": 1, "image_id": 285, "category_id": 1, "bbox": [20, 10, 40, 40], "area": 1600,
             "iscrowd": 0, "segmentation": [square(RED)]},
            {"id": 2, "image_id": 139, "category_id": 62, "bbox": [80, 60, 60, 40], "area": 2400,
             "iscrowd": 0,
             "segmentation": {"size": [120, 160], "counts": rle.pack(rle.encode(mask_of(BLUE)))}},
            {"id": 3, "image_id": 139, "category_id": 1, "bbox": [20, 10, 40, 40], "area": 1600,
             "iscrowd": 1, "segmentation": {"size": [120, 160],
                                            "counts": rle.encode(mask_of(RED))}},
        ],
        "categories": [
            {"id": 1, "name": "person", "supercategory": "person"},
            {"id": 62, "name": "chair", "supercategory": "furniture"},
        ],
    }  # fmt: skip


@pytest.fixture
def coco(ground):
    for name in ("000000000139.jpg", "000000000285.jpg"):
        ground.picture(f"val2017/{name}", [("red", RED), ("blue", BLUE)])
    ground.json("annotations/instances_val2017.json", instances())
    return ground


def test_annotations_come_with_their_picture(coco):
    records, rejections = coco.read("coco")
    assert rejections.rejected == 0
    first, second = records
    assert (first.id, second.id) == ("coco-139", "coco-285")
    assert [thing.label for thing in first.things] == ["chair", "person"]
    assert [thing.crowd for thing in first.things] == [False, True]
    assert first.things[0].box == (80, 60, 140, 100)
    assert second.things[0].id == "1"
    assert first.split == "val"
    assert first.media[0].name == "000000000139.jpg"


def test_masks_of_all_three_forms_cover_the_objects(coco, pixels_of):
    records, _ = coco.read("coco")
    chair, crowd = records[0].things
    (person,) = records[1].things
    assert (chair.mask == mask_of(BLUE)).all()
    assert (crowd.mask == mask_of(RED)).all()
    assert (person.mask == mask_of(RED)).all()
    inside = pixels_of(records[1])[person.mask]
    assert inside[:, 0].mean() > 200
    assert inside[:, 1:].mean() < 60


def test_licence_and_origin_are_kept(coco):
    records, _ = coco.read("coco")
    assert "Attribution License" in records[0].licence
    assert "CC BY 4.0" in records[0].licence
    file = coco.root / "annotations/instances_val2017.json"
    import hashlib

    assert records[0].provenance.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert records[1].provenance.place == "images[1]"


def test_the_file_alone_may_be_given_with_the_folder_of_its_pictures(coco, tmp_path):
    moved = tmp_path / "elsewhere.json"
    moved.write_text(json.dumps(instances()))
    records, rejections = coco.read("coco", moved)
    assert (len(records), rejections.rejected) == (0, 2)
    assert "000000000139.jpg' is not there" in rejections.first[0]
    records, _ = coco.read("coco", moved, media=[coco.root / "val2017"])
    assert len(records) == 2


def broken(change) -> dict:
    value = deepcopy(instances())
    change(value)
    return value


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda v: v["annotations"][1].update(bbox=[1, 2, 3]), "annotations[1]: bbox: came [1, 2"),
        (lambda v: v["annotations"][1].update(bbox="no"), "annotations[1]: bbox: came 'no'"),
        (lambda v: v["annotations"][1].pop("bbox"), "annotations[1]: bbox: is missing"),
        (lambda v: v["annotations"][1].update(category_id=99), "category_id: came 99"),
        (lambda v: v["annotations"][1]["segmentation"].update(counts="0:"), "cover"),
        (lambda v: v["annotations"][1]["segmentation"].update(counts=[1, 2]), "cover 3 pixels"),
        (lambda v: v["annotations"][1]["segmentation"].update(size=[9, 9]), "size: came [9, 9]"),
        (lambda v: v["annotations"][1].update(segmentation=[[1, 2, 3]]), "segmentation[0]"),
        (lambda v: v["images"][0].update(width="wide"), "images[0]: width: came 'wide'"),
        (lambda v: v["images"][0].update(file_name="../x.jpg"), "'..' is not allowed"),
        (lambda v: v["images"][0].update(file_name="none.jpg"), "'none.jpg' is not there"),
        (lambda v: v["images"].__setitem__(0, 5), "images[0]: came 5; an object is needed"),
    ],
)
def test_a_picture_with_a_broken_annotation_is_named_and_the_other_kept(coco, change, told):
    coco.json("annotations/instances_val2017.json", broken(change))
    records, rejections = coco.read("coco")
    assert [record.id for record in records] == ["coco-285"]
    assert rejections.rejected == 1
    assert told in rejections.first[0]
    assert "instances_val2017.json" in rejections.first[0]


def test_an_annotation_of_no_picture_is_named_and_every_picture_kept(coco):
    value = broken(lambda v: v["annotations"][1].pop("image_id"))
    coco.json("annotations/instances_val2017.json", value)
    records, rejections = coco.read("coco")
    assert len(records) == 2
    assert "annotations[1]: image_id: is missing" in rejections.first[0]


def test_pictures_that_are_missing_or_cut_off_are_named(coco):
    cut = coco.root / "val2017/000000000139.jpg"
    cut.write_bytes(cut.read_bytes()[:-200])
    records, rejections = coco.read("coco")
    assert [record.id for record in records] == ["coco-285"]
    assert "truncated" in rejections.first[0]
    assert "000000000139.jpg" in rejections.first[0]
    assert rejections.reasons == {"media: broken media": 1}
    assert len(coco.read("coco", whole=False)[0]) == 2


def test_ids_that_are_texts_and_keys_in_any_order(coco):
    value = instances()
    for image in value["images"]:
        image["id"] = f"é{image['id']}"
    for annotation in value["annotations"]:
        annotation["image_id"] = f"é{annotation['image_id']}"
    value = {key: value[key] for key in ("annotations", "categories", "images")}
    path = coco.root / "annotations/instances_val2017.json"
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    records, _ = coco.read("coco")
    assert [len(record.things) for record in records] == [2, 1]


def test_what_is_no_coco_file_is_refused(ground):
    ground.json("a.json", {"images": [], "annotations": []})
    with pytest.raises(DataError, match="has no categories; COCO instances are needed"):
        ground.read("coco")
    with pytest.raises(DataError, match="is neither a file nor a folder"):
        ground.read("coco", ground.root / "none")


def test_grouping_agrees_with_a_plain_reading(coco):
    rng = np.random.default_rng(5)
    value = instances()
    pictures = [dict(value["images"][0], id=int(n)) for n in rng.permutation(50)]
    annotations = [
        dict(value["annotations"][0], id=n, image_id=int(rng.integers(50))) for n in range(300)
    ]
    coco.json(
        "annotations/instances_val2017.json",
        {**value, "images": pictures, "annotations": annotations},
    )
    records, _ = coco.read("coco")
    plain = {
        f"coco-{p['id']}": [str(a["id"]) for a in annotations if a["image_id"] == p["id"]]
        for p in pictures
    }
    assert {r.id: [t.id for t in r.things] for r in records} == plain
