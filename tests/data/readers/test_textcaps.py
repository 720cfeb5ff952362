import pytest

from pixelis.geometry import Box


@pytest.fixture
def textcaps(ground):
    ground.picture("train_images/003a8ae2ef43b901.jpg")
    base = {
        "image_id": "003a8ae2ef43b901", "image_classes": ["Cassette deck"], "image_width": 160,
        "image_height": 120, "image_name": "003a8ae2ef43b901",
        "image_path": "train/003a8ae2ef43b901.jpg", "set_name": "val",
        "reference_strs": ["a clock says 8:14", "the time is 8:14"],
    }  # fmt: skip
    data = [
        {**base, "caption_id": n, "caption_str": s} for n, s in enumerate(base["reference_strs"])
    ]
    ground.json("TextCaps_0.1_val.json", {"dataset_name": "textcaps", "data": data})
    box = {"top_left_x": 0.25, "top_left_y": 0.5, "width": 0.25, "height": 0.1, "rotation": 0}
    words = [{"word": "8:14", "bounding_box": box}]
    rosetta = [{"image_id": "003a8ae2ef43b901", "ocr_tokens": ["8:14"], "ocr_info": words}]
    ground.json("TextVQA_Rosetta_OCR_v0.2_val.json", {"data": rosetta})
    return ground


def test_a_picture_comes_once_with_its_captions_and_words(textcaps):
    (record,), rejections = textcaps.read("textcaps")
    assert rejections.rejected == 0
    assert record.meta["captions"] == ["a clock says 8:14", "the time is 8:14"]
    assert record.texts[0].text == "8:14"
    assert record.texts[0].box == pytest.approx(Box(40, 60, 80, 72))
    assert record.texts[0].level == "word"
    assert record.question == ""
