import pytest

from pixelis.geometry import Box


@pytest.fixture
def infographics(ground):
    ground.picture("infographicsvqa_images/20471.jpeg", size=(200, 400))
    line = {
        "BlockType": "LINE", "Confidence": 99.1, "Text": "70% of people",
        "Geometry": {"BoundingBox": {"Left": 0.1, "Top": 0.25, "Width": 0.5, "Height": 0.05},
                     "Polygon": []},
    }  # fmt: skip
    ground.json("infographicsvqa_ocr/20471.json", {"PAGE": [], "LINE": [line], "WORD": []})
    head = {"dataset_name": "infographicVQA", "dataset_split": "val", "dataset_version": "1.0"}
    entry = {
        "questionId": 98313, "question": "How many percent?", "image_local_name": "20471.jpeg",
        "image_url": "https://a.example/i.jpeg", "ocr_output_file": "20471.json",
        "answers": ["70", "70%"], "data_split": "val",
    }  # fmt: skip
    ground.json("infographicsVQA_val_v1.0_withQT.json", {**head, "data": [entry]})
    return ground


def test_boxes_in_shares_become_pixels(infographics):
    (record,), rejections = infographics.read("infographicsvqa")
    assert rejections.rejected == 0
    assert record.size == (200, 400)
    assert record.texts[0].text == "70% of people"
    assert record.texts[0].box == pytest.approx(Box(20, 100, 120, 120))
    assert record.answers == ("70", "70%")


def test_a_box_out_of_the_picture_is_named(infographics):
    path = infographics.root / "infographicsvqa_ocr/20471.json"
    path.write_text(path.read_text().replace("0.25", "7"))
    records, rejections = infographics.read("infographicsvqa")
    assert records == []
    assert "LINE[0].Geometry.BoundingBox.Top: came 7; -0.1 to 1.1" in rejections.first[0]
