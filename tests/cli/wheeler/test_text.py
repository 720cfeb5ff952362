from __future__ import annotations

import json

import numpy as np
from PIL import Image


def test_a_text_goes_to_a_file_and_back(wheeler, tmp_path):
    exact, shown = tmp_path / "a.npy", tmp_path / "a.png"
    told = json.loads(wheeler("encode", "red boat", "--out", exact, "--json").stdout)
    assert told["read_back"] == "red boat"
    assert (told["size"], told["bits"], told["fits"]) == ([32, 32], 1024, True)
    assert np.array_equal(np.load(exact), np.array(told["frame"], np.float32))
    assert wheeler("decode", exact).stdout == "red boat\n"
    assert wheeler("encode", "red boat", "--out", shown).returncode == 0
    with Image.open(shown) as image:
        assert image.size == (384, 384)
    assert wheeler("decode", shown).stdout == "red boat\n"


def test_a_picture_with_a_pixel_a_cell_is_a_frame(wheeler, tmp_path):
    told = json.loads(wheeler("encode", "red boat", "--json").stdout)
    grey = ((np.array(told["frame"]) + 1) * 127.5).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert wheeler("decode", tmp_path / "a.png").stdout == "red boat\n"
    Image.fromarray(grey[:8]).save(tmp_path / "b.png")
    done = wheeler("decode", tmp_path / "b.png")
    assert done.returncode == 2
    assert "a frame 32x32" in done.stderr
    (tmp_path / "c.png").write_text("no picture")
    assert "is no frame" in wheeler("decode", tmp_path / "c.png").stderr


def test_a_long_text_is_told(wheeler):
    assert "no tile" in wheeler("encode", "boat " * 90).stdout


def test_blends_show_their_error(wheeler):
    steps = json.loads(wheeler("blend", "red boat", "Anna", "--steps", 3, "--json").stdout)
    assert [step["text"] for step in (steps[0], steps[-1])] == ["red boat", "Anna"]
    assert [step["share"] for step in steps] == [0, 0.5, 1]
    assert steps[0]["round_trip_error"] == 0
    (sum_,) = json.loads(
        wheeler("blend", "boat", "--plus", "cat", "--minus", "cat", "--json").stdout
    )
    assert sum_["text"] == "boat"
    assert wheeler("blend", "boat").returncode == 2
    assert wheeler("blend", "a", "b", "--plus", "c").returncode == 2
