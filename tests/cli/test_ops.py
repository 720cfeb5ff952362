from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pixelis.cli.main import main
from pixelis.cli.ops import _convert
from pixelis.ops.registry import REGISTRY

RED = (60, 40, 180, 120)


@pytest.fixture
def run(capsys):
    """Runs the command in this process; gives its exit code and JSON."""

    def in_process(op: str, media: Path, arguments: dict, *options: str):
        words = ["ops", "run", op, str(media), "--args", json.dumps(arguments), "--json", *options]
        return main(words), json.loads(capsys.readouterr().out)

    return in_process


def test_the_list_shows_every_operation(capsys):
    assert main(["ops", "list"]) == 0
    told = capsys.readouterr().out
    for operation in REGISTRY:
        assert operation.name in told
        assert operation.summary in told


def test_the_json_list_is_what_the_model_is_shown(capsys):
    assert main(["ops", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == REGISTRY.schemas()


@pytest.mark.parametrize(
    ("units", "point", "box"),
    [("px", [120, 80], RED), ("rel", [300, 400], (150, 200, 450, 600))],
)
def test_a_mask_is_a_picture_and_boxes_follow_the_units(run, card, tmp_path, units, point, box):
    folder = str(tmp_path / "out")
    code, told = run(
        "segment_object_at", card, {"point_2d": point}, "--units", units, "--out", folder
    )
    assert code == 0
    assert set(told) == {"op", "text", "error", "box", "confidence", "seconds", "data"}
    assert np.allclose(told["box"], box, atol=5)
    assert told["data"]["box"] == told["box"]
    mask = Image.open(told["data"]["mask"])
    assert mask.mode == "L"
    assert mask.size == (400, 200)
    values = np.asarray(mask)
    assert set(np.unique(values)) == {0, 255}
    assert (values == 255).sum() == told["data"]["area_px"] == pytest.approx(9600, rel=0.03)
    assert Path(told["data"]["mask"]).parent == tmp_path / "out"


def test_properties_of_a_box(run, card):
    code, told = run("get_properties", card, {"bbox_2d": [50, 30, 190, 130]}, "--units", "px")
    assert code == 0
    assert told["data"]["color"]["name"] == "red"
    assert told["data"]["shape"] == "rectangle"
    assert told["data"]["size"]["area_px"] == pytest.approx(9600, rel=0.03)


def test_read_text_gives_lines_in_the_chosen_units(run, tmp_path):
    image = Image.new("RGB", (500, 200), "white")
    font = ImageFont.load_default(36)
    ImageDraw.Draw(image).text((40, 60), "HARBOUR 27", "black", font)
    image.save(tmp_path / "sign.png")
    _, px = run("read_text", tmp_path / "sign.png", {}, "--units", "px")
    _, rel = run("read_text", tmp_path / "sign.png", {}, "--units", "rel")
    assert px["data"]["text"] == rel["data"]["text"] == "HARBOUR 27"
    (line,), (relative,) = px["data"]["lines"], rel["data"]["lines"]
    assert set(line) == {"text", "box", "confidence"}
    scale = np.array([500, 200, 500, 200]) / 1000
    assert np.allclose(np.array(relative["box"]) * scale, line["box"], atol=1)
    assert "line_1" not in px["data"]


def test_a_crop_is_saved_in_a_folder_that_is_named(run, card):
    code, told = run("zoom_in", card, {"bbox_2d": [150, 200, 450, 600]})
    assert code == 0
    (path,) = told["data"]["images"]
    assert Path(path).is_absolute()
    red = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3).mean(0)
    assert np.allclose(red, (200, 20, 30), atol=6)


def test_an_operation_that_fails_is_json_and_one_line(pixelis, card):
    empty = '{"bbox_2d": [9, 9, 1, 1]}'
    done = pixelis("ops", "run", "zoom_in", card, "--args", empty, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert "is empty" in told["error"]
    assert done.stderr == f"pixelis: {told['error']}\n"


def test_a_video_operation_refuses_a_picture(pixelis, card):
    done = pixelis("ops", "run", "select_frames", card)
    assert (done.returncode, done.stdout) == (1, "")
    assert "videos only" in done.stderr


def test_out_that_is_a_file_is_refused(pixelis, card):
    done = pixelis("ops", "run", "zoom_in", card, "--out", card)
    assert done.returncode == 2
    assert "is a file" in done.stderr


def test_boxes_are_converted_wherever_they_are():
    data = {
        "box": [1, 2, 3, 4],
        "lines": [{"text": "a", "box": [5, 6, 7, 8]}],
        "line_1": "a",
        "boxes": {"0": [1, 1, 2, 2], "1": None},
        "lost": [1],
        "color": {"rgb": [1, 2, 3, 4]},
    }
    doubled = _convert(data, lambda values: [2 * value for value in values])
    assert doubled == {
        "box": [2, 4, 6, 8],
        "lines": [{"text": "a", "box": [10, 12, 14, 16]}],
        "boxes": {"0": [2, 2, 4, 4], "1": None},
        "lost": [1],
        "color": {"rgb": [1, 2, 3, 4]},
    }
