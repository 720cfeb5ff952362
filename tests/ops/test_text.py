import json
from pathlib import Path

import matplotlib
import pytest
from PIL import Image, ImageDraw, ImageFont

from pixelis.episode import Call
from pixelis.geometry import Box, Size, View
from pixelis.media import Picture
from pixelis.ops import text
from pixelis.ops.ocr import Line
from pixelis.ops.registry import REGISTRY
from pixelis.ops.text import confidence, quote
from pixelis.ops.workspace import Convention, Workspace

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def board(**options):
    """A 400 x 200 board with NORTH at the top, SOUTH GATE and EXIT 7 below."""
    image = Image.new("RGB", (400, 200), "#0a5a32")
    draw, face = ImageDraw.Draw(image), ImageFont.truetype(FONT, 30)
    for y, line in ((15, "NORTH"), (80, "SOUTH GATE"), (145, "EXIT 7")):
        draw.text((30, y), line, font=face, fill="white")
    return Workspace(Picture(image, "board.png", "0" * 64), **options)


def read(workspace, **arguments):
    return REGISTRY.run(Call("read_text", arguments), workspace)


def test_the_whole_picture():
    workspace = board()
    found = read(workspace)
    assert found.error is None
    assert found.text == 'text_1 (3 lines): "NORTH\nSOUTH GATE\nEXIT 7"'
    assert found.handle == "text_1"
    assert found.confidence > 0.9
    assert found.data["text"] == "NORTH\nSOUTH GATE\nEXIT 7"
    assert found.data["line_3"] == "EXIT 7"
    assert workspace.handle("text_1").data == found.data
    assert json.loads(json.dumps(found.data)) == found.data


def test_a_box_is_read_and_lines_lie_in_the_source():
    found = read(board(convention=Convention("px")), bbox_2d=[10, 70, 390, 130])
    assert found.data["text"] == "SOUTH GATE"
    assert found.text.startswith("text_1 (1 line): ")
    line = Box(*found.data["lines"][0]["box"])
    assert line.iou(Box(32, 85, 212, 109)) > 0.7
    assert found.box == Box(10, 70, 390, 130)


def test_relative_boxes_on_a_crop_read_the_source():
    workspace = board()
    crop = workspace.media.image.crop((0, 120, 400, 200)).resize((40, 8))
    index = workspace.add_image(crop, View(Box(0, 120, 400, 200), Size(40, 8)))
    assert read(workspace, image=index).data["text"] == "EXIT 7"
    assert read(workspace, bbox_2d=[0, 0, 1000, 1000], image=index).data["line_1"] == "EXIT 7"


def test_nothing_found_is_no_error():
    found = read(board(convention=Convention("px")), bbox_2d=[300, 10, 390, 70])
    assert found.error is None
    assert found.text == "no text found"
    assert found.handle is None
    assert found.data == {"text": "", "lines": []}


def test_a_tiny_box_is_grown():
    assert (
        read(board(convention=Convention("px")), bbox_2d=[396, 2, 398, 3]).text == "no text found"
    )


def test_the_quote_is_cut_at_the_limit():
    found = read(board(text_limit=8))
    assert found.text == 'text_1 (3 lines): "NORTH\nSO ..."'
    assert found.data["line_2"] == "SOUTH GATE"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"bbox_2d": [300, 10, 280, 90]}, "is empty"),
        ({"bbox_2d": [0, 0, 1200, 90]}, "is outside"),
        ({"image": 3}, "image 3 does not exist"),
        ({"box": [0, 0, 10, 10]}, "unknown argument"),
        ({"bbox_2d": [0, 0, 10]}, "bbox_2d"),
    ],
)
def test_bad_arguments_are_told(arguments, reason):
    found = read(board(), **arguments)
    assert found.error is not None
    assert found.error.startswith("read_text: ")
    assert reason in found.error


def test_time_is_limited():
    assert "took longer" in read(board(time_limit_s=-1.0)).error


def test_confidence_is_weighted_by_length_and_quotes_are_cut():
    box = Box(0, 0, 1, 1)
    assert confidence([Line("abcdefghi", box, 0.9), Line("x", box, 0.4)]) == pytest.approx(0.85)
    assert quote("abc", 3) == '"abc"'
    assert quote("abcd", 3) == '"abc ..."'


def test_the_model_sees_what_it_does():
    schema = REGISTRY.get("read_text").schema["function"]
    assert "reading order" in schema["description"]
    assert set(schema["parameters"]["properties"]) == {"bbox_2d", "image", "find", "column"}
    assert text.ReadText().bbox_2d is None
